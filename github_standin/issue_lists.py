"""The list of issues with the pull requests among them, which emulate leaves out."""

from __future__ import annotations

import re
from typing import Any

from yarl import URL

from github_standin.answers import Answer
from github_standin.callers import Caller
from github_standin.environment import StandInEnvironment
from github_standin.paging import listed
from github_standin.pull_requests import Pulls, issue_of

Json = dict[str, Any]
LIST = re.compile(r"^(/repos/[^/]+/[^/]+)/issues$")
SORTED_BY = {"created": "created_at", "updated": "updated_at", "comments": "comments"}


class IssueLists:
    """Reads both lists of emulate to the end, and gives the page that was asked for of both together."""

    def __init__(self, desk: StandInEnvironment, pulls: Pulls) -> None:
        self._desk = desk
        self._pulls = pulls

    async def completed(self, caller: Caller, method: str, url: URL, answer: Answer) -> Answer:
        """emulate's answer, unless pull requests belong in it."""
        match = LIST.match(url.path)
        if match is None or method != "GET" or answer.status != 200:
            return answer
        state = url.query.get("state", "open")
        pulls = await self._all(URL(f"{match[1]}/pulls").with_query(state=state), caller)
        if not pulls:
            return answer
        await self._pulls.complete(pulls)
        found = [one for one in map(issue_of, pulls) if _is_wanted(one, url)]
        found += await self._all(url.without_query_params("page", "per_page"), caller)
        field = SORTED_BY.get(url.query.get("sort", ""), "created_at")
        is_ascending = url.query.get("direction") == "asc"
        found.sort(key=lambda one: (one[field], one["number"]), reverse=not is_ascending)
        return listed(self._desk.front(), url, found)

    async def _all(self, url: URL, caller: Caller) -> list[Json]:
        found: list[Json] = []
        while page := await self._desk.get(
            str(url.update_query(per_page=100, page=len(found) // 100 + 1)), caller
        ):
            found += page
            if len(page) < 100:
                break
        return found


def _is_wanted(issue: Json, url: URL) -> bool:
    """Whether it passes the filters of the query, all of them."""
    query = url.query
    labels = {label["name"] for label in issue["labels"]}
    people = [person["login"] for person in issue["assignees"]]
    milestone = [str(issue["milestone"]["number"])] if issue["milestone"] else []
    return (
        _is_among(milestone, query.get("milestone"))
        and _is_among(people, query.get("assignee"))
        and set(filter(None, query.get("labels", "").split(","))) <= labels
        and query.get("creator") in (None, issue["user"]["login"])
        and issue["updated_at"] >= query.get("since", "")
    )


def _is_among(held: list[str], wanted: str | None) -> bool:
    if wanted in (None, "", "none"):
        return wanted != "none" or not held
    return bool(held) if wanted == "*" else wanted in held
