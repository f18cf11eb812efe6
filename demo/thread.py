"""What the page knows of an issue, read over the stand-in's REST API as the person who looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp

Json = dict[str, Any]


class NoSuchIssueError(LookupError):
    """The stand-in has no such issue, or the reader may not see it."""


@dataclass(frozen=True)
class Thread:
    """One issue with its comments and the other issues of its milestone."""

    repo: str
    issue: Json
    comments: list[Json]
    sprint: list[Json]


class Reader:
    """A small REST client: one person, one token."""

    def __init__(self, session: aiohttp.ClientSession, github_url: str, token: str) -> None:
        self._session = session
        self._base = github_url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def thread(self, repo: str, number: int) -> Thread:
        """Everything the page shows, as it is now."""
        issue = await self._get(f"/repos/{repo}/issues/{number}")
        comments = await self._all(f"/repos/{repo}/issues/{number}/comments?per_page=100")
        milestone = issue["milestone"]
        sprint = []
        if milestone:
            query = f"milestone={milestone['number']}&state=all&direction=asc&per_page=100"
            sprint = await self._all(f"/repos/{repo}/issues?{query}")
        return Thread(repo, issue, comments, sprint)

    async def comment(self, repo: str, number: int, body: str) -> None:
        """Say something."""
        await self._send("POST", f"/repos/{repo}/issues/{number}/comments", {"body": body})

    async def set_state(self, repo: str, number: int, state: str) -> None:
        """Close as completed, or open again."""
        reason = "completed" if state == "closed" else "reopened"
        await self._send("PATCH", f"/repos/{repo}/issues/{number}", {"state": state, "state_reason": reason})

    async def changed_since(self, version: int) -> int:
        """Wait until something was written after `version`; the stand-in answers after 20 s in any case."""
        answer: Json = await self._get(f"/_changes?since={version}")
        new: int = answer["version"]
        return new

    async def _all(self, path: str) -> list[Json]:
        found: list[Json] = []
        page = 1
        while True:
            more = await self._get(f"{path}&page={page}")
            found += more
            if len(more) < 100:
                return found
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
