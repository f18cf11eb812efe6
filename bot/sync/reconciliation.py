"""Compares running sprints with GitHub and corrects what we know, where a delivery was lost for good.

Whether something differs is decided by the fold itself: a correction is written only if it would change the
sprint's numbers or frame. So nothing is corrected twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.github.client import GitHub, GitHubRefusedError, Installation
from bot.github.linked_issues import LINKS, LinkedIssues, fetch_open_links, parse_links, record_links
from bot.isolation import isolated
from handlers.payloads import clean
from sprints.history import ItemState, LabelBook, changes
from sprints.milestone import Phase, Sprint, readable_moment, sprint_of
from sprints.model import Event, ItemEvent, ItemSnapshot, MilestoneEvent, Source, State, in_order
from sprints.numbering import own
from sprints.people import account_login
from sprints.pull_requests import RECENT, lives_of
from storage.closed_sprints import ClosedSprints
from storage.database import Database, Tenant
from storage.deliveries import Deliveries
from storage.projects import Project, Projects
from storage.pull_requests import PullRequests
from storage.sprints import Sprints
from storage.timeline import Timeline, TimelineRow

# The webhook of what has just happened may still be on its way.
_SETTLING = timedelta(minutes=10)
_STEP = timedelta(seconds=1)
_DROPPING_REASONS = {"NOT_PLANNED", "DUPLICATE"}
_NODES_AT_ONCE = 100
# So many pages of open pull requests are asked for, those that changed last first.
_MOST_PAGES = 10

_COMMON = """id number title createdAt updatedAt closed closedAt author { __typename login } repository { id }
  milestone { number } labels(first: 100) { nodes { name } } assignees(first: 10) { nodes { login } }"""
_FRAGMENTS = f"""
fragment OfIssue on Issue {{ __typename {_COMMON} stateReason(enableDuplicate: true) }}
fragment OfPullRequest on PullRequest {{ __typename {_COMMON} merged {LINKS} }}"""
_MILESTONE = f"""
query ($owner: String!, $name: String!, $number: Int!, $issues: String, $pulls: String) {{
  repository(owner: $owner, name: $name) {{
    id
    milestone(number: $number) {{
      title description dueOn closed closedAt updatedAt
      issues(first: 100, after: $issues) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...OfIssue }} }}
      pullRequests(first: 100, after: $pulls) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...OfPullRequest }} }}
    }}
  }}
}}{_FRAGMENTS}"""
_ITEMS = f"""
query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...OfIssue ...OfPullRequest }} }}{_FRAGMENTS}"""

_Json = dict[str, Any]
_StoredItems = Mapping[str, list[ItemEvent]]


@dataclass(slots=True)
class _GitHubState:
    """GitHub's picture. `items` by number; `elsewhere` by our node id, None for what is gone."""

    repository: str
    milestone: _Json | None
    items: dict[int, _Json]
    elsewhere: dict[str, _Json | None]

    @property
    def links(self) -> list[LinkedIssues]:
        """What the pull requests of the milestone are linked with."""
        pull_requests = (item for item in self.items.values() if item["__typename"] == "PullRequest")
        return [parse_links(item, {"id": self.repository}, "") for item in pull_requests]


class Reconciliation:
    """Corrects one tenant's running sprints."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> int:
        """Returns how many items and milestones were corrected.

        Raises GitHubUnavailableError; what was corrected until then stays.
        """
        async with self._database.tenant(organization_id) as tenant:
            if await _has_waiting_deliveries(tenant):
                return 0
            running = [
                (project, sprints)
                for project in await Projects(tenant).active()
                if project.is_accessible
                and (sprints := await _sprints_to_compare(tenant, project, self._clock()))
            ]
        return sum([await self._compare(organization_id, project, sprints) for project, sprints in running])

    async def _compare(self, organization_id: int, project: Project, sprints: Sequence[Sprint]) -> int:
        """Compares the running sprints of one repository, and the links of its pull requests once."""
        corrected, links = 0, dict[int, LinkedIssues]()
        try:
            with isolated(self._log, "links not compared", project=project.id):
                links |= await self._ask_open(project)
        except GitHubRefusedError as refusal:
            self._log.warning("GitHub refused its links", project=project.id, status=refusal.status)
        for sprint in sprints:
            try:
                with isolated(self._log, "comparison failed", project=project.id, sprint=sprint.number):
                    corrected += await self._reconcile(organization_id, project, sprint, links)
            except GitHubRefusedError as refusal:
                # Another repository's sprints may be open to us all the same.
                self._log.warning("GitHub refused a comparison", project=project.id, status=refusal.status)
        with isolated(self._log, "links not recorded", project=project.id):
            await self._record_links(organization_id, project, links)
        return corrected

    async def _reconcile(
        self, organization_id: int, project: Project, sprint: Sprint, links: dict[int, LinkedIssues]
    ) -> int:
        """How many items and milestones were corrected; adds the links of the sprint's pull requests."""
        installation = self._github.installation(project.installation or 0)
        shown = await _fetch_milestone(installation, project.full_name or "", sprint.number)
        if shown is None or (_is_node_id(project.node_id) and shown.repository != project.node_id):
            # Under its name there is nothing now, or another repository.
            self._log.warning("repository not found for a comparison", project=project.id)
            return 0
        async with self._database.tenant(organization_id) as tenant:
            known = await Timeline(tenant).items_of(project.id, sprint.milestone)
        absent = [
            item
            for item, events in known.items()
            if _number_of(events) not in shown.items and _is_node_id(item)
        ]
        shown.elsewhere = await _fetch_items(installation, absent)
        async with self._database.tenant(organization_id) as tenant:
            if await _has_waiting_deliveries(tenant):
                return 0
            comparison = _Comparison(tenant, project, sprint, shown, self._clock())
            found = await comparison.corrections()
            for what, number, differs in comparison.differences:
                self._log.info(
                    "corrected", project=project.id, sprint=sprint.number, what=what, number=number,
                    differs=differs,
                )  # fmt: skip
            await Timeline(tenant).record([TimelineRow(project.id, fact) for fact in found])
        links |= {listed.number: listed for listed in shown.links}
        return len(comparison.differences)

    async def _ask_open(self, project: Project) -> dict[int, LinkedIssues]:
        """The open pull requests that are not in the milestone may be linked with items that are."""
        installation = self._github.installation(project.installation or 0)
        lists = await fetch_open_links(installation, project.full_name or "", _MOST_PAGES)
        return {listed.number: listed for listed in lists}

    async def _record_links(
        self, organization_id: int, project: Project, links: Mapping[int, LinkedIssues]
    ) -> None:
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            lives = lives_of(await PullRequests(tenant, project.id).heads(now - RECENT))
            await record_links(tenant, project, list(links.values()), lives, now)


class _Comparison:
    """One sprint as we know it, beside GitHub's picture of it. `differences` are for the log."""

    def __init__(
        self, tenant: Tenant, project: Project, sprint: Sprint, shown: _GitHubState, now: datetime
    ) -> None:
        self._timeline = Timeline(tenant)
        self._project = project
        self._sprint = sprint
        self._shown = shown
        self._now = now
        self._delivery = f"reconcile:{now.date().isoformat()}"
        self._milestones: dict[int, int | None] = {sprint.number: sprint.milestone}
        self._labels = LabelBook(())
        self.differences: list[tuple[str, int, list[str]]] = []

    async def corrections(self) -> list[Event]:
        """The facts that are missing."""
        sprint, shown = self._sprint, self._shown
        self._labels = LabelBook(await self._timeline.labels(self._project.id))
        known: _StoredItems = await self._timeline.items_of(self._project.id, sprint.milestone)
        if shown.items.keys() - {_number_of(events) for events in known.values()}:
            # What GitHub has here and we never had may be known from elsewhere.
            known = await self._timeline.items(self._project.id)
        # By number, because GitHub has two forms of node ids.
        ours = {_number_of(events): item for item, events in known.items()}
        found: list[Event] = [
            *self._of_milestone(await self._timeline.milestone(self._project.id, sprint.milestone))
        ]
        for number, one in shown.items.items():
            item = ours.get(number) or str(one["id"])
            found += self._of_item(item, known.get(item, []), await self._snapshot(one), one)
        for item, elsewhere in shown.elsewhere.items():
            if not (events := known.get(item)):
                continue
            if elsewhere is None or elsewhere["repository"]["id"] != shown.repository:
                found += self._of_gone(item, events, elsewhere)
            else:
                found += self._of_item(item, events, await self._snapshot(elsewhere), elsewhere)
        return found

    def _of_item(
        self, item: str, events: list[ItemEvent], snapshot: ItemSnapshot, shown: _Json
    ) -> list[ItemEvent]:
        updated_at = _parse_time(shown["updatedAt"])
        if self._is_fresh(updated_at, events):
            return []
        told = ItemEvent(item, "corrected", updated_at, self._delivery, snapshot, source=Source.CORRECTION)
        if not events:
            return self._of_unknown(told)
        before = self._state(events)
        last = max(event.at for event in events)
        closed_at = snapshot.closed_at
        if before.state is State.OPEN and closed_at is not None and closed_at > last:
            told = replace(told, at=closed_at)
        return self._if_it_differs(events, replace(told, at=_later_than(told.at, last)))

    def _of_unknown(self, told: ItemEvent) -> list[ItemEvent]:
        """As with everything that we meet late, what we see held from its beginning; but not its end."""
        shown = told.snapshot
        opened = replace(shown, state=State.OPEN, closed_at=None)
        found = [replace(told, at=shown.created_at, snapshot=opened)]
        if shown.state is not State.OPEN and shown.closed_at is not None:
            found.append(replace(told, at=_later_than(shown.closed_at, shown.created_at)))
        self.differences.append(("item", own(shown.number), ["unknown"]))
        return found

    def _of_gone(self, item: str, events: list[ItemEvent], elsewhere: _Json | None) -> list[ItemEvent]:
        """Nobody says when it went, so it went now. A transferred one is found in another repository."""
        if self._is_fresh(None, events) or self._state(events).is_gone:
            return []
        told = ItemEvent(
            item=item,
            event="transferred" if elsewhere else "deleted",
            at=_later_than(self._now, max(event.at for event in events)),
            delivery=self._delivery,
            snapshot=in_order(events)[-1].snapshot,
            named=elsewhere["id"] if elsewhere else None,
            source=Source.CORRECTION,
        )
        return self._if_it_differs(events, told)

    def _if_it_differs(self, events: list[ItemEvent], told: ItemEvent) -> list[ItemEvent]:
        before, after = self._state(events), self._state([*events, told])
        if before == after:
            return []
        self.differences.append(("item", own(told.snapshot.number), _differing_fields(before, after)))
        return [told]

    def _state(self, events: Sequence[ItemEvent]) -> ItemState:
        """After all that we know, even of a moment ago: no clock is asked."""
        history = changes(
            events, self._sprint.milestone, self._project.rules.estimates, self._labels.of(events)
        )
        return history[-1].after if history else ItemState()

    def _of_milestone(self, events: list[MilestoneEvent]) -> list[MilestoneEvent]:
        shown, latest = self._shown.milestone, in_order(events)[-1]
        updated_at = _parse_time(shown["updatedAt"]) if shown else None
        if self._is_fresh(updated_at, [event for event in events if event.event != "observed"]):
            return []
        told = replace(
            latest, event="deleted", at=self._now, delivery=self._delivery, before=None, actor=None,
            source=Source.CORRECTION,
        )  # fmt: skip
        if shown and updated_at:
            told = replace(self._pictured(told, shown), at=updated_at)
            if told.event == "closed" and told.closed_at:
                told = replace(told, at=told.closed_at)
        told = replace(told, at=_later_than(told.at, max(event.at for event in events)))
        moment = max(told.at, self._now) + _STEP
        calendar = self._sprint.calendar
        before, after = (sprint_of(known, moment, calendar) for known in (events, [*events, told]))
        if before == after:
            return []
        self.differences.append(("milestone", told.number, _differing_fields(before, after)))
        return [told]

    def _pictured(self, told: MilestoneEvent, shown: _Json) -> MilestoneEvent:
        event = "edited"
        if shown["closed"] != (self._sprint.closed_at is not None):
            event = "closed" if shown["closed"] else "opened"
        return replace(
            told,
            event=event,
            title=clean(shown["title"]),
            description=clean(shown["description"]) if shown["description"] else None,
            due_on=readable_moment(shown["dueOn"]),
            closed_at=_parse_time(shown["closedAt"]) if shown["closedAt"] else None,
        )

    def _is_fresh(
        self, updated_at: datetime | None, events: Sequence[ItemEvent] | Sequence[MilestoneEvent]
    ) -> bool:
        """Also by what we know: GitHub's picture may be older than a webhook that came meanwhile."""
        moments = [event.at for event in events]
        if updated_at is not None:
            moments.append(updated_at)
        return any(at > self._now - _SETTLING for at in moments)

    async def _snapshot(self, shown: _Json) -> ItemSnapshot:
        return ItemSnapshot(
            number=shown["number"],
            title=clean(shown["title"]),
            created_at=_parse_time(shown["createdAt"]),
            state=_read_state(shown),
            closed_at=_parse_time(shown["closedAt"]) if shown["closedAt"] else None,
            milestone=await self._milestone_id(shown["milestone"]),
            labels=tuple(clean(label["name"]) for label in _nodes(shown["labels"])),
            is_pull_request=shown["__typename"] == "PullRequest",
            author=_login(shown["author"]) if shown["author"] else None,
            assignees=tuple(clean(one["login"]) for one in _nodes(shown["assignees"])),
        )

    async def _milestone_id(self, shown: _Json | None) -> int | None:
        """GraphQL tells a milestone's number only. One that we never heard of is at least not this one."""
        if shown is None:
            return None
        number = shown["number"]
        if number not in self._milestones:
            self._milestones[number] = await self._timeline.milestone_id(self._project.id, number)
        return self._milestones[number]


async def _sprints_to_compare(tenant: Tenant, project: Project, now: datetime) -> list[Sprint]:
    """Those that run, and those that ended while we heard nothing and whose numbers are not taken yet."""
    sprints = Sprints(tenant, project.alone)
    every, gaps = await sprints.all(now), await sprints.gaps()
    unheard = [sprint for sprint in every if sprint.end and any(gap.contains(sprint.end) for gap in gaps)]
    taken = await ClosedSprints(tenant, {project.id}).latest_of({sprint.milestone for sprint in unheard})
    is_taken = {milestone: closed.ended_at for milestone, closed in taken.items()}
    ended = [sprint for sprint in unheard if is_taken.get(sprint.milestone) != sprint.end]
    return [sprint for sprint in every if sprint.phase(now) is Phase.ACTIVE or sprint in ended]


async def _has_waiting_deliveries(tenant: Tenant) -> bool:
    return (await Deliveries(tenant).counts())["waiting"] > 0


async def _fetch_milestone(installation: Installation, full_name: str, number: int) -> _GitHubState | None:
    owner, _, name = full_name.partition("/")
    items: dict[int, _Json] = {}
    after: dict[str, str | None] = {"issues": None, "pulls": None}
    while True:
        answer = await installation.graphql(_MILESTONE, owner=owner, name=name, number=number, **after)
        repository = answer["repository"]
        if repository is None:
            return None
        milestone = repository["milestone"]
        if milestone is None:
            return _GitHubState(repository["id"], None, {}, {})
        more = False
        for key, field in (("issues", "issues"), ("pulls", "pullRequests")):
            page = milestone[field]
            items |= {one["number"]: one for one in _nodes(page)}
            more = more or page["pageInfo"]["hasNextPage"]
            # A list that has ended is asked for what follows its last item, which is nothing.
            after[key] = page["pageInfo"]["endCursor"] or after[key]
        if not more:
            return _GitHubState(repository["id"], milestone, items, {})


async def _fetch_items(installation: Installation, ids: Sequence[str]) -> dict[str, _Json | None]:
    found: dict[str, _Json | None] = {}
    for start in range(0, len(ids), _NODES_AT_ONCE):
        some = list(ids[start : start + _NODES_AT_ONCE])
        answer = await installation.graphql(_ITEMS, ids=some)
        # What was made a discussion is found, but as nothing that we asked about.
        found |= {item: one or None for item, one in zip(some, answer["nodes"], strict=True)}
    return found


def _login(actor: _Json) -> str:
    """As webhooks write it: here a bot's login has no suffix."""
    return account_login(clean(actor["login"]), str(actor["__typename"]))


def _is_node_id(key: str) -> bool:
    """What came without one has a key of our own, such as `Issue:7`, which GitHub must not be asked for."""
    return bool(key) and ":" not in key


def _nodes(page: _Json | None) -> Iterable[_Json]:
    return [one for one in (page or {}).get("nodes") or () if one]


def _read_state(shown: _Json) -> State:
    if not shown["closed"]:
        return State.OPEN
    if shown["__typename"] == "PullRequest":
        return State.DONE if shown["merged"] else State.DROPPED
    return State.DROPPED if shown["stateReason"] in _DROPPING_REASONS else State.DONE


def _parse_time(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _later_than(at: datetime, last: datetime) -> datetime:
    """The fold must see a correction last, also of what happened within the same second."""
    return at if at > last else last + _STEP


def _number_of(events: Sequence[ItemEvent]) -> int:
    return own(events[-1].snapshot.number)


def _differing_fields(before: ItemState | Sprint, after: ItemState | Sprint) -> list[str]:
    """The names of what differs; values may be words of people, which have no place in a log."""
    return [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
