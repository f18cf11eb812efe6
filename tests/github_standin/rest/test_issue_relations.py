"""Sub-issues and dependencies by REST: what is told, what is refused, and who sees it."""

from __future__ import annotations

from typing import Any

from github_standin.github import StandInGitHub
from tests.support.standin import App, WebhookRecorder

Json = dict[str, Any]


async def make_issues(github: StandInGitHub, repo: str, inbox: WebhookRecorder, count: int) -> list[Json]:
    """Issues, and the bot has heard of them."""
    issues = [await github.create_issue(repo, f"Issue {number}") for number in range(1, count + 1)]
    await github.wait_for_webhooks()
    inbox.arrived.clear()
    return issues


async def test_a_sub_issue_is_added_and_removed(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    parent, child = await make_issues(github, repo, inbox, 2)
    path = f"/repos/{repo}/issues/{parent['number']}"
    status, answer = await app("POST", f"{path}/sub_issues", {"sub_issue_id": child["id"]})
    assert (status, answer["number"]) == (201, parent["number"])
    assert answer["sub_issues_summary"] == {"total": 1, "completed": 0, "percent_completed": 0}
    status, listed = await app("GET", f"{path}/sub_issues")
    assert (status, [item["number"] for item in listed]) == (200, [child["number"]])
    assert listed[0]["parent_issue_url"] == parent["url"]
    assert listed[0]["updated_at"] > child["updated_at"]
    status, above = await app("GET", f"/repos/{repo}/issues/{child['number']}/parent")
    assert (status, above["number"]) == (200, parent["number"])
    await github.close_issue(repo, child["number"])
    await github.wait_for_webhooks()
    _, now = await app("GET", path)
    assert now["sub_issues_summary"] == {"total": 1, "completed": 1, "percent_completed": 100}
    assert (await app("DELETE", f"{path}/sub_issue", {"sub_issue_id": child["id"]}))[0] == 200
    assert (await app("DELETE", f"{path}/sub_issue", {"sub_issue_id": child["id"]}))[0] == 404
    assert await app("GET", f"{path}/sub_issues") == (200, [])
    assert (await app("GET", f"/repos/{repo}/issues/{child['number']}/parent"))[0] == 404
    await github.wait_for_webhooks()
    heard = inbox.heard("sub_issues")
    assert [entry["action"] for entry in heard] == [
        "parent_issue_added",
        "sub_issue_added",
        "parent_issue_removed",
        "sub_issue_removed",
    ]
    for data in heard:
        assert (data["sub_issue_id"], data["parent_issue_id"]) == (child["id"], parent["id"])
        assert data["sender"]["login"] == github.bot_login
        assert data["organization"]["login"] == "acme"
        assert data["sub_issue"]["updated_at"] > child["updated_at"]


async def test_a_sub_issue_has_one_parent_unless_it_is_replaced(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    first, second, child = await make_issues(github, repo, inbox, 3)
    entry, two = (f"/repos/{repo}/issues/{issue['number']}/sub_issues" for issue in (first, second))
    sent = {"sub_issue_id": child["id"]}
    assert [(await app("POST", path, sent))[0] for path in (entry, entry, two)] == [201, 422, 422]
    assert "only have one parent" in (await app("POST", two, sent))[1]["message"]
    assert (await app("POST", two, sent | {"replace_parent": True}))[0] == 201
    assert await app("GET", entry) == (200, [])
    assert [issue["number"] for issue in (await app("GET", two))[1]] == [child["number"]]
    above = f"/repos/{repo}/issues/{child['number']}/sub_issues"
    assert (await app("POST", above, {"sub_issue_id": second["id"]}))[0] == 422
    assert (await app("POST", entry, {"sub_issue_id": 999_999}))[0] == 404
    await github.wait_for_webhooks()
    moved = [(data["action"], data["parent_issue"]["number"]) for data in inbox.heard("sub_issues")[2:]]
    assert moved == [
        ("parent_issue_removed", first["number"]),
        ("sub_issue_removed", first["number"]),
        ("parent_issue_added", second["number"]),
        ("sub_issue_added", second["number"]),
    ]


async def test_relations_that_a_test_told_of_are_answered_too(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    await make_issues(github, repo, inbox, 2)
    await github.trigger("sub_issues", "added", repo, parent=1, child=2)
    await github.trigger("issue_dependencies", "added", repo, blocked=1, blocking=2)
    assert [item["number"] for item in (await app("GET", f"/repos/{repo}/issues/1/sub_issues"))[1]] == [2]
    blockers = await app("GET", f"/repos/{repo}/issues/1/dependencies/blocked_by")
    assert [item["number"] for item in blockers[1]] == [2]


async def test_a_dependency_is_added_and_removed(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    blocked, blocking = await make_issues(github, repo, inbox, 2)
    path = f"/repos/{repo}/issues/{blocked['number']}/dependencies/blocked_by"
    other = f"/repos/{repo}/issues/{blocking['number']}/dependencies"
    status, answer = await app("POST", path, {"issue_id": blocking["id"]})
    assert (status, answer["issue_dependencies_summary"]["blocked_by"]) == (201, 1)
    assert answer["updated_at"] > blocked["updated_at"]
    assert [item["number"] for item in (await app("GET", path))[1]] == [blocking["number"]]
    assert [item["number"] for item in (await app("GET", f"{other}/blocking"))[1]] == [blocked["number"]]
    assert (await app("POST", path, {"issue_id": blocking["id"]}))[0] == 422
    assert (await app("POST", f"{other}/blocked_by", {"issue_id": blocked["id"]}))[0] == 422
    assert (await app("DELETE", f"{path}/{blocking['id']}"))[0] == 200
    assert (await app("DELETE", f"{path}/{blocking['id']}"))[0] == 404
    assert await app("GET", path) == (200, [])
    await github.wait_for_webhooks()
    heard = inbox.heard("issue_dependencies")
    assert [entry["action"] for entry in heard] == [
        "blocked_by_added",
        "blocking_added",
        "blocked_by_removed",
        "blocking_removed",
    ]
    for data in heard:
        assert (data["blocked_issue_id"], data["blocking_issue_id"]) == (blocked["id"], blocking["id"])
        assert data["sender"]["login"] == github.bot_login


async def test_a_pull_request_cannot_block(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    (issue,) = await make_issues(github, repo, inbox, 1)
    pull = await github.open_pull_request(repo, "Change")
    _, as_issue = await app("GET", f"/repos/{repo}/issues/{pull['number']}")
    path = f"/repos/{repo}/issues/{issue['number']}/dependencies/blocked_by"
    status, answer = await app("POST", path, {"issue_id": as_issue["id"]})
    assert (status, answer["errors"][0]["message"]) == (422, "Target issue may only be an issue")


async def test_relations_reach_into_another_repository(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    (parent,) = await make_issues(github, repo, inbox, 1)
    other = (await github.create_repository("acme", f"{repo[5:]}-other"))["full_name"]
    child = await github.create_issue(other, "Child")
    path = f"/repos/{repo}/issues/{parent['number']}/sub_issues"
    assert (await app("POST", path, {"sub_issue_id": child["id"]}))[0] == 201
    await github.wait_for_webhooks()
    below, above = inbox.heard("sub_issues")
    assert (below["repository"]["full_name"], below["parent_issue_repo"]["full_name"]) == (other, repo)
    assert (above["repository"]["full_name"], above["sub_issue_repo"]["full_name"]) == (repo, other)
    assert (await app("GET", path))[1][0]["repository_url"].endswith(other)
