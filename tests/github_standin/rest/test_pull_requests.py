"""A pull request is an issue, and its comments are heard and answered."""

from __future__ import annotations

from typing import Any

from github_standin.github import StandInGitHub
from tests.support.standin import App, WebhookRecorder


async def test_a_pull_request_moves_into_a_milestone_and_out(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    first, second = [await github.create_milestone(repo, f"Sprint {number}") for number in (1, 2)]
    pull = await github.open_pull_request(repo, "Change", as_user="bob")
    await github.wait_for_webhooks()
    inbox.arrived.clear()
    path = f"/repos/{repo}/issues/{pull['number']}"
    status, issue = await app("GET", path)
    assert (status, issue["milestone"], issue["pull_request"]["url"]) == (200, None, pull["url"])
    for milestone in (first["number"], second["number"], second["number"], None):
        status, issue = await app("PATCH", path, {"milestone": milestone})
        assert (status, (issue["milestone"] or {}).get("number")) == (200, milestone)
        _, seen = await app("GET", f"/repos/{repo}/pulls/{pull['number']}")
        assert (seen["milestone"] or {}).get("number") == milestone
    await github.wait_for_webhooks()
    assert [(entry["action"], entry["milestone"]["title"]) for entry in inbox.heard("pull_request")] == [
        ("milestoned", "Sprint 1"),
        ("demilestoned", "Sprint 1"),
        ("milestoned", "Sprint 2"),
        ("demilestoned", "Sprint 2"),
    ]
    assert inbox.heard("issues") == []
    for data in inbox.heard("pull_request"):
        assert data["sender"]["login"] == github.bot_login
        assert data["sender"]["type"] == "Bot"
        assert data["organization"]["login"] == "acme"
        assert data["installation"]["id"] == github.installation_id
        assert data["number"] == data["pull_request"]["number"] == pull["number"]
        assert data["pull_request"]["node_id"] == pull["node_id"]
    moments = [entry["pull_request"]["updated_at"] for entry in inbox.heard("pull_request")]
    assert moments == sorted(moments)
    assert moments[0] > pull["updated_at"]
    wrong = {"value": 99, "resource": "Issue", "field": "milestone", "code": "invalid"}
    assert (await app("PATCH", path, {"milestone": 99}))[1]["errors"] == [wrong]
    assert (await app("PATCH", f"/repos/{repo}/issues/4711", {"milestone": None}))[0] == 404


async def test_the_history_follows_a_pull_requests_milestone(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    pull = await github.open_pull_request(repo, "Change")
    await app("PATCH", f"/repos/{repo}/issues/{pull['number']}", {"milestone": milestone["number"]})
    await github.call("PATCH", f"/repos/{repo}/pulls/{pull['number']}", {"title": "Changed"})
    await github.update_milestone(repo, milestone["number"], title="Sprint One")
    await github.wait_for_webhooks()
    repository = github.history.repository(repo)
    assert repository is not None
    item = repository.items[pull["number"]]
    assert (item.body["title"], item.milestone and item.milestone.body["title"]) == ("Changed", "Sprint One")
    _, issue = await app("GET", f"/repos/{repo}/issues/{pull['number']}")
    assert issue["milestone"]["title"] == "Sprint One"
    await github.call("DELETE", f"/repos/{repo}/milestones/{milestone['number']}")
    assert (await app("GET", f"/repos/{repo}/issues/{pull['number']}"))[1]["milestone"] is None


async def test_the_list_of_issues_has_pull_requests(github: StandInGitHub, app: App, repo: str) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    for number in range(1, 4):
        await github.create_issue(repo, f"Issue {number}", milestone=milestone["number"])
    pull = await github.open_pull_request(repo, "Change")
    path = f"/repos/{repo}/issues"
    await app("PATCH", f"{path}/{pull['number']}", {"milestone": milestone["number"]})
    await github.open_pull_request(repo, "Another", head="other")
    _, everything = await app("GET", path)
    assert [(item["number"], "pull_request" in item) for item in everything] == [
        (5, True),
        (4, True),
        (3, False),
        (2, False),
        (1, False),
    ]
    _, held = await app("GET", f"{path}?milestone={milestone['number']}&per_page=3&direction=asc&page=2")
    assert [item["number"] for item in held] == [4]
    assert [item["number"] for item in (await app("GET", f"{path}?milestone=none"))[1]] == [5]
    assert await app("GET", f"{path}?state=closed") == (200, [])


async def test_labels_assignees_and_state_of_a_pull_request(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    pull = await github.open_pull_request(repo, "Change")
    path = f"/repos/{repo}/issues/{pull['number']}"
    await github.wait_for_webhooks()
    inbox.arrived.clear()
    assert (await app("POST", f"{path}/labels", {"labels": ["bug"]}))[0] == 200
    assert (await app("POST", f"{path}/assignees", {"assignees": ["bob", "nobody"]}))[0] == 201
    status, issue = await app("PATCH", path, {"labels": ["points: 2"], "assignees": ["carol"]})
    assert (status, [label["name"] for label in issue["labels"]]) == (200, ["points: 2"])
    assert [person["login"] for person in issue["assignees"]] == ["carol"]
    status, issue = await app("DELETE", f"{path}/assignees", {"assignees": ["carol"]})
    assert (status, issue["assignees"]) == (200, [])
    assert (await app("PATCH", path, {"state": "closed"}))[1]["state"] == "closed"
    await github.wait_for_webhooks()
    heard = sorted(about(entry) for entry in inbox.heard("pull_request"))
    assert heard == [
        ("assigned", "bob"),
        ("assigned", "carol"),
        ("closed", ""),
        ("labeled", "bug"),
        ("labeled", "points: 2"),
        ("unassigned", "bob"),
        ("unassigned", "carol"),
        ("unlabeled", "bug"),
    ]
    assert inbox.heard("issues") == []
    assert all("id" in button["label"] for button in inbox.heard("pull_request") if "label" in button)


def about(payload: dict[str, Any]) -> tuple[str, str]:
    what = payload.get("label") or payload.get("assignee") or {}
    return payload["action"], what.get("name") or what.get("login") or ""


async def test_reactions_on_issues_pull_requests_and_review_comments(
    github: StandInGitHub, app: App, repo: str
) -> None:
    issue = await github.create_issue(repo, "Issue")
    pull = await github.open_pull_request(repo, "Change")
    comment = await github.review_comment(repo, pull["number"], "/sprint status", "bob")
    for path in (f"issues/{issue['number']}", f"issues/{pull['number']}", f"pulls/comments/{comment['id']}"):
        first, _ = await app("POST", f"/repos/{repo}/{path}/reactions", {"content": "eyes"})
        second, again = await app("POST", f"/repos/{repo}/{path}/reactions", {"content": "eyes"})
        assert (first, second) == (201, 200)
        assert [reaction["content"] for reaction in github.reactions_to(repo, path)] == ["eyes"]
        assert (await app("GET", f"/repos/{repo}/{path}"))[1]["reactions"]["eyes"] == 1
        assert (await app("DELETE", f"/repos/{repo}/{path}/reactions/{again['id']}"))[0] == 204
        assert github.reactions_to(repo, path) == []
    assert (await app("POST", f"/repos/{repo}/issues/4711/reactions", {"content": "eyes"}))[0] == 404


async def test_review_comments_are_heard(github: StandInGitHub, repo: str, inbox: WebhookRecorder) -> None:
    pull = await github.open_pull_request(repo, "Change", body="/sprint add", as_user="bob")
    comment = await github.review_comment(repo, pull["number"], "first", "bob")
    await github.edit_review_comment(repo, comment["id"], "second", "carol")
    await github.wait_for_webhooks()
    assert inbox.heard("pull_request")[0]["pull_request"]["body"] == "/sprint add"
    made, edited = inbox.heard("pull_request_review_comment")
    assert (made["action"], made["comment"]["body"], made["sender"]["login"]) == ("created", "first", "bob")
    assert made["pull_request"]["number"] == pull["number"]
    assert (edited["action"], edited["changes"]) == ("edited", {"body": {"from": "first"}})
    assert (edited["comment"]["user"]["login"], edited["sender"]["login"]) == ("bob", "carol")
    assert [
        review_comment["body"] for review_comment in await github.review_comments(repo, pull["number"])
    ] == ["second"]


async def test_a_box_in_the_bots_comment_is_ticked_by_a_person(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    issue = await github.create_issue(repo, "Issue")
    path = f"/repos/{repo}/issues/{issue['number']}/comments"
    _, comment = await app("POST", path, {"body": "- [ ] Do it"})
    await github.edit_comment(repo, comment["id"], "- [x] Do it", "carol")
    await github.wait_for_webhooks()
    (data,) = [entry for entry in inbox.heard("issue_comment") if entry["action"] == "edited"]
    assert data["changes"] == {"body": {"from": "- [ ] Do it"}}
    assert (data["comment"]["body"], data["sender"]["login"]) == ("- [x] Do it", "carol")
    assert (data["comment"]["user"]["login"], data["comment"]["user"]["type"]) == (github.bot_login, "Bot")
