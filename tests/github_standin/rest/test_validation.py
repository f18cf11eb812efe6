"""Milestones, labels, teams and check runs: what GitHub refuses, stores and tells of."""

from __future__ import annotations

import pytest

from github_standin.github import StandInGitHub
from github_standin.rest.validation import floor_due_on
from tests.support.standin import App, WebhookRecorder


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2020-09-24T06:59:00Z", "2020-09-23T07:00:00Z"),
        ("2020-09-24T07:01:00Z", "2020-09-24T07:00:00Z"),
        ("2022-11-14T07:00:00Z", "2022-11-13T08:00:00Z"),
        ("2026-12-24T23:59:59Z", "2026-12-24T08:00:00Z"),
        ("2026-06-01T12:00:00+02:00", "2026-06-01T07:00:00Z"),
    ],
)
def test_of_a_due_date_californias_day_counts(sent: str, stored: str) -> None:
    assert floor_due_on(sent) == stored


async def test_a_milestone_is_made_edited_closed_and_deleted(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    path = f"/repos/{repo}/milestones"
    sent = {"title": "Sprint 1", "due_on": "2026-12-24T12:00:00Z"}
    status, made = await app("POST", path, sent)
    assert (status, made["due_on"]) == (201, "2026-12-24T08:00:00Z")
    assert made["creator"]["login"] == github.bot_login
    entry = f"{path}/{made['number']}"
    changed = {"title": "Sprint One", "description": "Ship it", "due_on": "2026-12-31T20:00:00Z"}
    assert (await app("PATCH", entry, changed))[0] == 200
    await github.wait_for_webhooks()
    await app("PATCH", entry, {"title": "Sprint One"})
    for state in ("closed", "open"):
        await app("PATCH", entry, {"state": state})
        await github.wait_for_webhooks()
    assert (await app("DELETE", entry))[0] == 204
    assert (await app("GET", entry))[0] == 404
    await github.wait_for_webhooks()
    heard = inbox.heard("milestone")
    assert [entry["action"] for entry in heard] == ["created", "edited", "closed", "opened", "deleted"]
    assert heard[1]["changes"] == {
        "title": {"from": "Sprint 1"},
        "description": {"from": None},
        "due_on": {"from": "2026-12-24T08:00:00Z"},
    }
    assert {entry["sender"]["login"] for entry in heard} == {github.bot_login}
    assert {entry["organization"]["login"] for entry in heard} == {"acme"}
    moments = [item["milestone"]["updated_at"] for item in heard]
    assert moments == sorted(moments)
    assert heard[0]["milestone"]["node_id"] == made["node_id"]


async def test_a_title_is_taken_once_also_by_a_closed_milestone(
    github: StandInGitHub, app: App, repo: str
) -> None:
    await github.create_milestone(repo, "Sprint 1", state="closed")
    other = await github.create_milestone(repo, "Sprint 2")
    path = f"/repos/{repo}/milestones"
    for method, where in (("POST", path), ("PATCH", f"{path}/{other['number']}")):
        status, answer = await app(method, where, {"title": "Sprint 1"})
        assert (status, answer["message"]) == (422, "Validation Failed")
        assert answer["errors"] == [{"resource": "Milestone", "code": "already_exists", "field": "title"}]
    assert (await app("PATCH", f"{path}/{other['number']}", {"title": "Sprint 2"}))[0] == 200


async def test_a_milestone_that_is_not_there_is_named(github: StandInGitHub, app: App, repo: str) -> None:
    issue = await github.create_issue(repo, "Issue")
    status, answer = await app("PATCH", f"/repos/{repo}/issues/{issue['number']}", {"milestone": 99})
    wrong = {"value": 99, "resource": "Issue", "field": "milestone", "code": "invalid"}
    assert (status, answer["errors"]) == (422, [wrong])


async def test_an_issue_moves_between_milestones(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    first, second = [await github.create_milestone(repo, f"Sprint {number}") for number in (1, 2)]
    issue = await github.create_issue(repo, "Issue", milestone=first["number"])
    await github.wait_for_webhooks()
    inbox.arrived.clear()
    path = f"/repos/{repo}/issues/{issue['number']}"
    status, moved = await app("PATCH", path, {"milestone": second["number"]})
    assert (status, moved["milestone"]["title"]) == (200, "Sprint 2")
    await github.wait_for_webhooks()
    heard = {entry["action"]: entry["milestone"]["number"] for entry in inbox.heard("issues")}
    assert heard == {"demilestoned": first["number"], "milestoned": second["number"]}
    assert moved["updated_at"] > issue["updated_at"]


async def test_labels_are_made_put_on_and_taken_off(
    github: StandInGitHub, app: App, repo: str, inbox: WebhookRecorder
) -> None:
    assert (await app("POST", f"/repos/{repo}/labels", {"name": "points: 3", "color": "ededed"}))[0] == 201
    status, answer = await app("POST", f"/repos/{repo}/labels", {"name": "Points: 3", "color": "ededed"})
    assert status == 422
    assert answer["errors"] == [{"resource": "Label", "code": "already_exists", "field": "name"}]
    issue = await github.create_issue(repo, "Issue")
    path = f"/repos/{repo}/issues/{issue['number']}/labels"
    status, now = await app("POST", path, {"labels": ["points: 3"]})
    assert (status, [label["name"] for label in now]) == (200, ["points: 3"])
    assert (await app("DELETE", f"{path}/points%3A%203")) == (200, [])
    assert (await app("DELETE", f"{path}/points%3A%203"))[0] == 404
    await github.wait_for_webhooks()
    data = [(entry["action"], entry["label"]["name"]) for entry in inbox.heard("issues") if "label" in entry]
    assert sorted(data) == [("labeled", "points: 3"), ("unlabeled", "points: 3")]
    assert all(button["label"]["id"] == now[0]["id"] for button in inbox.heard("issues") if "label" in button)


async def test_a_team_tells_of_its_members(github: StandInGitHub, app: App) -> None:
    github.teams["leads"] = {"bob"}
    path = "/orgs/acme/teams/leads/memberships"
    status, answer = await app("GET", f"{path}/bob")
    assert (status, answer["state"], answer["role"]) == (200, "active", "member")
    assert (await app("GET", f"{path}/carol"))[0] == 404
    assert (await app("GET", "/orgs/acme/teams/others/memberships/bob"))[0] == 404
    github.teams.clear()


async def test_check_runs_are_found_by_their_commit(github: StandInGitHub, app: App, repo: str) -> None:
    sha = (await github.put_file(repo, "README.md", "# Shop\n"))["commit"]["sha"]
    output = {"title": "Scope", "summary": "Checking"}
    sent = {"name": "Sprint", "head_sha": sha, "status": "in_progress", "output": output}
    status, run = await app("POST", f"/repos/{repo}/check-runs", sent)
    assert status == 201
    done = {"status": "completed", "conclusion": "neutral", "output": output | {"summary": "Fits"}}
    assert (await app("PATCH", f"/repos/{repo}/check-runs/{run['id']}", done))[0] == 200
    (seen,) = await github.check_runs(repo, sha)
    assert (seen["name"], seen["conclusion"], seen["output"]["summary"]) == ("Sprint", "neutral", "Fits")
