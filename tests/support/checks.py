"""Pull requests, their check runs and the buttons of those."""

from datetime import UTC, datetime
from typing import Any

from github_standin.seed import INSTALLATION_ID, ORG
from handlers.check_run import CHECK_NAME
from storage.job_types import CheckJob
from storage.jobs import Jobs
from tests.support.changes import query_database
from tests.support.running import Bot

Json = dict[str, Any]


async def repository_event(bot: Bot, action: str, as_user: str = "alice") -> Json:
    """Build the part that every webhook payload of a repository has."""
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
    """Open a pull request and wait until the bot has handled it."""
    pull: Json = await bot.github.open_pull_request(bot.repo, title, body=body, head=head)
    await bot.rest()
    return pull


async def deliver_pull_request_event(bot: Bot, action: str, pull: Json, **changes: Any) -> Json:
    """Deliver a webhook about a pull request with some fields changed. Returns the pull request in it."""
    now = await bot.github.call("GET", f"/repos/{bot.repo}/pulls/{pull['number']}")
    extra = {"before": changes.pop("before")} if "before" in changes else {}
    data: Json = now | {"updated_at": datetime.now(UTC).isoformat()} | changes
    payload = await repository_event(bot, action) | {"number": now["number"], "pull_request": data} | extra
    status, _ = await bot.deliver("pull_request", payload)
    assert status == 202
    await bot.rest()
    return data


async def press_button(bot: Bot, head: str, identifier: str, as_user: str = "alice") -> None:
    """Press a button of a check. As for a commit of a fork, the event names no pull request."""
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
    """Return the bot's only check on a commit, with buttons and pictures, which GitHub does not return."""
    (row,) = await query_database(bot, f"select * from posts where key = 'check:{head}'")
    run = await bot.github.call("GET", f"/repos/{bot.repo}/check-runs/{row.external_id}")
    assert (run["name"], run["head_sha"]) == (CHECK_NAME, head)
    assert run["output"]["title"] == row.data["output"]["title"]
    return dict(run) | {"actions": row.data["actions"], "images": row.data["output"].get("images", [])}


def button_identifiers(run: Json) -> list[str]:
    """List the identifiers of the buttons of a check run."""
    return [action["identifier"] for action in run["actions"]]


def list_check_writes(bot: Bot) -> list[tuple[str, str]]:
    """List method and path of the requests that wrote check runs in this repository."""
    paths = [
        (request.method, request.path)
        for request in bot.github.requests
        if request.method in {"POST", "PATCH"}
    ]
    return [path for path in paths if path[1].startswith(f"/repos/{bot.repo}/check-runs")]


async def run_check_job(bot: Bot) -> None:
    """Run the job that updates checks some time after a sprint has changed."""
    (row,) = await query_database(bot, "select organization_id, project_id from timeline where project_id is not null limit 1")  # fmt: skip
    async with bot.base.database.unscoped() as connection:
        job = CheckJob(organization_id=row.organization_id, project_id=row.project_id)
        await Jobs().defer(connection, job)
    await bot.rest()


async def get_sprint_number(bot: Bot) -> int:
    """Return the milestone number of the only sprint."""
    (row,) = await query_database(bot, "select github_milestone_number from sprints")
    return int(row[0])
