"""Reads an issue and its comments from the stand-in's REST API, as the person who views the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import aiohttp

Json = dict[str, Any]
# REST does not say which comments are hidden, and why.
_MINIMIZED = """
query ($ids: [ID!]!) {
  nodes(ids: $ids) { ... on IssueComment { databaseId minimizedReason } }
}
"""
_MOST_NODES = 100


class NoSuchIssueError(LookupError):
    """The stand-in has no such issue, or the reader may not see it."""


@dataclass(frozen=True)
class Thread:
    """One issue with its comments and the other issues of its milestone.

    Each comment has, besides GitHub's fields, the reason why it is `minimized`; None if it is shown.
    """

    repo: str
    issue: Json
    comments: list[Json]
    sprint: list[Json]


class Reader:
    """A small REST client for one person, whose tokens are used in turn: GitHub limits the use of each."""

    def __init__(self, session: aiohttp.ClientSession, github_url: str, tokens: Sequence[str]) -> None:
        self._session = session
        self._base = github_url
        self._tokens = cycle(tokens)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {next(self._tokens)}"}

    async def thread(self, repo: str, number: int) -> Thread:
        """Read everything that the page shows."""
        issue = await self._get(f"/repos/{repo}/issues/{number}")
        comments = await self._all(f"/repos/{repo}/issues/{number}/comments?per_page=100")
        reasons = await self._minimized([comment["node_id"] for comment in comments])
        comments = [comment | {"minimized": reasons.get(comment["id"])} for comment in comments]
        milestone = issue["milestone"]
        sprint = []
        if milestone:
            query = f"milestone={milestone['number']}&state=all&direction=asc&per_page=100"
            sprint = await self._all(f"/repos/{repo}/issues?{query}")
        return Thread(repo, issue, comments, sprint)

    async def comment(self, repo: str, number: int, body: str) -> None:
        """Add a comment."""
        await self._send("POST", f"/repos/{repo}/issues/{number}/comments", {"body": body})

    async def edit(self, repo: str, comment_id: int, body: str) -> None:
        """Replace the text of a comment."""
        await self._send("PATCH", f"/repos/{repo}/issues/comments/{comment_id}", {"body": body})

    async def body_of(self, repo: str, comment_id: int) -> str:
        """Read the Markdown of a comment."""
        return str((await self._get(f"/repos/{repo}/issues/comments/{comment_id}"))["body"])

    async def set_state(self, repo: str, number: int, state: str) -> None:
        """Close the issue as completed, or reopen it."""
        reason = "completed" if state == "closed" else "reopened"
        await self._send("PATCH", f"/repos/{repo}/issues/{number}", {"state": state, "state_reason": reason})

    async def changed_since(self, version: int) -> int:
        """Wait for a write after `version`, at most 20 s, and return the current version."""
        answer: Json = await self._get(f"/_changes?since={version}")
        new: int = answer["version"]
        return new

    async def _minimized(self, node_ids: list[str]) -> dict[int, str | None]:
        """Read why comments are hidden, by their ids."""
        reasons = dict[int, str | None]()
        for start in range(0, len(node_ids), _MOST_NODES):
            query = {"query": _MINIMIZED, "variables": {"ids": node_ids[start : start + _MOST_NODES]}}
            url = f"{self._base}/graphql"
            async with self._session.post(url, json=query, headers=self._headers) as answer:
                nodes = ((await answer.json()).get("data") or {}).get("nodes") or []
            reasons |= {node["databaseId"]: node["minimizedReason"] for node in nodes if node}
        return reasons

    async def _all(self, path: str) -> list[Json]:
        elements: list[Json] = []
        page = 1
        while True:
            more = await self._get(f"{path}&page={page}")
            elements += more
            if len(more) < 100:
                return elements
            page += 1

    async def _get(self, path: str) -> Any:
        async with self._session.get(self._base + path, headers=self._headers) as answer:
            if answer.status == 404:
                raise NoSuchIssueError(path)
            answer.raise_for_status()
            return await answer.json()

    async def _send(self, method: str, path: str, body: Json) -> None:
        async with self._session.request(
            method, self._base + path, json=body, headers=self._headers
        ) as answer:
            if answer.status == 404:
                raise NoSuchIssueError(path)
            answer.raise_for_status()
