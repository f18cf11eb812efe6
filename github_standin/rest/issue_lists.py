"""Adds pull requests to the list of issues, as GitHub does and emulate does not."""

from __future__ import annotations

import re
from typing import Any

from yarl import URL

from github_standin.proxy.callers import Caller
from github_standin.proxy.environment import StandInEnvironment
from github_standin.proxy.responses import ProxyResponse
from github_standin.rest.paging import paginate_list
from github_standin.rest.pull_requests import PullRequests, to_issue

Json = dict[str, Any]
LIST = re.compile(r"^(/repos/[^/]+/[^/]+)/issues$")
SORTED_BY = {"created": "created_at", "updated": "updated_at", "comments": "comments"}


class IssueLists:
    """Merges emulate's lists of issues and of pull requests, and returns the requested page of both."""

    def __init__(self, environment: StandInEnvironment, pulls: PullRequests) -> None:
        self._environment = environment
        self._pulls = pulls

    async def complete(self, caller: Caller, method: str, url: URL, response: ProxyResponse) -> ProxyResponse:
        """Replace emulate's response to a list of issues, if the repository has pull requests."""
        match = LIST.match(url.path)
        if match is None or method != "GET" or response.status != 200:
            return response
        state = url.query.get("state", "open")
        pulls = await self._all(URL(f"{match[1]}/pulls").with_query(state=state), caller)
        if not pulls:
            return response
        await self._pulls.complete(pulls)
        issues = [issue for issue in map(to_issue, pulls) if _matches(issue, url)]
        issues += await self._all(url.without_query_params("page", "per_page"), caller)
        field = SORTED_BY.get(url.query.get("sort", ""), "created_at")
        is_ascending = url.query.get("direction") == "asc"
        issues.sort(key=lambda issue: (issue[field], issue["number"]), reverse=not is_ascending)
        return paginate_list(self._environment.base_url(), url, issues)

    async def _all(self, url: URL, caller: Caller) -> list[Json]:
        elements: list[Json] = []
        while page := await self._environment.get(
            str(url.update_query(per_page=100, page=len(elements) // 100 + 1)), caller
        ):
            elements += page
            if len(page) < 100:
                break
        return elements


def _matches(issue: Json, url: URL) -> bool:
    """Whether an issue passes all filters of the query."""
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


def _is_among(values: list[str], wanted: str | None) -> bool:
    """Whether values pass a filter: a value, `none`, `*` for any, or no filter."""
    if wanted in (None, "", "none"):
        return wanted != "none" or not values
    return bool(values) if wanted == "*" else wanted in values
