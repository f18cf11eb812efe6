"""GraphQL as GitHub answers it: paging, timelines, errors, limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from github_standin.github import StandInGitHub
from tests.support.standin import Client, WebhookRecorder, app_jwt, installation_token

Json = dict[str, Any]
Query = Callable[..., Awaitable[Json]]

TIMELINE = """
query ($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      __typename
      ... on Issue {
        title state stateReason createdAt
        author { login }
        labels(first: 10, orderBy: {field: NAME, direction: ASC}) { nodes { name } }
        milestone { id number title }
        timelineItems(first: 100, after: $after) {
          totalCount
          pageInfo { hasNextPage endCursor }
          nodes {
            __typename
            ... on Node { id }
            ... on LabeledEvent { createdAt actor { login } label { name } }
            ... on UnlabeledEvent { createdAt label { name } }
            ... on MilestonedEvent { createdAt milestoneTitle }
            ... on DemilestonedEvent { createdAt milestoneTitle }
            ... on AssignedEvent { assignee { ... on User { login } } }
            ... on ClosedEvent { createdAt stateReason closer { __typename } }
            ... on ReopenedEvent { createdAt }
            ... on RenamedTitleEvent { previousTitle currentTitle }
          }
        }
      }
    }
  }
}
"""
ISSUES = """
query ($owner: String!, $name: String!, $first: Int, $after: String, $since: DateTime) {
  rateLimit { cost remaining limit resetAt }
  repository(owner: $owner, name: $name) {
    issues(first: $first, after: $after, filterBy: {since: $since}, orderBy: {field: UPDATED_AT, direction: ASC}) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { number updatedAt }
    }
  }
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def query(github: StandInGitHub, ask: Client, repo: str) -> Query:
    """The App asks about the test's own repository."""
    token = await installation_token(github, ask)
    owner, name = repo.split("/")

    async def query(text: str, **variables: Any) -> Json:
        sent = {"query": text, "variables": {"owner": owner, "name": name, **variables}}
        status, body, _ = await ask("POST", "/graphql", sent, token=token)
        assert status == 200
        answer: Json = body
        return answer

    return query


async def timeline(query: Query, number: int) -> list[tuple[str, str]]:
    """Kind and subject of each event."""
    answer = await query(TIMELINE, number=number)
    assert "errors" not in answer
    events = answer["data"]["repository"]["issueOrPullRequest"]["timelineItems"]
    assert events["totalCount"] == len(events["nodes"])
    assert len({event["id"] for event in events["nodes"]}) == len(events["nodes"])
    return [
        (
            event["__typename"],
            event.get("milestoneTitle")
            or (event.get("label") or event.get("assignee") or {}).get("name")
            or (event.get("assignee") or {}).get("login")
            or event.get("stateReason")
            or event.get("currentTitle")
            or "",
        )
        for event in events["nodes"]
    ]


async def test_what_people_did_without_a_webhook_is_in_the_timeline(
    github: StandInGitHub, repo: str, query: Query
) -> None:
    first = await github.create_milestone(repo, "Sprint 1", due_on="2026-03-13T07:00:00Z")
    second = await github.create_milestone(repo, "Sprint 2")
    issue = await github.create_issue(
        repo, "Pay", labels=["bug"], milestone=first["number"], assignees=["bob"], as_user="bob"
    )
    number = issue["number"]
    await github.update_issue(repo, number, labels=["points: 3"])
    await github.update_issue(repo, number, milestone=second["number"])
    await github.update_issue(repo, number, title="Pay by card")
    await github.close_issue(repo, number, "not_planned")
    await github.reopen_issue(repo, number)
    await github.update_issue(repo, number, milestone=None)
    assert sorted((await timeline(query, number))[:3]) == [
        ("AssignedEvent", "bob"),
        ("LabeledEvent", "bug"),
        ("MilestonedEvent", "Sprint 1"),
    ]
    assert (await timeline(query, number))[3:] == [
        ("UnlabeledEvent", "bug"),
        ("LabeledEvent", "points: 3"),
        ("DemilestonedEvent", "Sprint 1"),
        ("MilestonedEvent", "Sprint 2"),
        ("RenamedTitleEvent", "Pay by card"),
        ("ClosedEvent", "NOT_PLANNED"),
        ("ReopenedEvent", ""),
        ("DemilestonedEvent", "Sprint 2"),
    ]
    now = (await query(TIMELINE, number=number))["data"]["repository"]["issueOrPullRequest"]
    assert (now["title"], now["state"], now["milestone"]) == ("Pay by card", "OPEN", None)
    assert now["author"]["login"] == "bob"
    assert [label["name"] for label in now["labels"]["nodes"]] == ["points: 3"]


async def test_a_label_put_on_and_off_within_a_second_is_reported_each_time(
    github: StandInGitHub, repo: str, query: Query
) -> None:
    issue = await github.create_issue(repo, "Pay")
    for labels in (["bug"], [], ["bug"]):
        await github.update_issue(repo, issue["number"], labels=labels)
    assert [kind for kind, _ in await timeline(query, issue["number"])] == [
        "LabeledEvent",
        "UnlabeledEvent",
        "LabeledEvent",
    ]


async def test_pages_hold_their_place_while_things_move(
    github: StandInGitHub, repo: str, query: Query
) -> None:
    for number in range(5):
        await github.create_issue(repo, f"Issue {number}")
    page = (await query(ISSUES, first=2))["data"]["repository"]["issues"]
    assert (page["totalCount"], [node["number"] for node in page["nodes"]]) == (5, [1, 2])
    await github.update_issue(repo, 1, title="Moved to the end")
    seen = []
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await query(ISSUES, first=2, after=after))["data"]["repository"]["issues"]
        seen += [node["number"] for node in page["nodes"]]
    assert seen == [3, 4, 5, 1]
    last = page["nodes"][-1]["updatedAt"]
    page = (await query(ISSUES, first=2, since=last))["data"]["repository"]["issues"]
    assert [node["number"] for node in page["nodes"]] == [1]


async def test_a_wrong_query_is_answered_and_noted(github: StandInGitHub, query: Query) -> None:
    answer = await query("query { repository(owner: $owner, name: $name) { isues { totalCount } } }")
    assert "data" not in answer
    assert "isues" in str(answer["errors"])
    assert any("isues" in str(violation) for violation in github.violations)


@pytest.mark.parametrize(
    ("variables", "kind"),
    [({"first": 101}, "EXCESSIVE_PAGINATION"), ({}, "MISSING_PAGINATION_BOUNDARIES")],
)
async def test_pages_too_large_and_endless_are_refused(
    github: StandInGitHub, query: Query, variables: Json, kind: str
) -> None:
    answer = await query(ISSUES, **variables)
    assert [error["type"] for error in answer["errors"]] == [kind]
    assert len(github.violations) == 1


async def test_what_is_not_there_is_no_violation(github: StandInGitHub, query: Query) -> None:
    answer = await query(ISSUES, name="nothing", first=1)
    assert answer["data"]["repository"] is None
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    answer = await query('{ node(id: "I_unknown") { id } }')
    assert answer["errors"][0]["type"] == "NOT_FOUND"
    assert github.violations == []


async def test_only_those_who_are_known_may_ask(github: StandInGitHub, ask: Client, repo: str) -> None:
    sent = {"query": "{ viewer { login } }"}
    statuses = [
        (await ask("POST", "/graphql", sent, token=token))[0]
        for token in ("ghs_made-up", "", app_jwt(github), github.tokens["bob"])
    ]
    assert statuses == [401, 401, 401, 200]
    private = (await github.create_repository("acme", f"{repo[5:]}-private", private=True))["full_name"]
    sent = {"query": f'{{ repository(owner: "acme", name: "{private[5:]}") {{ isPrivate }} }}'}
    _, seen, _ = await ask("POST", "/graphql", sent, token=github.tokens["bob"])
    _, hidden, _ = await ask("POST", "/graphql", sent, token=github.tokens["mallory"])
    assert (seen["data"]["repository"], hidden["data"]["repository"]) == ({"isPrivate": True}, None)


async def test_points_run_out(github: StandInGitHub, query: Query) -> None:
    github.graphql_remaining = 2
    limit = (await query(ISSUES, first=1))["data"]["rateLimit"]
    assert (limit["cost"], limit["remaining"], limit["limit"]) == (1, 1, 5000)
    await query(ISSUES, first=1)
    assert (await query(ISSUES, first=1))["errors"][0]["type"] == "RATE_LIMITED"
    assert github.violations == []


async def test_a_pull_request_is_labeled_reviewed_and_merged(
    github: StandInGitHub, repo: str, query: Query
) -> None:
    await github.create_issue(repo, "Pay")
    await github.call("PUT", f"/repos/{repo}/contents/a.txt", {"message": "a", "content": "YQ=="})
    (main,) = await github.call("GET", f"/repos/{repo}/branches")
    branch = {"ref": "refs/heads/pay", "sha": main["commit"]["sha"]}
    await github.call("POST", f"/repos/{repo}/git/refs", branch)
    change = {"message": "b", "content": "Yg==", "branch": "pay"}
    await github.call("PUT", f"/repos/{repo}/contents/b.txt", change)
    sent = {"title": "Pay", "head": "pay", "base": main["name"], "body": "Closes #1"}
    number = (await github.call("POST", f"/repos/{repo}/pulls", sent))["number"]
    await github.call("POST", f"/repos/{repo}/issues/{number}/labels", {"labels": ["ready"]})
    (review,) = await github.trigger("pull_request_review", "submitted", repo, number=number)
    assert review.payload["review"]["state"] == "approved"
    await github.call("PUT", f"/repos/{repo}/pulls/{number}/merge", {})
    answer = await query(
        """query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
          issues(first: 5) { totalCount nodes { closedByPullRequestsReferences(first: 5) { totalCount } } }
          pullRequests(first: 5, states: [MERGED]) { nodes {
            number state merged mergedAt baseRefName isDraft labels(first: 5) { nodes { name } }
            timelineItems(first: 9) { nodes { __typename ... on MergedEvent { mergeRefName createdAt } } }
            closingIssuesReferences(first: 5) { nodes { number } } } } } }"""
    )
    (pull,) = answer["data"]["repository"]["pullRequests"]["nodes"]
    kinds = [event["__typename"] for event in pull["timelineItems"]["nodes"]]
    assert kinds == ["LabeledEvent", "MergedEvent", "ClosedEvent"]
    assert pull["timelineItems"]["nodes"][1]["createdAt"] == pull["mergedAt"]
    assert (pull["state"], pull["baseRefName"]) == ("MERGED", main["name"])
    assert pull["labels"]["nodes"] == [{"name": "ready"}]
    assert pull["closingIssuesReferences"]["nodes"] == [{"number": 1}]
    assert answer["data"]["repository"]["issues"]["totalCount"] == 1


async def test_nodes_are_found_by_their_id(github: StandInGitHub, repo: str, query: Query) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    issue = await github.create_issue(repo, "Pay", milestone=milestone["number"])
    text = """query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id
      ... on Issue { number databaseId } ... on Milestone { title issues(first: 5) { totalCount } } } }"""
    answer = await query(text, ids=[issue["node_id"], milestone["node_id"], "I_unknown"])
    first, second, third = answer["data"]["nodes"]
    assert (first["__typename"], first["number"], first["databaseId"]) == ("Issue", 1, issue["id"])
    assert (second["title"], second["issues"]["totalCount"], third) == ("Sprint 1", 1, None)
    assert [error["type"] for error in answer["errors"]] == ["NOT_FOUND"]


async def test_an_edit_tells_what_it_was_before(
    github: StandInGitHub, repo: str, inbox: WebhookRecorder
) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1", due_on="2026-03-13T07:00:00Z")
    await github.create_issue(repo, "Pay")
    await github.update_issue(repo, 1, title="Pay by card")
    await github.update_milestone(repo, milestone["number"], title="Sprint One", description="Pay")
    await github.wait_for_webhooks()
    edited = [delivery for delivery in github.deliveries if delivery.action == "edited"]
    assert {entry.event: entry.payload["changes"] for entry in edited} == {
        "issues": {"title": {"from": "Pay"}},
        "milestone": {"title": {"from": "Sprint 1"}, "description": {"from": None}},
    }
