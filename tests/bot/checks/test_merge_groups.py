"""Merge groups: each commit of a queue gets the check “Sprint impact”."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.delivery import Delivery, MergeGroupQueued
from handlers.merge_group import handle_merge_group, parse_pull_request_number
from tests.support.clock import Clock
from tests.support.repository_settings import push_settings_file
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

_EXAMPLES = json.loads(
    Path("github_standin/node_modules/@octokit/webhooks-examples/api.github.com/index.json").read_text()
)
_EXAMPLE, *_ = next(event["examples"] for event in _EXAMPLES if event["name"] == "merge_group")


async def queued(bot: Bot, head: str, action: str = "checks_requested", number: int = 104) -> dict[str, Any]:
    """GitHub's own example, as it would come from the bot's repository."""
    group = {
        **_EXAMPLE["merge_group"],
        "head_sha": head,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-{number}-{head}",
    }
    payload = {
        **_EXAMPLE,
        "action": action,
        "merge_group": group,
        "repository": await bot.github.call("GET", f"/repos/{bot.repo}"),
        "installation": {"id": bot.github.installation_id},
    }
    payload["organization"] = payload["repository"]["owner"]
    return payload | ({"reason": "merged"} if action == "destroyed" else {})


async def reports(bot: Bot, head: str) -> list[tuple[str, str]]:
    """Each report on a commit; GitHub itself lists the newest of a name only."""
    await bot.rest()
    runs = await bot.github.check_runs(bot.repo, head)
    shown = [(run["conclusion"], run["output"]["title"]) for run in runs if run["name"] == "Sprint impact"]
    written = [
        request
        for request in bot.github.requests
        if (request[0], request[1]) == ("POST", f"/repos/{bot.repo}/check-runs")
    ]
    return shown * len(written)


REPORT = ("success", "Merge groups are not checked")


@pytest.mark.parametrize(
    "file",
    ["# nothing\n", "checks: 'off'\n", "checks: {require_sprint_item: true}\n"],
    ids=["none", "off", "required"],
)
async def test_every_group_is_reported_once(bot: Bot, file: str) -> None:
    head = await push_settings_file(bot, file)
    payload = await queued(bot, head)
    assert await bot.deliver("merge_group", payload, "guid") == (202, "stored")
    assert await reports(bot, head) == [REPORT]

    # GitHub sends it again, under its own id or another, and when the group is over.
    await bot.deliver("merge_group", payload, "guid")
    await bot.deliver("merge_group", payload)
    assert (await bot.deliver("merge_group", await queued(bot, head, "destroyed")))[0] == 202
    assert await reports(bot, head) == [REPORT]


async def test_a_group_is_reported_while_the_bot_is_paused(bot: Bot) -> None:
    number = await make_sprint(bot)
    head = await push_settings_file(bot, "# nothing\n")
    await bot.say(number, "/agile pause confirm:yes")
    await bot.deliver("merge_group", await queued(bot, head))
    assert await reports(bot, head) == [REPORT]


async def test_the_pull_request_s_own_check_is_named(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await bot.github.open_pull_request(bot.repo, "Cards", body=f"Closes #{number}")
    await bot.rest()
    head = await push_settings_file(bot, "# nothing\n")
    await bot.deliver("merge_group", await queued(bot, head, number=pull["number"]))
    await bot.rest()
    (run,) = [run for run in await bot.github.check_runs(bot.repo, head) if run["name"] == "Sprint impact"]
    assert run["output"]["title"] == "Checked before it entered the queue"
    assert f"#{pull['number']} was checked before it entered" in run["output"]["summary"]
    assert f"#{pull['number']}: Finishes #{number}" in run["output"]["summary"]


async def test_of_a_pull_request_that_was_not_checked_nobody_says_that_it_was(bot: Bot) -> None:
    """GitHub refused its check."""
    number = await make_sprint(bot)
    bot.github.fail_next("POST", "/check-runs$", 403, body={"message": "no"}, times=50)
    pull = await bot.github.open_pull_request(bot.repo, "Cards", body=f"Closes #{number}")
    await bot.rest()
    bot.github.clear_faults()
    head = await push_settings_file(bot, "# nothing\n")
    await bot.deliver("merge_group", await queued(bot, head, number=pull["number"]))
    await bot.rest()
    (run,) = [run for run in await bot.github.check_runs(bot.repo, head) if run["name"] == "Sprint impact"]
    assert (run["conclusion"], run["output"]["title"]) == REPORT
    assert "was checked" not in run["output"]["summary"]


async def test_it_can_be_run_again(bot: Bot) -> None:
    head = await push_settings_file(bot, "# nothing\n")
    payload = await queued(bot, head)
    await bot.deliver("merge_group", payload)
    assert await reports(bot, head) == [REPORT]
    (run,) = [run for run in await bot.github.check_runs(bot.repo, head) if run["name"] == "Sprint impact"]
    base = {key: value for key, value in payload.items() if key != "merge_group"}
    branch = payload["merge_group"]["head_ref"].removeprefix("refs/heads/")
    again = run | {"check_suite": {"id": 1, "head_branch": branch, "head_sha": head}}
    await bot.deliver("check_run", base | {"action": "rerequested", "check_run": again})
    assert await reports(bot, head) == [REPORT, REPORT]
    suite = {"id": 1, "head_branch": branch, "head_sha": head}
    await bot.deliver("check_suite", base | {"action": "rerequested", "check_suite": suite})
    assert await reports(bot, head) == [REPORT, REPORT, REPORT]
    button = {"requested_action": {"identifier": "add:1"}}
    await bot.deliver("check_run", base | {"action": "requested_action", "check_run": again} | button)
    assert set(await reports(bot, head)) == {REPORT}


async def test_it_is_reported_once_github_can_be_reached(bot: Bot, clock: Clock) -> None:
    head = await push_settings_file(bot, "# nothing\n")
    bot.github.fail_next("POST", f"/repos/{bot.repo}/check-runs", status=502)
    await bot.deliver("merge_group", await queued(bot, head))
    assert await reports(bot, head) == []
    clock.now = datetime.now(UTC) + timedelta(minutes=2)

    async def is_reported() -> bool:
        return REPORT in await reports(bot, head)

    await wait_until(is_reported)


def test_a_group_whose_branch_is_not_told_is_reported_nevertheless() -> None:
    payload = {"action": "checks_requested", "merge_group": {"head_sha": "c0ffee", "head_ref": None}}
    delivery = Delivery(
        "1", "merge_group", "checks_requested", json.dumps(payload).encode(), datetime.now(UTC)
    )
    assert list(handle_merge_group(delivery)) == [MergeGroupQueued("c0ffee")]


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        ("refs/heads/gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64", 104),
        ("refs/heads/gh-readonly-queue/release/pr-1-x/pr-7-ab12", 7),
        ("refs/heads/gh-readonly-queue/main/group-929f", None),
        ("", None),
        (None, None),
    ],
)
def test_the_pull_request_of_a_queue_branch(ref: str | None, number: int | None) -> None:
    assert parse_pull_request_number(ref) == number
