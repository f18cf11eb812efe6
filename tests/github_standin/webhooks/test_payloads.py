"""Webhooks that emulate never makes: as full as GitHub describes them, and the history follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from github_standin.emulate import NODE_MODULES
from github_standin.github import StandInGitHub
from tests.support.standin import Client, WebhookRecorder, installation_token

Json = dict[str, Any]

FAMILY = """
query ($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) {
    parent: issue(number: 1) {
      subIssues(first: 10) { totalCount nodes { number parent { number } } }
      timelineItems(first: 10) { nodes { __typename ... on SubIssueAddedEvent { subIssue { number } } } }
    }
    child: issue(number: 2) {
      parent { number }
      timelineItems(first: 10) { nodes { __typename ... on ParentIssueRemovedEvent { parent { number } } } }
    }
  }
}
"""


@pytest.fixture(scope="module")
def described() -> Json:
    """GitHub's description of its webhooks."""
    path = NODE_MODULES / "@octokit/openapi/generated/api.github.com.json"
    whole: Json = json.loads(path.read_text(encoding="utf-8"))
    return whole


def schema_of(described: Json, event: str, action: str) -> Json:
    name = "-".join(part for part in (event, action) if part).replace("_", "-")
    content = described["x-webhooks"][name]["post"]["requestBody"]["content"]
    schema: Json = content["application/json"]["schema"]
    while "$ref" in schema:
        result: Any = described
        for part in schema["$ref"].removeprefix("#/").split("/"):
            result = result[part]
        schema = result
    return schema


async def read(github: StandInGitHub, ask: Client, repo: str, query: str) -> Json:
    owner, name = repo.split("/")
    sent = {"query": query, "variables": {"owner": owner, "name": name}}
    _, answer, _ = await ask("POST", "/graphql", sent, token=await installation_token(github, ask))
    assert "errors" not in answer
    repository: Json = answer["data"]["repository"]
    return repository


@pytest.mark.parametrize(
    ("event", "action", "details"),
    [
        ("installation", "created", {}),
        ("installation", "deleted", {}),
        ("installation", "suspend", {}),
        ("installation", "unsuspend", {}),
        ("installation", "new_permissions_accepted", {"permissions": {"checks": "write"}}),
        ("installation_repositories", "removed", {}),
        ("installation_repositories", "added", {}),
        ("repository", "archived", {}),
        ("repository", "transferred", {"owner": "bob"}),
        ("repository", "deleted", {}),
        ("issues", "typed", {"number": 1, "type": "Bug"}),
        ("issues", "deleted", {"number": 1}),
        ("sub_issues", "added", {"parent": 1, "child": 2}),
        ("issue_dependencies", "removed", {"blocked": 1, "blocking": 2}),
        ("label", "edited", {"name": "bug", "new_name": "error"}),
        ("label", "deleted", {"name": "bug"}),
        ("push", "", {"messages": ["One", "Two"]}),
        ("release", "published", {"tag": "v2"}),
        ("deployment_status", "created", {}),
    ],
)
async def test_payloads_have_what_github_describes(
    github: StandInGitHub,
    repo: str,
    inbox: WebhookRecorder,
    described: Json,
    *,
    event: str,
    action: str,
    details: Json,
) -> None:
    for title in ("One", "Two"):
        await github.create_issue(repo, title, labels=["bug"])
    await github.wait_for_webhooks()
    data = await github.trigger(event, action, repo, **details)
    assert [delivery.status for delivery in data] == [202] * len(data)
    for delivery in data:
        schema = schema_of(described, event, delivery.action or "")
        assert set(schema["required"]) - {"organization"} <= delivery.payload.keys()
        assert delivery.payload.keys() <= schema["properties"].keys()
    assert len(github.deliveries) == len(inbox.arrived)
    assert [delivery.id for delivery in github.deliveries[-len(data) :]] == [entry.id for entry in data]


async def test_sub_issues_have_a_parent(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    for title in ("Parent", "Child"):
        await github.create_issue(repo, title)
    data = await github.trigger("sub_issues", "added", repo, parent=1, child=2)
    assert [entry.action for entry in data] == ["parent_issue_added", "sub_issue_added"]
    family = await read(github, ask, repo, FAMILY)
    assert family["parent"]["subIssues"] == {
        "totalCount": 1,
        "nodes": [{"number": 2, "parent": {"number": 1}}],
    }
    (event,) = family["parent"]["timelineItems"]["nodes"]
    assert event == {"__typename": "SubIssueAddedEvent", "subIssue": {"number": 2}}
    async with github.muted():
        assert await github.trigger("sub_issues", "removed", repo, parent=1, child=2) == []
    family = await read(github, ask, repo, FAMILY)
    assert (family["parent"]["subIssues"]["totalCount"], family["child"]["parent"]) == (0, None)
    assert family["child"]["timelineItems"]["nodes"][-1]["parent"] == {"number": 1}


async def test_a_transferred_issue_takes_its_timeline_along(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    target = (await github.create_repository("acme", f"{repo[5:]}-target"))["full_name"]
    await github.create_issue(repo, "Traveller", labels=["bug"])
    await github.trigger("issues", "transferred", repo, number=1, to=target)
    query = """query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
      issues(first: 5) { nodes { title timelineItems(first: 5) { nodes { __typename
        ... on TransferredEvent { fromRepository { nameWithOwner } } } } } } } }"""
    assert (await read(github, ask, repo, query))["issues"]["nodes"] == []
    (arrived,) = (await read(github, ask, target, query))["issues"]["nodes"]
    assert arrived["title"] == "Traveller"
    assert [event["__typename"] for event in arrived["timelineItems"]["nodes"]] == [
        "LabeledEvent",
        "TransferredEvent",
    ]
    assert arrived["timelineItems"]["nodes"][1]["fromRepository"]["nameWithOwner"] == repo
    token = await installation_token(github, ask)
    _, listed, _ = await ask("GET", f"/repos/{repo}/issues", token=token)
    assert listed == []


async def test_a_renamed_repository_is_found_by_both_names(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    new = f"{repo[5:]}-renamed"
    await github.trigger("repository", "renamed", repo, name=new)
    query = (
        "query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) { nameWithOwner } }"
    )
    for name in (repo, f"acme/{new}"):
        assert await read(github, ask, name, query) == {"nameWithOwner": f"acme/{new}"}
    token = await installation_token(github, ask)
    assert (await ask("GET", f"/repos/acme/{new}", token=token))[0] == 200


async def test_silent_changes_are_seen_by_graphql_alone(
    github: StandInGitHub, ask: Client, repo: str, inbox: WebhookRecorder
) -> None:
    milestone = await github.create_milestone(repo, "Sprint 1")
    await github.create_issue(repo, "Quiet")
    await github.wait_for_webhooks()
    heard = len(inbox.arrived)
    await github.change_without_webhook(repo, 1, milestone=milestone["number"], state="closed")
    await github.change_without_webhook(repo, 1, in_timeline=False, milestone=None)
    query = """query ($owner: String!, $name: String!) { repository(owner: $owner, name: $name) {
      issue(number: 1) { state stateReason milestone { number }
        timelineItems(first: 9) { nodes { __typename } } } } }"""
    issue = (await read(github, ask, repo, query))["issue"]
    assert (issue["state"], issue["stateReason"], issue["milestone"]) == ("CLOSED", "COMPLETED", None)
    kinds = [event["__typename"] for event in issue["timelineItems"]["nodes"]]
    assert kinds == ["MilestonedEvent", "ClosedEvent"]
    assert len(inbox.arrived) == heard
