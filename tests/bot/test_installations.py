"""Whose an installation is: GitHub says so, never the order in which deliveries happen to arrive."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.doctor import examine
from bot.serve import door
from bot.services import Services
from tests.bot.test_door import INSTALLED, ISSUE, stored
from tests.conftest import Clock
from tests.running import Bot, Door, rows

OTHERS_REPOSITORY = ISSUE["repository"] | {
    "id": 6,
    "node_id": "R_6",
    "full_name": "umbrella/lab",
    "owner": {"id": 4, "login": "umbrella", "type": "Organization"},
}


@pytest.fixture
async def endpoint(base: Services) -> AsyncIterator[Door]:
    """The webhook endpoint without a worker."""
    async with door(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield Door(session, f"http://127.0.0.1:{port}")


async def binding(base: Services, login: str) -> int | None:
    """The installation that an account is known by."""
    found = [
        row.github_installation_id
        for (tenant,) in await rows(base, "select * from all_tenants()")
        for row in await rows(base, "select * from organizations where name = :login", tenant, login=login)
    ]
    (installation,) = found
    return None if installation is None else int(installation)


def issue_of(installation: int, repository: dict[str, Any] = ISSUE["repository"]) -> dict[str, Any]:
    return ISSUE | {"installation": {"id": installation}, "repository": repository}


async def test_only_an_installation_event_binds(base: Services, endpoint: Door) -> None:
    assert await endpoint.deliver("issues", issue_of(100)) == (202, "stored")
    assert await binding(base, "acme") is None

    assert await endpoint.deliver("installation", INSTALLED) == (202, "stored")
    assert await binding(base, "acme") == 100


@pytest.mark.parametrize("event", ["issues", "installation_repositories", "push", "issue_comment"])
async def test_an_unknown_installation_takes_over_no_account(
    base: Services, endpoint: Door, event: str
) -> None:
    await endpoint.deliver("installation", INSTALLED)
    action = {"issue_comment": "created", "installation_repositories": "added", "push": None}

    payload = issue_of(200) | {"action": action.get(event, "opened")}
    status, message = await endpoint.deliver(event, payload)

    assert status == 409
    assert "isn't linked to this account" in message
    assert await binding(base, "acme") == 100
    # The next event of that installation is about somebody else, and is nothing of this tenant's.
    await endpoint.deliver("issues", issue_of(200, OTHERS_REPOSITORY))
    events = [(event.event_type, event.github_id) for event in await stored(base)]
    assert events == [("installation", None), ("issues", 6)]
    (acme, umbrella) = await rows(base, "select * from all_tenants()")
    assert [row.github_id for row in await rows(base, "select * from github_events", acme[0])] == [None]
    assert [row.github_id for row in await rows(base, "select * from github_events", umbrella[0])] == [6]


async def test_a_known_installation_stores_nothing_of_another_account(base: Services, endpoint: Door) -> None:
    await endpoint.deliver("installation", INSTALLED)

    status, _ = await endpoint.deliver("issues", issue_of(100, OTHERS_REPOSITORY))

    assert status == 409
    assert [event.event_type for event in await stored(base)] == ["installation"]


async def test_an_installation_event_cannot_give_a_bound_installation_away(
    base: Services, endpoint: Door
) -> None:
    await endpoint.deliver("installation", INSTALLED)
    other = INSTALLED | {"installation": {"id": 100, "account": OTHERS_REPOSITORY["owner"]}}

    assert (await endpoint.deliver("installation", other))[0] == 409
    assert await binding(base, "acme") == 100


async def test_what_comes_late_from_an_installation_that_is_gone_is_kept_and_binds_nothing(bot: Bot) -> None:
    await bot.deliver("installation", INSTALLED)
    await bot.deliver("installation", INSTALLED | {"action": "deleted"})
    await bot.rest()

    assert await bot.deliver("issues", issue_of(100)) == (202, "stored")
    assert await binding(bot.base, "acme") is None


async def test_doctor_names_what_was_refused(
    base: Services, endpoint: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    await endpoint.deliver("installation", INSTALLED)
    for _ in range(3):
        await endpoint.deliver("issues", issue_of(200))

    (finding,) = [finding for finding in await examine(base) if "Installation 200" in finding]
    capsys.readouterr()
    assert "confirmed as acme's by GitHub yet" in finding
    assert "3 deliveries refused" in finding


async def test_an_installation_whose_event_was_lost_is_found_by_asking_github(bot: Bot) -> None:
    """Nothing but a comment has arrived, and it is answered all the same."""
    issue = await bot.github.create_issue(bot.repo, "Pay by card")
    await bot.say(issue["number"], "/help")

    assert len(await bot.answers(issue["number"])) == 1
    owner = bot.repo.partition("/")[0]
    assert await binding(bot.base, owner) == bot.github.installation_id


async def test_a_reinstallation_whose_event_was_lost_is_confirmed_and_then_redelivered(
    bot: Bot, clock: Clock
) -> None:
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    old = INSTALLED | {"installation": {"id": 4711, "account": owner}}
    await bot.deliver("installation", old)
    issue = await bot.github.create_issue(bot.repo, "Pay by card")
    await bot.rest()

    # The first delivery was refused; GitHub was asked, and what it delivers now is taken.
    assert await binding(bot.base, owner["login"]) == bot.github.installation_id
    await bot.say(issue["number"], "/help")
    assert len(await bot.answers(issue["number"])) == 1
    (tenant,) = await rows(bot.base, "select * from all_tenants()")
    (organization,) = await rows(bot.base, "select * from organizations", tenant[0])
    assert organization.former_installations == [4711]


async def test_github_denies_a_claim_and_doctor_says_so(bot: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    await bot.deliver("installation", INSTALLED | {"installation": INSTALLED["installation"] | {"id": 4711}})
    await bot.deliver("issues", issue_of(bot.github.installation_id))
    await bot.rest()

    assert await binding(bot.base, "acme") == 4711
    findings = [finding for finding in await examine(bot.base) if "isn't acme's" in finding]
    capsys.readouterr()
    assert len(findings) == 1
    assert "isn't acme's, according to GitHub; 1 delivery refused." in findings[0]
