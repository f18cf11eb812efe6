"""Installations belong to the account that GitHub names, in whatever order deliveries arrive."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.cli.doctor import examine
from bot.cli.serve import web_server
from bot.github.client import App
from bot.jobs.retention import Retention
from bot.services import Services
from storage.deliveries import ReceivedDelivery, receive_deliveries
from tests.support.clock import Clock
from tests.support.running import Bot, WebhookClient, rows
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED, list_stored_events

OTHERS_REPOSITORY = ISSUE_OPENED["repository"] | {
    "id": 6,
    "node_id": "R_6",
    "full_name": "umbrella/lab",
    "owner": {"id": 4, "login": "umbrella", "type": "Organization"},
}


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    """The webhook endpoint without a worker."""
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


async def binding(base: Services, login: str) -> int | None:
    """The installation that an account is known by."""
    result = [
        row.github_installation_id
        for (tenant,) in await rows(base, "select * from all_tenants()")
        for row in await rows(base, "select * from organizations where name = :login", tenant, login=login)
    ]
    (installation,) = result
    return None if installation is None else int(installation)


def issue_of(installation: int, repository: dict[str, Any] = ISSUE_OPENED["repository"]) -> dict[str, Any]:
    return ISSUE_OPENED | {"installation": {"id": installation}, "repository": repository}


async def test_only_an_installation_event_binds(base: Services, webhook_client: WebhookClient) -> None:
    assert await webhook_client.deliver("issues", issue_of(100)) == (202, "stored")
    assert await binding(base, "acme") is None

    assert await webhook_client.deliver("installation", INSTALLATION_CREATED) == (202, "stored")
    assert await binding(base, "acme") == 100


@pytest.mark.parametrize("event", ["issues", "installation_repositories", "push", "issue_comment"])
async def test_an_unknown_installation_takes_over_no_account(
    base: Services, webhook_client: WebhookClient, event: str
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    action = {"issue_comment": "created", "installation_repositories": "added", "push": None}

    payload = issue_of(200) | {"action": action.get(event, "opened")}
    status, message = await webhook_client.deliver(event, payload)

    assert status == 409
    assert "isn't linked to this account" in message
    assert await binding(base, "acme") == 100
    # The next event of that installation is about somebody else, and is nothing of this tenant's.
    await webhook_client.deliver("issues", issue_of(200, OTHERS_REPOSITORY))
    events = [(event.event_type, event.github_id) for event in await list_stored_events(base)]
    assert events == [("installation", None), ("issues", 6)]
    (acme, umbrella) = await rows(base, "select * from all_tenants()")
    assert [row.github_id for row in await rows(base, "select * from github_events", acme[0])] == [None]
    assert [row.github_id for row in await rows(base, "select * from github_events", umbrella[0])] == [6]


async def test_a_known_installation_stores_nothing_of_another_account(
    base: Services, webhook_client: WebhookClient
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)

    status, _ = await webhook_client.deliver("issues", issue_of(100, OTHERS_REPOSITORY))

    assert status == 409
    assert [event.event_type for event in await list_stored_events(base)] == ["installation"]


async def test_an_installation_event_cannot_give_a_bound_installation_away(
    base: Services, webhook_client: WebhookClient
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    other = INSTALLATION_CREATED | {"installation": {"id": 100, "account": OTHERS_REPOSITORY["owner"]}}

    assert (await webhook_client.deliver("installation", other))[0] == 409
    assert await binding(base, "acme") == 100


async def test_what_comes_late_from_an_installation_that_is_gone_is_kept_and_binds_nothing(bot: Bot) -> None:
    await bot.deliver("installation", INSTALLATION_CREATED)
    await bot.deliver("installation", INSTALLATION_CREATED | {"action": "deleted"})
    await bot.rest()

    assert await bot.deliver("issues", issue_of(100)) == (202, "stored")
    assert await binding(bot.base, "acme") is None


async def test_doctor_names_what_was_refused(
    base: Services, webhook_client: WebhookClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await webhook_client.deliver("installation", INSTALLATION_CREATED)
    for _ in range(3):
        await webhook_client.deliver("issues", issue_of(200))

    (finding,) = [finding for finding in await examine(base) if "installation 200" in finding]
    capsys.readouterr()
    assert "belongs to acme" in finding
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
    old = INSTALLATION_CREATED | {"installation": {"id": 4711, "account": owner}}
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
    await bot.deliver(
        "installation",
        INSTALLATION_CREATED | {"installation": INSTALLATION_CREATED["installation"] | {"id": 4711}},
    )
    await bot.deliver("issues", issue_of(bot.github.installation_id))
    await bot.rest()

    assert await binding(bot.base, "acme") == 4711
    findings = [finding for finding in await examine(bot.base) if "does not belong to acme" in finding]
    capsys.readouterr()
    assert len(findings) == 1
    assert "does not belong to acme; 1 delivery refused; " in findings[0]


# Former installations


async def _organization(base: Services, tenant: int = 1) -> Any:
    (organization,) = await rows(base, "select * from organizations", tenant)
    return organization


def _installation_event(installation: int, action: str = "created") -> dict[str, Any]:
    owner = INSTALLATION_CREATED["installation"]["account"]
    return INSTALLATION_CREATED | {"action": action, "installation": {"id": installation, "account": owner}}


_BINDING_ACTIONS = ("created", "suspend", "unsuspend", "new_permissions_accepted")


@pytest.mark.parametrize("action", _BINDING_ACTIONS)
async def test_a_replaced_installation_is_not_bound_again_by_what_it_tells_late(
    base: Services, webhook_client: WebhookClient, action: str
) -> None:
    await webhook_client.deliver("installation", _installation_event(100))
    await webhook_client.deliver("installation", _installation_event(200))

    for _ in range(2):
        assert (await webhook_client.deliver("installation", _installation_event(100, action)))[0] == 202
        assert await webhook_client.deliver("issues", issue_of(100)) == (202, "stored")

    organization = await _organization(base)
    assert organization.github_installation_id == 200
    assert organization.former_installations == [100]


async def test_each_replaced_installation_is_remembered_once(
    base: Services, webhook_client: WebhookClient
) -> None:
    for installation in (100, 200, 200, 300, 100, 200, 300):
        await webhook_client.deliver("installation", _installation_event(installation))
        await webhook_client.deliver("installation", _installation_event(installation, "suspend"))

    organization = await _organization(base)
    assert organization.github_installation_id == 300
    assert organization.former_installations == [100, 200]


@pytest.mark.parametrize("action", _BINDING_ACTIONS)
async def test_any_sign_of_life_of_an_installation_binds_it(
    base: Services, webhook_client: WebhookClient, action: str
) -> None:
    await webhook_client.deliver("installation", _installation_event(100, action))
    assert await binding(base, "acme") == 100


@pytest.mark.parametrize("action", ["deleted", "renamed", None])
@pytest.mark.parametrize("bound", [None, 100])
async def test_no_other_installation_event_binds(
    base: Services, webhook_client: WebhookClient, action: str | None, bound: int | None
) -> None:
    """What is not in `ROUTES` today may be tomorrow, so the database is asked itself."""
    if bound:
        await webhook_client.deliver("installation", _installation_event(bound))
    delivery = ReceivedDelivery("guid", "installation", action, 200, 3, "acme", "Organization", None, b"{}")
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [delivery], [b"sealed"], base.database.now())

    assert await binding(base, "acme") == bound


@pytest.mark.parametrize("event", ["installation", "installation_repositories"])
async def test_what_a_replaced_installation_tells_late_hides_and_suspends_nothing(
    bot: Bot, event: str
) -> None:
    shop = {"id": 5, "node_id": "R_5", "full_name": "acme/shop", "private": False}
    await bot.deliver("installation", _installation_event(4711))
    await bot.deliver("installation", _installation_event(4712) | {"repositories": [shop]})
    await bot.rest()

    removed = {"repositories": [shop]} if event == "installation" else {"repositories_removed": [shop]}
    action = "deleted" if event == "installation" else "removed"
    await bot.deliver("installation", _installation_event(4711, "suspend"))
    await bot.deliver(event, _installation_event(4711, action) | removed)
    await bot.rest()

    organization = await _organization(bot.base)
    assert (organization.github_installation_id, organization.suspended_at) == (4712, None)
    assert organization.former_installations == [4711]
    (project,) = await rows(bot.base, "select is_active, hidden_since from projects", 1)
    assert (project.is_active, project.hidden_since) == (True, None)


async def test_what_an_uninstalled_one_tells_late_brings_no_repository_back(bot: Bot) -> None:
    shop = {"id": 5, "node_id": "R_5", "full_name": "acme/shop", "private": False}
    await bot.deliver("installation", _installation_event(4711) | {"repositories": [shop]})
    await bot.deliver("installation", _installation_event(4711, "deleted") | {"repositories": [shop]})
    await bot.rest()

    for event, added in (("installation", "created"), ("installation_repositories", "added")):
        payload = _installation_event(4711, added) | {"repositories": [shop], "repositories_added": [shop]}
        await bot.deliver(event, payload)
    await bot.rest()

    (project,) = await rows(bot.base, "select is_active, hidden_since from projects", 1)
    assert not project.is_active
    assert project.hidden_since is not None


async def test_of_events_in_the_wrong_order_github_tells_the_present_installation(bot: Bot) -> None:
    """A `created` of long ago arrives last: the installation that it replaced is asked about."""
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    await bot.github.trigger("installation", "created", bot.repo, repositories=[bot.repo])
    await bot.rest()
    await bot.deliver("installation", INSTALLATION_CREATED | {"installation": {"id": 4711, "account": owner}})
    await bot.rest()

    organization = await _organization(bot.base)
    assert organization.github_installation_id == bot.github.installation_id
    assert organization.former_installations == [4711]
    assert not [finding for finding in await examine(bot.base) if "Installation" in finding]


# Suspended


async def test_a_reinstallation_is_not_suspended_as_the_old_one_was(bot: Bot) -> None:
    await bot.deliver("installation", _installation_event(4711))
    await bot.deliver("installation", _installation_event(4711, "suspend"))
    await bot.rest()
    assert (await _organization(bot.base)).suspended_at is not None

    await bot.deliver("installation", _installation_event(4711, "deleted"))
    await bot.rest()
    assert (await _organization(bot.base)).suspended_at is None

    await bot.deliver("installation", _installation_event(4712, "suspend"))
    await bot.rest()
    assert (await _organization(bot.base)).suspended_at is not None
    await bot.deliver("installation", _installation_event(4713))
    await bot.rest()
    assert (await _organization(bot.base)).suspended_at is None


async def test_created_ends_a_suspension_whose_end_was_lost(bot: Bot) -> None:
    await bot.deliver("installation", _installation_event(4711, "suspend"))
    await bot.deliver("installation", _installation_event(4711))
    await bot.rest()
    assert (await _organization(bot.base)).suspended_at is None


@pytest.mark.parametrize("since", [None, datetime(2026, 11, 2, 9, tzinfo=UTC)], ids=["works", "suspended"])
async def test_a_confirmed_installation_is_suspended_as_github_says(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, since: datetime | None
) -> None:
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    for action in ("created", "suspend"):
        old = {"action": action, "installation": {"id": 4711, "account": owner}}
        await bot.deliver("installation", INSTALLATION_CREATED | old)
    await bot.rest()
    get = App.get

    async def answer(app: App, path: str) -> Any:
        return (await get(app, path)) | {"suspended_at": since and since.isoformat()}

    monkeypatch.setattr(App, "get", answer)
    await bot.github.create_issue(bot.repo, "Pay by card")
    await bot.rest()

    organization = await _organization(bot.base)
    assert organization.github_installation_id == bot.github.installation_id
    assert organization.suspended_at == since


# Denied claims


async def _claims(base: Services) -> list[Any]:
    return await rows(base, "select * from installation_claims", 1)


async def _deny(bot: Bot, clock: Clock, now: datetime) -> None:
    """GitHub denies at a moment that its own installation is acme's."""
    clock.now = now
    await bot.deliver("installation", _installation_event(4711))
    await bot.deliver("issues", issue_of(bot.github.installation_id))
    await bot.rest()
    (claim,) = await _claims(bot.base)
    assert claim.checked_at == now


async def _denials(bot: Bot) -> list[str]:
    return [finding for finding in await examine(bot.base) if "does not belong to acme" in finding]


async def test_doctor_shows_a_claim_for_seven_days_after_it_was_last_made(bot: Bot, clock: Clock) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    await _deny(bot, clock, start)
    clock.now = start + timedelta(days=6)
    await bot.deliver("issues", issue_of(bot.github.installation_id))
    await bot.rest()

    clock.now = start + timedelta(days=13)
    (finding,) = await _denials(bot)
    assert "; 2 deliveries refused; " in finding
    clock.now += timedelta(seconds=1)
    assert await _denials(bot) == []


async def test_old_claims_go_with_retention(bot: Bot, clock: Clock) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    await _deny(bot, clock, start)
    retention = Retention(bot.base.database, clock, timedelta(days=90))
    clock.now = start + timedelta(days=7)
    await retention.run()
    assert len(await _claims(bot.base)) == 1
    clock.now += timedelta(seconds=1)
    await retention.run()
    assert await _claims(bot.base) == []


async def test_github_is_asked_again_about_a_claim_made_an_hour_after_its_denial(
    bot: Bot, clock: Clock
) -> None:
    start = datetime.now(UTC).replace(microsecond=0)
    await _deny(bot, clock, start)
    for minutes, checked in (
        (59, start),
        (60, start + timedelta(hours=1)),
        (119, start + timedelta(hours=1)),
    ):
        clock.now = start + timedelta(minutes=minutes)
        await bot.deliver("issues", issue_of(bot.github.installation_id))
        await bot.rest()
        (claim,) = await _claims(bot.base)
        assert claim.checked_at == checked, minutes


async def test_a_claim_that_was_denied_is_confirmed_when_github_says_so_later(bot: Bot, clock: Clock) -> None:
    """Also where nothing is refused, because the account has no installation at all."""
    clock.now = start = datetime.now(UTC).replace(microsecond=0)
    bot.github.fail_next("GET", r"/app/installations/\d+$", 404)
    await bot.github.create_issue(bot.repo, "Pay by card")
    await bot.rest()
    owner = bot.repo.partition("/")[0]
    assert await binding(bot.base, owner) is None

    clock.now = start + timedelta(hours=1)
    await bot.github.create_issue(bot.repo, "Pay by bank")
    await bot.rest()
    assert await binding(bot.base, owner) == bot.github.installation_id
    assert await _claims(bot.base) == []


async def test_no_name_keeps_another_account_out(base: Services, webhook_client: WebhookClient) -> None:
    """A login that somebody gave up, and one that looks as we would tell the next account apart."""
    for account, login in ((3, "acme"), (9, "acme-5"), (10, "acme-5-5"), (5, "ACME")):
        owner = {"id": account, "login": login, "type": "Organization"}
        installed = INSTALLATION_CREATED | {"installation": {"id": 100 + account, "account": owner}}
        assert await webhook_client.deliver("installation", installed) == (202, "stored")
    assert len(await rows(base, "select * from all_tenants()")) == 4
