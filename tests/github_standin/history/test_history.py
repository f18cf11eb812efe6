"""Histories that were recorded elsewhere: loaded, and read by GraphQL and by REST."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from github_standin.github import StandInGitHub
from github_standin.history.timeline import to_milliseconds
from tests.support.standin import Client, app_jwt, installation_token

Json = dict[str, Any]
_names = count(1)

QUERY = """
query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    milestone(number: 1) {
      title
      issues(first: 10) { totalCount nodes { number } }
      pullRequests(first: 10) { totalCount nodes { number merged mergedAt baseRefName
        closingIssuesReferences(first: 10) { nodes { number repository { nameWithOwner } } } } }
    }
    milestones(first: 10) { totalCount }
    issues(first: 10, filterBy: {milestoneNumber: "1"}) { nodes { number closedAt
      timelineItems(first: 20, itemTypes: [LABELED_EVENT, CLOSED_EVENT, MILESTONED_EVENT, DEMILESTONED_EVENT]) {
        totalCount
        nodes { __typename ... on LabeledEvent { createdAt label { name } } ... on MilestonedEvent { createdAt } }
      } } }
  }
}
"""


def stamp(minute: int) -> str:
    return f"2026-03-02T10:{minute:02}:00Z"


class Recorded:
    """Writes deliveries as they were recorded: `issue` and `pull` tell of a number's state at a minute."""

    def __init__(self, name: str) -> None:
        owner = {"login": "elsewhere", "id": 77, "node_id": "O_77", "type": "Organization"}
        self.repository: Json = {"id": 900 + int(name[4:]), "node_id": f"R_{name}", "name": name}
        self.repository |= {"full_name": f"elsewhere/{name}", "private": False, "owner": owner}
        self.deliveries: list[Json] = []

    @property
    def full_name(self) -> str:
        return str(self.repository["full_name"])

    def milestone(self, number: int, minute: int = 0) -> Json:
        body: Json = {"id": 500 + number, "node_id": f"MI_{self.full_name}_{number}", "number": number}
        times: Json = {"created_at": stamp(0), "updated_at": stamp(minute), "closed_at": None, "due_on": None}
        return body | times | {"title": f"M{number}", "state": "open", "description": None}

    def item(self, number: int, minute: int, **fields: Any) -> Json:
        body: Json = {"id": 100 + number, "node_id": f"I_{self.full_name}_{number}", "number": number}
        body |= {"title": f"Item {number}", "body": None, "state": "open", "state_reason": None, "labels": []}
        times: Json = {"created_at": stamp(1), "updated_at": stamp(minute), "closed_at": None}
        return body | times | {"assignees": [], "milestone": None, "user": {"login": "author"}} | fields

    def add(self, event: str, action: str, **payload: Any) -> None:
        whole: Json = {"action": action, "repository": self.repository, "installation": {"id": 100}} | payload
        whole["sender"] = {"login": "maintainer", "type": "User"}
        self.deliveries.append({"event": event, "delivery": f"{len(self.deliveries)}", "payload": whole})


@pytest.fixture
def recorded(github: StandInGitHub) -> Iterator[Recorded]:
    """An issue with a life and a merged pull request that closes it."""
    record = Recorded(f"gui-{next(_names)}")
    bug = {"id": 1, "name": "bug", "color": "ededed"}
    first, second = record.milestone(1), record.milestone(2)
    record.add("milestone", "created", milestone=first)
    record.add("milestone", "created", milestone=second)
    record.add("issues", "opened", issue=record.item(1, 1, labels=[bug], milestone=second))
    record.add("issues", "labeled", issue=record.item(1, 1, labels=[bug], milestone=second), label=bug)
    record.add("issues", "demilestoned", issue=record.item(1, 2, labels=[bug]), milestone=second)
    moved = record.item(1, 2, labels=[bug], milestone=first)
    record.add("issues", "milestoned", issue=moved, milestone=first)
    pull: Json = {"merged": False, "merged_at": None, "draft": False, "base": {"ref": "develop"}}
    pull |= {"milestone": first, "body": "Fixes #1"}
    record.add("pull_request", "opened", pull_request=record.item(2, 1, **pull))
    pull |= {"merged": True, "merged_at": stamp(4), "state": "closed", "closed_at": stamp(4)}
    record.add("pull_request", "closed", pull_request=record.item(2, 4, **pull))
    closed = moved | {"state": "closed", "state_reason": "completed", "closed_at": stamp(4)}
    record.add("issues", "closed", issue=closed | {"updated_at": stamp(5)})
    github.load_history(record.deliveries)
    yield record
    github.history.forget(record.full_name)


async def test_graphql_tells_of_it(github: StandInGitHub, ask: Client, recorded: Recorded) -> None:
    token = await installation_token(github, ask)
    owner, name = recorded.full_name.split("/")
    sent = {"query": QUERY, "variables": {"owner": owner, "name": name}}
    _, answer, _ = await ask("POST", "/graphql", sent, token=token)
    assert github.violations == []
    repository = answer["data"]["repository"]
    milestone = repository["milestone"]
    assert (milestone["issues"]["totalCount"], milestone["pullRequests"]["totalCount"]) == (1, 1)
    assert milestone["pullRequests"]["nodes"] == [
        {
            "number": 2,
            "merged": True,
            "mergedAt": stamp(4),
            "baseRefName": "develop",
            "closingIssuesReferences": {
                "nodes": [{"number": 1, "repository": {"nameWithOwner": recorded.full_name}}]
            },
        }
    ]
    (issue,) = repository["issues"]["nodes"]
    assert issue["closedAt"] == stamp(4)
    assert [event["__typename"] for event in issue["timelineItems"]["nodes"]] == [
        *sorted(("LabeledEvent", "MilestonedEvent"), key=lambda kind: _place(issue, kind)),
        "DemilestonedEvent",
        "MilestonedEvent",
        "ClosedEvent",
    ]


def _place(issue: Json, kind: str) -> int:
    return [event["__typename"] for event in issue["timelineItems"]["nodes"]].index(kind)


async def test_rest_tells_the_same(github: StandInGitHub, ask: Client, recorded: Recorded) -> None:
    token = await installation_token(github, ask)
    base = f"/repos/{recorded.full_name}"

    async def get(path: str) -> Any:
        status, body, _ = await ask("GET", base + path, token=token)
        assert status == 200
        return body

    assert (await get(""))["full_name"] == recorded.full_name
    assert [entry["closed_issues"] for entry in await get("/milestones?state=all")] == [2, 0]
    result = await get("/issues?milestone=1&state=all&direction=asc")
    assert [(item["number"], "pull_request" in item) for item in result] == [(1, False), (2, True)]
    assert (await get("/milestones/1"))["title"] == "M1"
    assert [entry["name"] for entry in await get("/labels")] == ["bug"]
    timeline = await get("/issues/1/timeline")
    assert [event["event"] for event in timeline][2:] == ["demilestoned", "milestoned", "closed"]
    assert [item["milestone"]["title"] for item in timeline if "milestone" in item] == ["M2", "M2", "M1"]
    events = await get("/issues/events?per_page=100")
    assert {event["issue"]["number"] for event in events} == {1, 2}
    assert [to_milliseconds(event["created_at"]) for event in events] == sorted(
        (to_milliseconds(event["created_at"]) for event in events), reverse=True
    )
    _, installation, _ = await ask("GET", f"{base}/installation", token=app_jwt(github))
    assert (installation["id"], installation["account"]["login"]) == (100, "elsewhere")
    _, page, headers = await ask("GET", f"{base}/issues?state=all&per_page=1", token=token)
    assert (len(page), 'rel="next"' in headers["Link"]) == (1, True)
    _, all_of_them, _ = await ask("GET", "/installation/repositories?per_page=100", token=token)
    assert recorded.full_name in [repository["full_name"] for repository in all_of_them["repositories"]]


async def test_what_comes_late_or_twice_changes_nothing(github: StandInGitHub, recorded: Recorded) -> None:
    repository = github.history.repository(recorded.full_name)
    assert repository
    issue = repository.items[1]
    before = (issue.state, issue.milestone, issue.timeline)
    github.load_history(reversed(recorded.deliveries))
    assert (issue.state, issue.milestone, issue.timeline) == before


async def test_what_was_deleted_or_moved_away_is_gone(
    github: StandInGitHub, ask: Client, recorded: Recorded
) -> None:
    token = await installation_token(github, ask)
    await github.send_webhook(
        "issues",
        {"action": "deleted", "issue": recorded.item(1, 6), "repository": recorded.repository, "sender": {}},
    )
    assert (await ask("GET", f"/repos/{recorded.full_name}/issues/1", token=token))[0] == 410
    owner, name = recorded.full_name.split("/")
    sent = {"query": f'{{ repository(owner: "{owner}", name: "{name}") {{ issue(number: 1) {{ id }} }} }}'}
    _, answer, _ = await ask("POST", "/graphql", sent, token=token)
    assert answer["errors"][0]["type"] == "NOT_FOUND"


LIFE = """
query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    issue(number: 1) {
      timelineItems(last: 2, itemTypes: [ASSIGNED_EVENT, TRANSFERRED_EVENT, CONVERTED_TO_DISCUSSION_EVENT]) {
        nodes {
          __typename
          ... on AssignedEvent { actor { __typename login } assignee { ... on Bot { login } ... on User { login } } }
          ... on ConvertedToDiscussionEvent { createdAt actor { __typename login } discussion { id } }
          ... on TransferredEvent { createdAt }
        } } } } }
"""


async def told_of_life(github: StandInGitHub, ask: Client, recorded: Recorded) -> list[Json]:
    token = await installation_token(github, ask)
    owner, name = recorded.full_name.split("/")
    _, answer, _ = await ask(
        "POST", "/graphql", {"query": LIFE, "variables": {"owner": owner, "name": name}}, token=token
    )
    assert github.violations == []
    nodes: list[Json] = answer["data"]["repository"]["issue"]["timelineItems"]["nodes"]
    return nodes


async def test_a_bot_is_one_and_has_no_suffix(github: StandInGitHub, ask: Client, recorded: Recorded) -> None:
    robot = {"login": "renovate[bot]"}
    recorded.add("issues", "assigned", issue=recorded.item(1, 6, assignees=[robot]), assignee=robot)
    recorded.deliveries[-1]["payload"]["sender"] = robot | {"type": "Bot"}
    github.load_history(recorded.deliveries[-1:])
    (assigned,) = await told_of_life(github, ask, recorded)
    assert assigned["actor"] == {"__typename": "Bot", "login": "renovate"}
    assert assigned["assignee"] == {"login": "renovate"}


async def test_what_no_webhook_tells_can_be_told(
    github: StandInGitHub, ask: Client, recorded: Recorded
) -> None:
    person = {"login": "maintainer", "type": "User"}
    github.history.add_timeline_event(
        recorded.full_name, 1, "ConvertedToDiscussionEvent", stamp(9), actor=person
    )
    assert await told_of_life(github, ask, recorded) == [
        {
            "__typename": "ConvertedToDiscussionEvent",
            "createdAt": stamp(9),
            "actor": {"__typename": "User", "login": "maintainer"},
            "discussion": None,
        }
    ]
    assert github.history.queries[-1]["variables"]["name"] == recorded.full_name.partition("/")[2]
    with pytest.raises(LookupError):
        github.history.add_timeline_event("elsewhere/nothing", 1, "ConvertedToDiscussionEvent", stamp(9))


async def test_what_came_by_a_transfer_came_when_it_came(
    github: StandInGitHub, ask: Client, recorded: Recorded
) -> None:
    source = recorded.repository | {"full_name": "elsewhere/source", "id": 899, "node_id": "R_source"}
    changes = {"old_issue": recorded.item(7, 6), "old_repository": source}
    arrived = Recorded(f"gui-{next(_names)}")
    arrived.add("issues", "opened", issue=arrived.item(1, 6), changes=changes)
    github.load_history(arrived.deliveries)
    (transferred,) = await told_of_life(github, ask, arrived)
    github.history.forget(arrived.full_name)
    github.history.forget("elsewhere/source")
    assert transferred == {"__typename": "TransferredEvent", "createdAt": stamp(6)}
