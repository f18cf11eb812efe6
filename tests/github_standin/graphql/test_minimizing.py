"""Comments are hidden by GraphQL, with GitHub's errors for what cannot be hidden."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest_asyncio

from bot.github.threads import MINIMIZE
from github_standin.github import StandInGitHub
from tests.support.standin import Client, installation_token

Json = dict[str, Any]
Minimize = Callable[[str], Awaitable[Json]]


@pytest_asyncio.fixture(loop_scope="session")
async def minimize(github: StandInGitHub, ask: Client) -> Minimize:
    """The App sends its own mutation, which the stand-in validates against GitHub's schema."""
    token = await installation_token(github, ask)

    async def minimize(node_id: str) -> Json:
        sent = {"query": MINIMIZE, "variables": {"comment": node_id, "reason": "OUTDATED"}}
        status, body, _ = await ask("POST", "/graphql", sent, token=token)
        assert status == 200
        answer: Json = body
        return answer

    return minimize


async def test_a_comment_is_minimized_and_again_without_harm(
    github: StandInGitHub, repo: str, minimize: Minimize
) -> None:
    issue = await github.create_issue(repo, "Pay")
    comment = await github.comment(repo, issue["number"], "Hello")
    assert github.minimized(repo, comment["id"]) is None
    for _ in range(2):
        answer = await minimize(comment["node_id"])
        assert answer == {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}
    assert github.minimized(repo, comment["id"]) == "outdated"
    assert not github.violations


async def test_a_deleted_comment_is_not_found(github: StandInGitHub, repo: str, minimize: Minimize) -> None:
    issue = await github.create_issue(repo, "Pay")
    comment = await github.comment(repo, issue["number"], "Hello")
    await github.delete_comment(repo, comment["id"])
    answer = await minimize(comment["node_id"])
    assert answer["data"] == {"minimizeComment": None}
    assert [error["type"] for error in answer["errors"]] == ["NOT_FOUND"]


async def test_an_issue_is_no_comment(github: StandInGitHub, repo: str, minimize: Minimize) -> None:
    issue = await github.create_issue(repo, "Pay")
    answer = await minimize(issue["node_id"])
    assert [error["type"] for error in answer["errors"]] == ["NOT_FOUND"]


async def test_an_app_without_the_permission_to_write_may_not(
    github: StandInGitHub, repo: str, minimize: Minimize, monkeypatch: Any
) -> None:
    issue = await github.create_issue(repo, "Pay")
    comment = await github.comment(repo, issue["number"], "Hello")
    monkeypatch.setattr(github, "_permissions", {"issues": "read", "pull_requests": "read"})
    answer = await minimize(comment["node_id"])
    assert [error["type"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert github.minimized(repo, comment["id"]) is None
