"""GitHub's own list of the issues that pull requests are linked with: by their text, or in the sidebar.

GitHub sends no webhook about a link in the sidebar, and may not follow a keyword in a text. So the list is
fetched when a check is updated and in the nightly comparison, and takes precedence: where it differs from the
timeline, it is recorded as of that moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.github.client import Installation
from sprints.links import LINKED, list_closed_issues
from sprints.model import ActivityEvent, Event, EventSource, ItemEvent, sort_events
from sprints.numbering import Number
from sprints.pull_requests import build_pull_request, create_linked_event
from storage.database import Tenant
from storage.projects import Project
from storage.recorder import Recorder, TimelineRow
from storage.timeline import Timeline

# The fields of a pull request that `parse_links` reads. A query for a hundred of them costs one point.
LINKS = """closingIssuesReferences(first: 100) {
  pageInfo { hasNextPage } nodes { number repository { id nameWithOwner } } }"""
_LINKS_OF_ONE = f"""
query ($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ id pullRequest(number: $number) {{ id number {LINKS} }} }}
}}"""
_LINKS_OF_OPEN = f"""
query ($owner: String!, $name: String!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    id
    pullRequests(
      states: [OPEN], first: 100, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}
    ) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id number {LINKS} }} }}
  }}
}}"""
_STEP = timedelta(seconds=1)
# Less than the time until all checks are updated after an event (CHECK_EVERY, bot/jobs/event_processor.py).
_SETTLING = timedelta(minutes=5)
F = TypeVar("F", ActivityEvent, ItemEvent)


@dataclass(frozen=True, slots=True)
class LinkedIssues:
    """The issues in the same repository that are linked with a pull request. `item` is its node id.

    If there are more than a hundred links, the rest is missing and `is_complete` is false.
    """

    number: int
    item: str
    issues: frozenset[int]
    is_complete: bool = True


async def fetch_links(installation: Installation, full_name: str, number: int) -> LinkedIssues | None:
    """Fetch GitHub's list for one pull request; None if there is no such pull request.

    Raises GitHubRefusedError and GitHubUnavailableError, as does `ask_open`.
    """
    owner, _, name = full_name.partition("/")
    answer = await installation.graphql(_LINKS_OF_ONE, owner=owner, name=name, number=number)
    repository = answer.get("repository") or {}
    pull_request = repository.get("pullRequest")
    return parse_links({"number": number, **pull_request}, repository, full_name) if pull_request else None


async def fetch_open_links(
    installation: Installation, full_name: str, most_pages: int = 1
) -> list[LinkedIssues]:
    """Fetch GitHub's lists for open pull requests, a hundred a page, the last changed first."""
    owner, _, name = full_name.partition("/")
    lists, after = list[LinkedIssues](), None
    for _ in range(most_pages):
        answer = await installation.graphql(_LINKS_OF_OPEN, owner=owner, name=name, after=after)
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
    """Read the list from GitHub's answer about a pull request of a repository.

    Issues of the repository are recognised by its id, because `full_name` may be an old one.
    """
    links = pull_request.get("closingIssuesReferences") or {}

    def is_own(issue: Mapping[str, Any]) -> bool:
        issue_repository = issue["repository"]
        if repository.get("id") and issue_repository.get("id"):
            return bool(issue_repository["id"] == repository["id"])
        return str(issue_repository["nameWithOwner"]).lower() == full_name.lower()

    # An issue that the App may not see is null.
    issues = frozenset(issue["number"] for issue in links.get("nodes") or () if issue and is_own(issue))
    is_complete = not (links.get("pageInfo") or {}).get("hasNextPage")
    return LinkedIssues(pull_request["number"], pull_request.get("id") or "", issues, is_complete)


async def record_links(
    tenant: Tenant,
    project: Project,
    lists: Sequence[LinkedIssues],
    head_facts: Mapping[int, Sequence[ActivityEvent]],
    now: datetime,
) -> None:
    """Record GitHub's lists where they differ from the timeline, as of `now`.

    `head_facts` are the facts about the heads of the pull requests, by number and in order. Pull requests
    without any fact are skipped.
    """
    keys = {
        listed.number: build_pull_request(head_facts[listed.number]).item
        if head_facts.get(listed.number)
        else listed.item
        for listed in lists
    }
    items = await Timeline(tenant).items_by_id(set(keys.values()) - {""})
    facts = list[Event]()
    for listed in lists:
        if heads := head_facts.get(listed.number):
            facts += _head_corrections(listed, heads, now)
        if events := items.get(keys[listed.number]):
            facts += _item_corrections(listed, events, now)
    await Recorder(tenant).record([TimelineRow(project.id, fact) for fact in facts])


def _head_corrections(
    listed: LinkedIssues, heads: Sequence[ActivityEvent], now: datetime
) -> list[ActivityEvent]:
    recorded = build_pull_request(heads).issues
    issues = listed.issues if listed.is_complete else listed.issues | recorded
    if issues == recorded or _may_be_older_than_an_edit(
        issues, heads, lambda facts: build_pull_request(facts).issues, now
    ):
        return []
    return [create_linked_event(heads, issues, _later_than(now, heads[-1].at))]


def _item_corrections(listed: LinkedIssues, events: Sequence[ItemEvent], now: datetime) -> list[ItemEvent]:
    recorded, ordered = frozenset(list_closed_issues(events)), sort_events(events)
    issues = listed.issues if listed.is_complete else listed.issues | recorded
    if issues == recorded or _may_be_older_than_an_edit(
        issues, ordered, lambda facts: frozenset(list_closed_issues(facts)), now
    ):
        return []
    latest = ordered[-1]
    fact = ItemEvent(
        item=latest.item,
        event=LINKED,
        at=_later_than(now, latest.at),
        delivery=f"linked:{now.isoformat()}",
        snapshot=replace(latest.snapshot, closes=tuple(sorted(issues))),
        source=EventSource.CORRECTION,
    )
    return [fact]


def _may_be_older_than_an_edit(
    issues: frozenset[Number],
    facts: Sequence[F],
    issues_of: Callable[[Sequence[F]], frozenset[Number]],
    now: datetime,
) -> bool:
    """Whether a list may be the one from before a recent edit.

    GitHub updates the links of a text a moment after its edit. The next update of the check asks again.
    """
    edits = [
        index
        for index, fact in enumerate(facts)
        if index and fact.event == "edited" and fact.at > now - _SETTLING
    ]
    return any(issues_of(facts[:index]) == issues for index in edits)


def _later_than(now: datetime, last: datetime) -> datetime:
    """A time after the last recorded fact, even if GitHub's clock is ahead of this one."""
    return max(now, last + _STEP)
