"""A thread that is gone: what belongs into it gets an issue of its own, or `doctor` says why not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.cli.doctor import examine
from bot.github.client import GitHubUnavailableError
from storage.posts import Post
from tests.bot.publishing.test_posts import Desk, desk  # noqa: F401 - a fixture

ISSUE = {"title": "Summary: Sprint 12", "state": "closed", "state_reason": "not_planned"}


def summary(desk: Desk) -> Post:  # noqa: F811
    return replace(desk.comment("Words", "summary:1"), data={"otherwise": ISSUE, "state": "x"})


async def issues(desk: Desk) -> list[dict[str, Any]]:  # noqa: F811
    found = await desk.bot.github.call("GET", f"/repos/{desk.bot.repo}/issues?state=all")
    return [issue for issue in found if issue["title"] == "Summary: Sprint 12"]


@pytest.mark.parametrize(
    ("method", "status", "message"),
    [
        ("GET", 404, "Not Found"),
        ("GET", 410, "This issue was deleted"),
        ("GET", 301, "Moved Permanently"),
        ("POST", 404, "Not Found"),
        ("POST", 410, "Gone"),
        ("POST", 301, "Moved Permanently"),
        ("POST", 307, "Temporary Redirect"),
    ],
)
async def test_the_summary_gets_an_issue_of_its_own(
    desk: Desk,  # noqa: F811
    method: str,
    status: int,
    message: str,
) -> None:
    elsewhere = await desk.bot.github.create_issue(desk.bot.repo, "Elsewhere")
    headers = {"Location": f"{desk.bot.github.url}/repositories/999/issues/{elsewhere['number']}/comments"}
    desk.bot.github.fail_next(
        method, rf"/issues/{desk.issue}(/comments)?$", status, headers=headers, body={"message": message}
    )
    await desk.set_desired(summary(desk))
    await desk.send()

    (issue,) = await issues(desk)
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert issue["body"].startswith("Words\n\n<!--")
    assert await desk.said() == []
    assert not any("repositories/999" in request.path for request in desk.bot.github.requests)
    await desk.set_desired(replace(summary(desk), kind=summary(desk).kind, body="Frozen", data=ISSUE))
    await desk.send()
    (issue,) = await issues(desk)
    assert issue["body"].startswith("Frozen\n\n<!--")


@pytest.mark.parametrize("is_locked", [True, False])
async def test_a_thread_is_locked_if_github_says_so_whatever_the_words_of_its_refusal(
    desk: Desk,  # noqa: F811
    *,
    is_locked: bool,
) -> None:
    if is_locked:
        await desk.bot.github.call("PUT", f"/repos/{desk.bot.repo}/issues/{desk.issue}/lock", {})
    message = "Forbidden" if is_locked else "User is blocked"
    desk.bot.github.fail_next("POST", rf"/issues/{desk.issue}/comments$", 403, body={"message": message})
    await desk.set_desired(summary(desk))
    await desk.send()

    assert len(await issues(desk)) == is_locked
    assert len([one for one in await examine(desk.bot.base) if "summary:1" in one]) == (not is_locked)


async def test_two_processes_that_died_leave_one_issue_of_a_comment_that_lost_its_thread(desk: Desk) -> None:  # noqa: F811
    """Each dies after GitHub has taken it: first the comment, then, its thread being gone, the issue."""
    desk.bot.github.fail_next("POST", rf"/issues/{desk.issue}/comments$", 502, after_effect=True)
    await desk.set_desired(summary(desk))
    with pytest.raises(GitHubUnavailableError):
        await desk.send()
    desk.bot.github.fail_next("GET", rf"/issues/{desk.issue}$", 410, times=5)
    desk.bot.github.fail_next("POST", rf"{desk.bot.repo}/issues$", 502, after_effect=True)
    with pytest.raises(GitHubUnavailableError):
        await desk.send()
    for _ in range(3):
        await desk.send()

    (issue,) = await issues(desk)
    assert (issue["state"], issue["body"].count("Words")) == ("closed", 1)


async def test_a_comment_whose_thread_was_deleted_goes_on_in_an_issue(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(summary(desk))
    await desk.send()
    assert await desk.said() == ["Words"]
    for path in (r"/issues/comments/\d+$", rf"/issues/{desk.issue}$"):
        desk.bot.github.fail_next("GET", path, 404)
    await desk.set_desired(replace(summary(desk), body="Frozen"))
    await desk.send()

    (issue,) = await issues(desk)
    assert issue["body"].startswith("Frozen\n\n<!--")


async def test_what_has_no_other_place_is_named_by_doctor(desk: Desk) -> None:  # noqa: F811
    desk.bot.github.fail_next("GET", rf"/issues/{desk.issue}$", 410, body={"message": "Gone"})
    await desk.set_desired(desk.comment("Half-way", "alert:1:half-way"))
    await desk.send()

    assert await desk.said() == []
    (finding,) = [one for one in await examine(desk.bot.base) if "alert:1" in one]
    assert finding.endswith("alert:1:half-way: GitHub answered 410: Gone (#1 is gone)")


async def test_where_the_whole_repository_is_out_of_sight_nothing_is_taken_for_deleted(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    desk.bot.github.fail_next("GET", f"/repos/{desk.bot.repo}", 404, times=3)
    await desk.set_desired(desk.comment("Two"))
    await desk.send()
    desk.bot.github.clear_faults()
    await desk.bot.github.trigger("installation", "unsuspend")
    await desk.bot.rest()

    assert await desk.said() == ["Two"]
