"""Pull requests, their check runs and the buttons of those."""

from datetime import UTC, datetime
from typing import Any

from github_standin.seed import INSTALLATION_ID, ORG
from handlers.check_run import CHECK_NAME
from storage.job_types import CheckJob
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.projects import Projects
from tests.support.changes import query_database
from tests.support.running import Bot

Json = dict[str, Any]


async def repository_event(bot: Bot, action: str, as_user: str = "alice") -> Json:
    """What stands in every payload of a repository."""
    return {
        "action": action,
        "repository": await bot.github.call("GET", f"/repos/{bot.repo}"),
        "organization": await bot.github.call("GET", f"/orgs/{ORG}"),
        "sender": await bot.github.call("GET", f"/users/{as_user}"),
        "installation": {"id": INSTALLATION_ID},
    }


async def open_pull_request(
    bot: Bot, title: str = "Card form", *, body: str = "", head: str = "work"
) -> Json:
    """Somebody opens a pull request; returns it once all is said about it."""
    pull: Json = await bot.github.open_pull_request(bot.repo, title, body=body, head=head)
    await bot.rest()
    return pull


async def deliver_pull_request_event(bot: Bot, action: str, pull: Json, **changes: Any) -> Json:
    """A webhook about a pull request as it is now, but for some changes; returns the pull request in it."""
    now = await bot.github.call("GET", f"/repos/{bot.repo}/pulls/{pull['number']}")
    extra = {"before": changes.pop("before")} if "before" in changes else {}
    told: Json = now | {"updated_at": datetime.now(UTC).isoformat()} | changes
    payload = await repository_event(bot, action) | {"number": now["number"], "pull_request": told} | extra
    status, _ = await bot.deliver("pull_request", payload)
    assert status == 202
    await bot.rest()
    return told


async def press_button(bot: Bot, head: str, identifier: str, as_user: str = "alice") -> None:
    """Somebody presses a button. As for a commit of a fork, the event names no pull request."""
    run = {
        "id": 4,
        "name": CHECK_NAME,
        "head_sha": head,
        "external_id": "x",
        "pull_requests": [],
        "output": {},
    }
    payload = await repository_event(bot, "requested_action", as_user)
    payload |= {"check_run": run, "requested_action": {"identifier": identifier}}
    status, _ = await bot.deliver("check_run", payload)
    assert status == 202
    await bot.rest()


async def find_check(bot: Bot, head: str) -> Json:
    """The one check of ours on a commit, with what GitHub does not give back: buttons and pictures."""
    (row,) = await query_database(bot, f"select * from posts where key = 'check:{head}'")
    run = await bot.github.call("GET", f"/repos/{bot.repo}/check-runs/{row.external_id}")
    assert (run["name"], run["head_sha"]) == (CHECK_NAME, head)
    assert run["output"]["title"] == row.data["output"]["title"]
    return dict(run) | {"actions": row.data["actions"], "images": row.data["output"].get("images", [])}


def button_identifiers(run: Json) -> list[str]:
    return [one["identifier"] for one in run["actions"]]


def list_check_writes(bot: Bot) -> list[tuple[str, str]]:
    """The writes of check runs in this repository."""
    paths = [(one.method, one.path) for one in bot.github.requests if one.method in {"POST", "PATCH"}]
    return [one for one in paths if one[1].startswith(f"/repos/{bot.repo}/check-runs")]


async def set_setting(bot: Bot, key: str, value: object) -> None:
    """A setting, as a command gives it."""
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant) as opened:
        project = await Projects(opened).by_name(bot.repo)
        assert project
        await Projects(opened).set_command_setting(project.id, key, value)


async def run_check_job(bot: Bot) -> None:
    """The job that waits for a while after a sprint has moved."""
    (row,) = await query_database(bot, "select organization_id, project_id from timeline where project_id is not null limit 1")  # fmt: skip
    async with bot.base.database.unscoped() as connection:
        job = CheckJob(organization_id=row.organization_id, project_id=row.project_id)
        await Jobs(bot.base.queue).defer(connection, job)
    await bot.rest()


async def get_sprint_number(bot: Bot) -> int:
    (row,) = await query_database(bot, "select github_milestone_number from sprints")
    return int(row[0])
