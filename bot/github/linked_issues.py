"""GitHub's own list of the issues that pull requests are linked with: by their text, or in the sidebar.

No webhook tells of a link in the sidebar, and GitHub may not follow what a text says. So the list is asked
for when a check is worked out and in the nightly comparison, and has the last word: where it differs from
what is known, it is recorded as of that moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.github.client import Installation
from sprints.links import LINKED, closes_of
from sprints.model import ActivityEvent, Event, ItemEvent, Source, in_order
from sprints.numbering import Number
from sprints.pull_requests import linked, pull_request_of
from storage.database import Tenant
from storage.projects import Project
from storage.timeline import Timeline, TimelineRow

# What a query asks of a pull request, so that `links_in` can read it. A hundred of them cost one point.
LINKS = """closingIssuesReferences(first: 100) {
  pageInfo { hasNextPage } nodes { number repository { id nameWithOwner } } }"""
_ONE = f"""
query ($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ id pullRequest(number: $number) {{ id number {LINKS} }} }}
}}"""
_OPEN = f"""
query ($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequests(
      states: [OPEN], first: 100, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}
    ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id number {LINKS} }} }}
  }}
}}"""
_STEP = timedelta(seconds=1)
# Less than the time until all checks follow an event (CHECK_EVERY in bot/jobs/event_processor.py).
_SETTLING = timedelta(minutes=5)
F = TypeVar("F", ActivityEvent, ItemEvent)


@dataclass(frozen=True, slots=True)
class LinkedIssues:
    """The issues of its own repository that a pull request is linked with. `item` is its node id.

    Of very many not all are listed, and it is not `is_complete`.
    """

    number: int
    item: str
    issues: frozenset[int]
    is_complete: bool = True


async def fetch_links(installation: Installation, full_name: str, number: int) -> LinkedIssues | None:
    """GitHub's list for one pull request; None if there is no such pull request.

    Raises GitHubRefusedError and GitHubUnavailableError, as does `ask_open`.
    """
    owner, _, name = full_name.partition("/")
    answer = await installation.graphql(_ONE, owner=owner, name=name, number=number)
    repository = answer.get("repository") or {}
    pull_request = repository.get("pullRequest")
    return parse_links({"number": number, **pull_request}, repository, full_name) if pull_request else None


async def fetch_open_links(
    installation: Installation, full_name: str, most_pages: int = 1
) -> list[LinkedIssues]:
    """GitHub's lists for the open pull requests, a hundred a page, those that changed last first."""
    owner, _, name = full_name.partition("/")
    lists, after = list[LinkedIssues](), None
    for _ in range(most_pages):
        answer = await installation.graphql(_OPEN, owner=owner, name=name, after=after)
        repository = answer.get("repository") or {}
        page = repository.get("pullRequests") or {}
        lists += [parse_links(node, repository, full_name) for node in page.get("nodes") or () if node]
        if not page.get("pageInfo", {}).get("hasNextPage"):
            break
        after = page["pageInfo"]["endCursor"]
    return lists


def parse_links(
    pull_request: Mapping[str, Any], repository: Mapping[str, Any], full_name: str
) -> LinkedIssues:
    """The list in GitHub's answer about a pull request of a repository.

    The repository is known by its id: after a renaming the name that we ask by is an old one.
    """
    links = pull_request.get("closingIssuesReferences") or {}

    def is_own(issue: Mapping[str, Any]) -> bool:
        there = issue["repository"]
        if repository.get("id") and there.get("id"):
            return bool(there["id"] == repository["id"])
        return str(there["nameWithOwner"]).lower() == full_name.lower()

    # Null is an issue that is not shown to us.
    issues = frozenset(issue["number"] for issue in links.get("nodes") or () if issue and is_own(issue))
    is_complete = not (links.get("pageInfo") or {}).get("hasNextPage")
    return LinkedIssues(pull_request["number"], pull_request.get("id") or "", issues, is_complete)


async def record_links(
    tenant: Tenant,
    project: Project,
    lists: Sequence[LinkedIssues],
    lives: Mapping[int, Sequence[ActivityEvent]],
    now: datetime,
) -> None:
    """Records GitHub's lists where they differ from what is known, as of `now`.

    `lives` are the facts about the heads of the pull requests, by number and in order. Pull requests that
    were never heard of are passed over.
    """
    keys = {
        one.number: pull_request_of(lives[one.number]).item if lives.get(one.number) else one.item
        for one in lists
    }
    items = await Timeline(tenant).items_by_id(set(keys.values()) - {""})
    facts = list[Event]()
    for one in lists:
        if life := lives.get(one.number):
            facts += _head_corrections(one, life, now)
        if events := items.get(keys[one.number]):
            facts += _item_corrections(one, events, now)
    await Timeline(tenant).record([TimelineRow(project.id, fact) for fact in facts])


def _head_corrections(
    listed: LinkedIssues, life: Sequence[ActivityEvent], now: datetime
) -> list[ActivityEvent]:
    known = pull_request_of(life).issues
    issues = listed.issues if listed.is_complete else listed.issues | known
    if issues == known or _may_be_older_than_an_edit(
        issues, life, lambda facts: pull_request_of(facts).issues, now
    ):
        return []
    return [linked(life, issues, _later_than(now, life[-1].at))]


def _item_corrections(listed: LinkedIssues, events: Sequence[ItemEvent], now: datetime) -> list[ItemEvent]:
    known, told = frozenset(closes_of(events)), in_order(events)
    issues = listed.issues if listed.is_complete else listed.issues | known
    if issues == known or _may_be_older_than_an_edit(
        issues, told, lambda facts: frozenset(closes_of(facts)), now
    ):
        return []
    latest = told[-1]
    fact = ItemEvent(
        item=latest.item,
        event=LINKED,
        at=_later_than(now, latest.at),
        delivery=f"linked:{now.isoformat()}",
        snapshot=replace(latest.snapshot, closes=tuple(sorted(issues))),
        source=Source.CORRECTION,
    )
    return [fact]


def _may_be_older_than_an_edit(
    issues: frozenset[Number],
    told: Sequence[F],
    issues_of: Callable[[Sequence[F]], frozenset[Number]],
    now: datetime,
) -> bool:
    """Whether a list is the one from before an edit of a moment ago.

    GitHub works out the links of a text a moment after its edit. The next check asks again.
    """
    edits = [
        place
        for place, fact in enumerate(told)
        if place and fact.event == "edited" and fact.at > now - _SETTLING
    ]
    return any(issues_of(told[:place]) == issues for place in edits)


def _later_than(now: datetime, last: datetime) -> datetime:
    """The list holds after all that is known, also where GitHub's clock is ahead of ours."""
    return max(now, last + _STEP)
