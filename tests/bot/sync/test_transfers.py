"""Repositories that move between accounts belong to one of them and keep their history."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sync.access_tracking import stop_tracking
from storage.job_types import ReconcileJob
from storage.jobs import Jobs
from storage.projects import Projects
from storage.seats import Seats
from tests.support.running import Bot, rows
from tests.support.webhooks import ISSUE_OPENED

ACME = {"id": 3, "login": "acme", "type": "Organization"}
UMBRELLA = {"id": 4, "login": "umbrella", "type": "Organization"}
INSTALLATION_OF = {"acme": 4711, "umbrella": 4712}


def shop(owner: dict[str, Any], name: str = "shop", **fields: Any) -> dict[str, Any]:
    return {
        "id": 5,
        "node_id": "R_shop",
        "name": name,
        "full_name": f"{owner['login']}/{name}",
        "private": True,
        "owner": owner,
    } | fields


def thin(repository: dict[str, Any]) -> dict[str, Any]:
    """As installations list it: without its owner."""
    return {key: value for key, value in repository.items() if key != "owner"}


async def install(bot: Bot, owner: dict[str, Any], *repositories: dict[str, Any]) -> None:
    installation = {"id": INSTALLATION_OF[owner["login"]], "account": owner}
    listed = [thin(repository) for repository in repositories]
    payload = {"action": "created", "installation": installation, "repositories": listed}
    assert (await bot.deliver("installation", payload))[0] == 202
    await bot.rest()


async def change_list(
    bot: Bot, owner: dict[str, Any], action: str, *repositories: dict[str, Any], at: datetime | None = None
) -> None:
    installation = {"id": INSTALLATION_OF[owner["login"]], "account": owner}
    if at is not None:
        installation["updated_at"] = at.isoformat()
    payload = {
        "action": action,
        "installation": installation,
        f"repositories_{action}": [thin(repository) for repository in repositories],
    }
    assert (await bot.deliver("installation_repositories", payload))[0] == 202
    await bot.rest()


async def transfer(
    bot: Bot,
    source: dict[str, Any],
    target: dict[str, Any],
    user: dict[str, Any],
    name: str = "shop",
    **fields: Any,
) -> tuple[int, str]:
    """As GitHub tells the installation of the account `told`; `fields` of the payload may differ."""
    payload = {
        "action": "transferred",
        "repository": shop(target, name),
        "organization": user,
        "installation": {"id": INSTALLATION_OF[user["login"]]},
        "changes": {"owner": {"from": {"organization": source}}},
        "sender": ISSUE_OPENED["sender"],
    } | fields
    answer = await bot.deliver("repository", payload)
    await bot.rest()
    return answer


async def work(
    bot: Bot,
    owner: dict[str, Any],
    number: int,
    *,
    at: datetime | None = None,
    installation: int | None = None,
    **fields: Any,
) -> None:
    """An issue is opened; `fields` of the repository may differ."""
    issue = ISSUE_OPENED["issue"] | {"id": number, "node_id": f"I_{number}", "number": number}
    if at is not None:
        issue |= {"created_at": at.isoformat(), "updated_at": at.isoformat()}
    payload = ISSUE_OPENED | {
        "issue": issue,
        "repository": shop(owner, **fields),
        "installation": {"id": installation or INSTALLATION_OF[owner["login"]]},
    }
    assert (await bot.deliver("issues", payload))[0] == 202
    await bot.rest()


async def tenant_of(bot: Bot, owner: dict[str, Any]) -> int:
    for (tenant,) in await rows(bot.base, "select * from all_tenants()"):
        (organization,) = await rows(bot.base, "select github_account_id from organizations", tenant)
        if organization.github_account_id == owner["id"]:
            return int(tenant)
    raise LookupError(owner["login"])


async def project(bot: Bot, owner: dict[str, Any]) -> Any:
    (row,) = await rows(bot.base, "select * from projects", await tenant_of(bot, owner))
    return row


async def both(bot: Bot) -> None:
    """Both accounts have the App, and the shop is acme's, with one issue."""
    await install(bot, ACME, shop(ACME))
    await install(bot, UMBRELLA)
    await work(bot, ACME, 7)


async def test_told_to_the_new_account_alone_the_old_one_looks_after_it_no_more(bot: Bot) -> None:
    await both(bot)
    assert await transfer(bot, ACME, UMBRELLA, UMBRELLA) == (202, "stored")

    old, new = await project(bot, ACME), await project(bot, UMBRELLA)
    assert (old.is_active, old.github_repo, old.hidden_since is not None) == (False, "acme/shop", True)
    assert (new.is_active, new.github_repo, new.hidden_since) == (True, "umbrella/shop", None)


async def test_told_to_the_old_account_alone_it_leaves_under_its_old_name(bot: Bot) -> None:
    await both(bot)
    assert await transfer(bot, ACME, UMBRELLA, ACME) == (202, "stored")

    old = await project(bot, ACME)
    assert (old.is_active, old.github_repo) == (False, "acme/shop")
    assert await rows(bot.base, "select * from projects", await tenant_of(bot, UMBRELLA)) == []
    data = await rows(bot.base, "select kind from timeline where event = 'transferred'", old.organization_id)
    assert [row.kind for row in data] == ["repository"]


@pytest.mark.parametrize("name", ["shop", "store"])
async def test_what_is_added_to_one_account_has_left_the_other(bot: Bot, name: str) -> None:
    await both(bot)
    await change_list(bot, UMBRELLA, "added", shop(UMBRELLA, name))

    assert not (await project(bot, ACME)).is_active
    assert (await project(bot, UMBRELLA)).github_repo == f"umbrella/{name}"


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_removal_may_come_before_or_after(bot: Bot, *, is_first: bool) -> None:
    await both(bot)
    if is_first:
        await change_list(bot, ACME, "removed", shop(ACME))
    await transfer(bot, ACME, UMBRELLA, UMBRELLA)
    await change_list(bot, UMBRELLA, "added", shop(UMBRELLA))
    if not is_first:
        await change_list(bot, ACME, "removed", shop(UMBRELLA))

    old = await project(bot, ACME)
    assert (old.is_active, old.github_repo) == (False, "acme/shop")
    assert (await project(bot, UMBRELLA)).is_active


async def test_history_stays_and_nothing_is_copied(bot: Bot) -> None:
    await both(bot)
    await transfer(bot, ACME, UMBRELLA, UMBRELLA)
    await work(bot, UMBRELLA, 8)

    query = "select item from timeline where kind = 'issue'"
    assert {row.item for row in await rows(bot.base, query, await tenant_of(bot, ACME))} == {"I_7"}
    assert {row.item for row in await rows(bot.base, query, await tenant_of(bot, UMBRELLA))} == {"I_8"}


async def test_the_new_account_asks_for_the_past(bot: Bot) -> None:
    """The stand-in's repository comes from an account that it knows nothing of."""
    await install(bot, ACME)
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    async with bot.github.muted():
        await bot.github.create_issue(bot.repo, "From before")
    await bot.github.trigger("installation", "created", bot.repo)
    repository = await bot.github.call("GET", f"/repos/{bot.repo}")
    payload = {
        "action": "transferred",
        "repository": repository,
        "installation": {"id": bot.github.installation_id},
        "changes": {"owner": {"from": {"organization": ACME}}},
        "sender": ISSUE_OPENED["sender"],
    }
    await bot.deliver("repository", payload)
    await bot.rest()

    data = await rows(
        bot.base, "select event, source from timeline where kind = 'issue'", await tenant_of(bot, owner)
    )
    assert [tuple(row) for row in data] == [("opened", "backfill")]


async def test_back_again_its_history_goes_on_with_a_gap(bot: Bot) -> None:
    await both(bot)
    await transfer(bot, ACME, UMBRELLA, UMBRELLA)
    await transfer(bot, UMBRELLA, ACME, ACME)

    old, new = await project(bot, ACME), await project(bot, UMBRELLA)
    assert (old.is_active, old.hidden_since, new.is_active) == (True, None, False)
    (gap,) = await rows(bot.base, "select * from event_gaps", old.organization_id)
    assert (gap.cause, gap.project_id, gap.ended_at is not None) == ("removed", old.id, True)


async def test_late_news_of_a_transfer_takes_nothing_from_who_has_it_back(bot: Bot) -> None:
    await both(bot)
    before = datetime.now(UTC)
    await transfer(bot, ACME, UMBRELLA, UMBRELLA)
    await transfer(bot, UMBRELLA, ACME, ACME)
    async with bot.base.database.tenant(await tenant_of(bot, ACME)) as tenant:
        assert not await stop_tracking(tenant, "R_shop", before)
    assert (await project(bot, ACME)).is_active


async def test_what_has_left_needs_no_seats_and_is_open_to_nobody(bot: Bot) -> None:
    await both(bot)
    acme = await tenant_of(bot, ACME)
    await rows(bot.base, "select 1", acme)
    await transfer(bot, ACME, UMBRELLA, UMBRELLA)
    async with bot.base.database.tenant(acme) as tenant:
        known_items = await Projects(tenant).by_node_id("R_shop")
        assert known_items is not None
        assert not known_items.is_accessible
        assert await Seats(tenant).active_people(datetime.now(UTC) + timedelta(days=1), 3650) == []
        assert await Projects(tenant).active() == []


async def test_what_left_unheard_is_found_by_asking_github(bot: Bot) -> None:
    """And what is still there stays."""
    await bot.github.trigger("installation", "created", bot.repo, repositories=[bot.repo])
    await bot.rest()
    owner = (await bot.github.call("GET", f"/repos/{bot.repo}"))["owner"]
    gone = shop(owner) | {
        "id": 99,
        "node_id": "R_gone",
        "name": "gone",
        "full_name": f"{owner['login']}/gone",
    }
    payload = {
        "action": "added",
        "installation": {"id": bot.github.installation_id, "account": owner},
        "repositories_added": [thin(gone)],
    }
    async with bot.github.muted():
        await bot.deliver("installation_repositories", payload)
    await bot.rest()
    async with bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReconcileJob(organization_id=1))
    await bot.rest()

    result = await rows(bot.base, "select github_repo, is_active from projects order by id", 1)
    assert [tuple(row) for row in result] == [(bot.repo, True), (f"{owner['login']}/gone", False)]


async def test_an_account_that_is_renamed_takes_its_repositories_along(bot: Bot) -> None:
    await both(bot)
    payload = {
        "action": "renamed",
        "account": {"id": 3, "login": "acme-corp", "node_id": "O_3", "avatar_url": "", "html_url": ""},
        "changes": {"login": {"from": "acme"}},
        "installation": {"id": INSTALLATION_OF["acme"], "node_id": "MDIz"},
        "target_type": "Organization",
        "sender": ISSUE_OPENED["sender"],
    }
    assert await bot.deliver("installation_target", payload) == (202, "stored")
    await bot.rest()
    assert (await project(bot, ACME)).github_repo == "acme-corp/shop"


# Late news


async def is_compared_at_once(bot: Bot, owner: dict[str, Any]) -> bool:
    """Whether GitHub was asked which repositories the account's installation sees."""
    (turn,) = await rows(
        bot.base,
        "select next_reconcile_at is not null as has_run from organizations",
        await tenant_of(bot, owner),
    )
    return bool(turn.has_run)


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


@pytest.mark.parametrize("payload", [ACME, UMBRELLA])
async def test_a_late_transfer_takes_nothing_where_github_tells_its_time(
    bot: Bot, payload: dict[str, Any]
) -> None:
    await both(bot)
    assert not await is_compared_at_once(bot, ACME)
    back, away = ago(minutes=10).isoformat(), ago(hours=2).isoformat()
    await transfer(bot, UMBRELLA, ACME, ACME, repository=shop(ACME, updated_at=back))
    await transfer(bot, ACME, UMBRELLA, payload, repository=shop(UMBRELLA, updated_at=away))

    old = await project(bot, ACME)
    assert (old.is_active, old.hidden_since, old.github_repo) == (True, None, "acme/shop")
    theirs = await rows(bot.base, "select 1 from projects where is_active", await tenant_of(bot, UMBRELLA))
    assert theirs == []
    assert await is_compared_at_once(bot, ACME)


@pytest.mark.parametrize("action", ["added", "removed"])
async def test_a_late_change_of_the_list_takes_nothing_where_github_tells_its_time(
    bot: Bot, action: str
) -> None:
    await both(bot)
    await transfer(bot, UMBRELLA, ACME, ACME, repository=shop(ACME, updated_at=ago(minutes=10).isoformat()))
    owner = UMBRELLA if action == "added" else ACME
    await change_list(bot, owner, action, shop(owner), at=ago(hours=2))

    assert (await project(bot, ACME)).is_active
    assert await is_compared_at_once(bot, ACME)


async def test_what_was_removed_now_is_out_of_sight_whatever_else_github_dates(bot: Bot) -> None:
    """An installation's own time may be that of a change long ago."""
    await both(bot)
    await work(bot, ACME, 8, at=ago(minutes=10))
    await change_list(bot, ACME, "removed", shop(ACME), at=ago(days=90))
    assert not (await project(bot, ACME)).is_active


@pytest.mark.parametrize("late", ["transferred to acme", "transferred to umbrella", "added", "removed"])
async def test_an_event_of_the_present_installation_brings_a_repository_back(bot: Bot, late: str) -> None:
    await both(bot)
    await transfer(bot, UMBRELLA, ACME, ACME)
    match late:
        case "added":
            await change_list(bot, UMBRELLA, "added", shop(UMBRELLA))
        case "removed":
            await change_list(bot, ACME, "removed", shop(ACME))
        case _:
            await transfer(bot, ACME, UMBRELLA, ACME if late.endswith("acme") else UMBRELLA)
    assert not (await project(bot, ACME)).is_active

    await work(bot, ACME, 9, at=datetime.now(UTC))

    old = await project(bot, ACME)
    assert (old.is_active, old.hidden_since, old.github_repo) == (True, None, "acme/shop")
    theirs = await rows(bot.base, "select 1 from projects where is_active", await tenant_of(bot, UMBRELLA))
    assert theirs == []


@pytest.mark.parametrize("fields", [{"archived": True}, {"at": ago(hours=1)}])
async def test_neither_late_events_nor_those_of_archived_repositories_bring_it_back(
    bot: Bot, fields: dict[str, Any]
) -> None:
    await both(bot)
    await change_list(bot, ACME, "removed", shop(ACME))
    await work(bot, ACME, 9, **({"at": datetime.now(UTC)} | fields))
    assert not (await project(bot, ACME)).is_active
    assert await is_compared_at_once(bot, ACME) is ("at" in fields)


async def test_an_installation_that_github_has_not_confirmed_brings_nothing_back(bot: Bot) -> None:
    await both(bot)
    payload = {
        "action": "deleted",
        "installation": {"id": INSTALLATION_OF["acme"], "account": ACME},
        "repositories": [thin(shop(ACME))],
    }
    await bot.deliver("installation", payload)
    await bot.rest()
    await work(bot, ACME, 9, at=datetime.now(UTC), installation=999)
    assert not (await project(bot, ACME)).is_active


async def test_what_is_archived_stays_so(bot: Bot) -> None:
    await both(bot)
    payload = {
        "action": "archived",
        "repository": shop(ACME, archived=True),
        "installation": {"id": INSTALLATION_OF["acme"]},
        "sender": ISSUE_OPENED["sender"],
    }
    await bot.deliver("repository", payload)
    await bot.rest()
    await work(bot, ACME, 9, at=datetime.now(UTC))
    assert not (await project(bot, ACME)).is_active


# Without the owner


@pytest.mark.parametrize(
    "changes", [None, {"owner": None}, {"owner": {"from": None}}, {"owner": {"from": {}}}]
)
async def test_a_transfer_without_its_former_owner_is_the_installation_s(bot: Bot, changes: Any) -> None:
    await both(bot)
    assert await transfer(bot, ACME, UMBRELLA, ACME, changes=changes) == (202, "stored")
    old = await project(bot, ACME)
    assert (old.is_active, old.github_repo) == (False, "acme/shop")

    assert await transfer(bot, ACME, UMBRELLA, UMBRELLA, changes=changes) == (202, "stored")
    new = await project(bot, UMBRELLA)
    assert (new.is_active, new.github_repo) == (True, "umbrella/shop")


async def test_a_transfer_without_its_owner_leaves_the_former_one(bot: Bot) -> None:
    await both(bot)
    await transfer(bot, ACME, UMBRELLA, ACME, repository=shop(UMBRELLA) | {"owner": None})
    old = await project(bot, ACME)
    assert (old.is_active, old.github_repo) == (False, "acme/shop")
    assert await is_compared_at_once(bot, ACME)


async def test_of_a_transfer_that_names_nobody_github_is_asked(bot: Bot) -> None:
    await both(bot)
    await transfer(bot, ACME, UMBRELLA, ACME, repository=shop(UMBRELLA) | {"owner": None}, changes=None)
    assert (await project(bot, ACME)).github_repo == "acme/shop"
    assert await is_compared_at_once(bot, ACME)
