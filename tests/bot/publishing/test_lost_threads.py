"""Posts of a deleted thread move to an issue of their own, or `doctor` explains why not."""

from dataclasses import replace
from typing import Any

import pytest

from bot.cli.doctor import examine
from bot.github.client import GitHubUnavailableError
from storage.post_states import Post
from tests.support.publishing import PublishingHarness

ISSUE = {"title": "Summary: Sprint 12", "state": "closed", "state_reason": "not_planned"}


def summary(publishing: PublishingHarness) -> Post:
    return replace(publishing.comment("Words", "summary:1"), data={"otherwise": ISSUE, "state": "x"})


async def issues(publishing: PublishingHarness) -> list[dict[str, Any]]:
    result = await publishing.bot.github.call("GET", f"/repos/{publishing.bot.repo}/issues?state=all")
    return [issue for issue in result if issue["title"] == "Summary: Sprint 12"]


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
    publishing: PublishingHarness,
    method: str,
    status: int,
    message: str,
) -> None:
    elsewhere = await publishing.bot.github.create_issue(publishing.bot.repo, "Elsewhere")
    headers = {
        "Location": f"{publishing.bot.github.url}/repositories/999/issues/{elsewhere['number']}/comments"
    }
    publishing.bot.github.fail_next(
        method,
        rf"/issues/{publishing.issue}(/comments)?$",
        status,
        headers=headers,
        body={"message": message},
    )
    await publishing.set_desired(summary(publishing))
    await publishing.send()

    (issue,) = await issues(publishing)
    assert (issue["state"], issue["state_reason"]) == ("closed", "not_planned")
    assert issue["body"].startswith("Words\n\n<!--")
    assert await publishing.read_thread() == []
    assert not any("repositories/999" in request.path for request in publishing.bot.github.requests)
    await publishing.set_desired(
        replace(summary(publishing), kind=summary(publishing).kind, body="Frozen", data=ISSUE)
    )
    await publishing.send()
    (issue,) = await issues(publishing)
    assert issue["body"].startswith("Frozen\n\n<!--")


@pytest.mark.parametrize("is_locked", [True, False])
async def test_a_thread_is_locked_if_github_says_so_whatever_the_words_of_its_refusal(
    publishing: PublishingHarness,
    *,
    is_locked: bool,
) -> None:
    if is_locked:
        await publishing.bot.github.call(
            "PUT", f"/repos/{publishing.bot.repo}/issues/{publishing.issue}/lock", {}
        )
    message = "Forbidden" if is_locked else "User is blocked"
    publishing.bot.github.fail_next(
        "POST", rf"/issues/{publishing.issue}/comments$", 403, body={"message": message}
    )
    await publishing.set_desired(summary(publishing))
    await publishing.send()

    assert len(await issues(publishing)) == is_locked
    assert len([entry for entry in await examine(publishing.bot.base) if "summary:1" in entry]) == (
        not is_locked
    )


async def test_two_processes_that_died_leave_one_issue_of_a_comment_that_lost_its_thread(
    publishing: PublishingHarness,
) -> None:
    """Each dies after GitHub has taken it: first the comment, then, its thread being gone, the issue."""
    publishing.bot.github.fail_next("POST", rf"/issues/{publishing.issue}/comments$", 502, after_effect=True)
    await publishing.set_desired(summary(publishing))
    with pytest.raises(GitHubUnavailableError):
        await publishing.send()
    publishing.bot.github.fail_next("GET", rf"/issues/{publishing.issue}$", 410, times=5)
    publishing.bot.github.fail_next("POST", rf"{publishing.bot.repo}/issues$", 502, after_effect=True)
    with pytest.raises(GitHubUnavailableError):
        await publishing.send()
    for _ in range(3):
        await publishing.send()

    (issue,) = await issues(publishing)
    assert (issue["state"], issue["body"].count("Words")) == ("closed", 1)


async def test_a_comment_whose_thread_was_deleted_goes_on_in_an_issue(publishing: PublishingHarness) -> None:
    await publishing.set_desired(summary(publishing))
    await publishing.send()
    assert await publishing.read_thread() == ["Words"]
    for path in (r"/issues/comments/\d+$", rf"/issues/{publishing.issue}$"):
        publishing.bot.github.fail_next("GET", path, 404)
    await publishing.set_desired(replace(summary(publishing), body="Frozen"))
    await publishing.send()

    (issue,) = await issues(publishing)
    assert issue["body"].startswith("Frozen\n\n<!--")


async def test_what_has_no_other_place_is_named_by_doctor(publishing: PublishingHarness) -> None:
    publishing.bot.github.fail_next("GET", rf"/issues/{publishing.issue}$", 410, body={"message": "Gone"})
    await publishing.set_desired(publishing.comment("Half-way", "alert:1:half-way"))
    await publishing.send()

    assert await publishing.read_thread() == []
    (finding,) = [entry for entry in await examine(publishing.bot.base) if "alert:1" in entry]
    assert finding.endswith("alert:1:half-way: GitHub answered 410: Gone (#1 is gone)")


async def test_where_the_whole_repository_is_out_of_sight_nothing_is_taken_for_deleted(
    publishing: PublishingHarness,
) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    publishing.bot.github.fail_next("GET", f"/repos/{publishing.bot.repo}", 404, times=3)
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.send()
    publishing.bot.github.clear_faults()
    await publishing.bot.github.trigger("installation", "unsuspend")
    await publishing.bot.rest()

    assert await publishing.read_thread() == ["Two"]
