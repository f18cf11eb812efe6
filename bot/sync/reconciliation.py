"""Compares running sprints with GitHub and corrects the timeline where a delivery was lost permanently.

The fold itself decides whether something differs: a correction is recorded only if it would change the
sprint's numbers, dates or title. So nothing is corrected twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

import structlog

from bot.github.client import GitHub, GitHubRefusedError
from bot.github.linked_issues import LinkedIssues, fetch_open_links, record_links
from bot.isolation import isolated
from bot.sync.reconciliation_queries import (
    MOST_PAGES,
    GitHubState,
    Json,
    fetch_items,
    fetch_milestone,
    is_node_id,
    list_nodes,
)
from handlers.payloads import clean
from sprints.history import ItemState, LabelHistory, trace_changes
from sprints.milestone import Phase, Sprint, derive_sprint, parse_github_time
from sprints.model import Event, EventSource, ItemEvent, ItemSnapshot, MilestoneEvent, State, sort_events
from sprints.numbering import local_number
from sprints.people import account_login
from sprints.pull_requests import RECENT, group_head_events
from storage.closed_sprints import ClosedSprints
from storage.database import Database, Tenant
from storage.deliveries import Deliveries
from storage.projects import Project, Projects
from storage.pull_requests import PullRequests
from storage.recorder import Recorder, TimelineRow
from storage.sprints import Sprints
from storage.timeline import Timeline

# Webhooks of more recent events may still be on their way.
_SETTLING = timedelta(minutes=10)
_STEP = timedelta(seconds=1)
_DROPPING_REASONS = {"NOT_PLANNED", "DUPLICATE"}


_StoredItems = Mapping[str, list[ItemEvent]]


class Reconciliation:
    """Compares and corrects one tenant's running sprints."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> int:
        """Compare all running sprints. Returns how many items and milestones were corrected.

        Raises GitHubUnavailableError; corrections made until then stay.
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
        """Compare the running sprints of one repository, and the links of its pull requests once."""
        corrected, links = 0, dict[int, LinkedIssues]()
        try:
            with isolated(self._log, "links not compared", project=project.id):
                links |= await self._fetch_open_links(project)
        except GitHubRefusedError as refusal:
            self._log.warning("GitHub refused its links", project=project.id, status=refusal.status)
        for sprint in sprints:
            try:
                with isolated(self._log, "comparison failed", project=project.id, sprint=sprint.number):
                    corrected += await self._reconcile(organization_id, project, sprint, links)
            except GitHubRefusedError as refusal:
                # The sprints of other repositories may still be comparable.
                self._log.warning("GitHub refused a comparison", project=project.id, status=refusal.status)
        with isolated(self._log, "links not recorded", project=project.id):
            await self._record_links(organization_id, project, links)
        return corrected

    async def _reconcile(
        self, organization_id: int, project: Project, sprint: Sprint, links: dict[int, LinkedIssues]
    ) -> int:
        """Compare one sprint. Returns the number of corrections; adds its pull requests' links to `links`."""
        installation = self._github.installation(project.installation or 0)
        github_state = await fetch_milestone(installation, project.full_name or "", sprint.number)
        if github_state is None or (
            is_node_id(project.node_id) and github_state.repository != project.node_id
        ):
            # The name belongs to no repository now, or to another one.
            self._log.warning("repository not found for a comparison", project=project.id)
            return 0
        async with self._database.tenant(organization_id) as tenant:
            recorded = await Timeline(tenant).items_of(project.id, sprint.milestone)
        absent_ids = [
            item
            for item, events in recorded.items()
            if _get_number(events) not in github_state.items and is_node_id(item)
        ]
        github_state.absent = await fetch_items(installation, absent_ids)
        async with self._database.tenant(organization_id) as tenant:
            if await _has_waiting_deliveries(tenant):
                return 0
            comparison = _Comparison(tenant, project, sprint, github_state, self._clock())
            corrections = await comparison.corrections()
            for kind, number, differs in comparison.differences:
                self._log.info(
                    "corrected", project=project.id, sprint=sprint.number, what=kind, number=number,
                    differs=differs,
                )  # fmt: skip
            await Recorder(tenant).record([TimelineRow(project.id, fact) for fact in corrections])
        links |= {listed.number: listed for listed in github_state.links}
        return len(comparison.differences)

    async def _fetch_open_links(self, project: Project) -> dict[int, LinkedIssues]:
        """Fetch the links of open pull requests, which may be linked with a sprint's items."""
        installation = self._github.installation(project.installation or 0)
        lists = await fetch_open_links(installation, project.full_name or "", MOST_PAGES)
        return {listed.number: listed for listed in lists}

    async def _record_links(
        self, organization_id: int, project: Project, links: Mapping[int, LinkedIssues]
    ) -> None:
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            head_facts = group_head_events(await PullRequests(tenant, project.id).heads(now - RECENT))
            await record_links(tenant, project, list(links.values()), head_facts, now)


class _Comparison:
    """Comparison of a recorded sprint with GitHub's state of it. `differences` are for the log."""

    def __init__(
        self, tenant: Tenant, project: Project, sprint: Sprint, github_state: GitHubState, now: datetime
    ) -> None:
        self._timeline = Timeline(tenant)
        self._project = project
        self._sprint = sprint
        self._github_state = github_state
        self._now = now
        self._delivery = f"reconcile:{now.date().isoformat()}"
        self._milestones: dict[int, int | None] = {sprint.number: sprint.milestone}
        self._labels = LabelHistory(())
        self.differences: list[tuple[str, int, list[str]]] = []

    async def corrections(self) -> list[Event]:
        """Compute the facts that are missing on the timeline."""
        sprint, github_state = self._sprint, self._github_state
        self._labels = LabelHistory(await self._timeline.labels(self._project.id))
        recorded: _StoredItems = await self._timeline.items_of(self._project.id, sprint.milestone)
        if github_state.items.keys() - {_get_number(events) for events in recorded.values()}:
            # An item that is new in this milestone may be recorded outside of it.
            recorded = await self._timeline.items(self._project.id)
        # Matched by number, because GitHub has two forms of node ids.
        ids = {_get_number(events): item for item, events in recorded.items()}
        missing: list[Event] = [
            *self._milestone_corrections(await self._timeline.milestone(self._project.id, sprint.milestone))
        ]
        for number, node in github_state.items.items():
            item = ids.get(number) or str(node["id"])
            missing += self._item_corrections(item, recorded.get(item, []), await self._snapshot(node), node)
        for item, absent_node in github_state.absent.items():
            if not (events := recorded.get(item)):
                continue
            if absent_node is None or absent_node["repository"]["id"] != github_state.repository:
                missing += self._removal(item, events, absent_node)
            else:
                missing += self._item_corrections(
                    item, events, await self._snapshot(absent_node), absent_node
                )
        return missing

    def _item_corrections(
        self, item: str, events: list[ItemEvent], snapshot: ItemSnapshot, node: Json
    ) -> list[ItemEvent]:
        updated_at = _parse_time(node["updatedAt"])
        if self._is_fresh(updated_at, events):
            return []
        correction = ItemEvent(
            item, "corrected", updated_at, self._delivery, snapshot, source=EventSource.CORRECTION
        )
        if not events:
            return self._facts_of_new_item(correction)
        before = self._state(events)
        last = max(event.at for event in events)
        closed_at = snapshot.closed_at
        if before.state is State.OPEN and closed_at is not None and closed_at > last:
            correction = replace(correction, at=closed_at)
        return self._if_effective(events, replace(correction, at=_later_than(correction.at, last)))

    def _facts_of_new_item(self, correction: ItemEvent) -> list[ItemEvent]:
        """Build the facts of an unknown item: its present fields, dated at its creation, and its closing."""
        snapshot = correction.snapshot
        opened = replace(snapshot, state=State.OPEN, closed_at=None)
        facts = [replace(correction, at=snapshot.created_at, snapshot=opened)]
        if snapshot.state is not State.OPEN and snapshot.closed_at is not None:
            facts.append(replace(correction, at=_later_than(snapshot.closed_at, snapshot.created_at)))
        self.differences.append(("item", local_number(snapshot.number), ["unknown"]))
        return facts

    def _removal(self, item: str, events: list[ItemEvent], node: Json | None) -> list[ItemEvent]:
        """Build the fact that an item was deleted, or transferred if GitHub shows it elsewhere; dated now."""
        if self._is_fresh(None, events) or self._state(events).is_gone:
            return []
        correction = ItemEvent(
            item=item,
            event="transferred" if node else "deleted",
            at=_later_than(self._now, max(event.at for event in events)),
            delivery=self._delivery,
            snapshot=sort_events(events)[-1].snapshot,
            named=node["id"] if node else None,
            source=EventSource.CORRECTION,
        )
        return self._if_effective(events, correction)

    def _if_effective(self, events: list[ItemEvent], correction: ItemEvent) -> list[ItemEvent]:
        before, after = self._state(events), self._state([*events, correction])
        if before == after:
            return []
        self.differences.append(
            ("item", local_number(correction.snapshot.number), _differing_fields(before, after))
        )
        return [correction]

    def _state(self, events: Sequence[ItemEvent]) -> ItemState:
        """The item's state after all recorded events, including those of this moment."""
        history = trace_changes(
            events, self._sprint.milestone, self._project.rules.estimates, self._labels.find_for(events)
        )
        return history[-1].after if history else ItemState()

    def _milestone_corrections(self, events: list[MilestoneEvent]) -> list[MilestoneEvent]:
        node, latest = self._github_state.milestone, sort_events(events)[-1]
        updated_at = _parse_time(node["updatedAt"]) if node else None
        if self._is_fresh(updated_at, [event for event in events if event.event != "observed"]):
            return []
        correction = replace(
            latest, event="deleted", at=self._now, delivery=self._delivery, before=None, actor=None,
            source=EventSource.CORRECTION,
        )  # fmt: skip
        if node and updated_at:
            correction = replace(self._with_present_fields(correction, node), at=updated_at)
            if correction.event == "closed" and correction.closed_at:
                correction = replace(correction, at=correction.closed_at)
        correction = replace(correction, at=_later_than(correction.at, max(event.at for event in events)))
        moment = max(correction.at, self._now) + _STEP
        calendar = self._sprint.calendar
        before, after = (
            derive_sprint(history, moment, calendar) for history in (events, [*events, correction])
        )
        if before == after:
            return []
        self.differences.append(("milestone", correction.number, _differing_fields(before, after)))
        return [correction]

    def _with_present_fields(self, correction: MilestoneEvent, node: Json) -> MilestoneEvent:
        event = "edited"
        if node["closed"] != (self._sprint.closed_at is not None):
            event = "closed" if node["closed"] else "opened"
        return replace(
            correction,
            event=event,
            title=clean(node["title"]),
            description=clean(node["description"]) if node["description"] else None,
            due_on=parse_github_time(node["dueOn"]),
            closed_at=_parse_time(node["closedAt"]) if node["closedAt"] else None,
        )

    def _is_fresh(
        self, updated_at: datetime | None, events: Sequence[ItemEvent] | Sequence[MilestoneEvent]
    ) -> bool:
        """Whether GitHub's state or the events are so recent that webhooks may still be on their way."""
        moments = [event.at for event in events]
        if updated_at is not None:
            moments.append(updated_at)
        return any(at > self._now - _SETTLING for at in moments)

    async def _snapshot(self, node: Json) -> ItemSnapshot:
        return ItemSnapshot(
            number=node["number"],
            title=clean(node["title"]),
            created_at=_parse_time(node["createdAt"]),
            state=_read_state(node),
            closed_at=_parse_time(node["closedAt"]) if node["closedAt"] else None,
            milestone=await self._milestone_id(node["milestone"]),
            labels=tuple(clean(label["name"]) for label in list_nodes(node["labels"])),
            is_pull_request=node["__typename"] == "PullRequest",
            author=_login(node["author"]) if node["author"] else None,
            assignees=tuple(clean(assignee["login"]) for assignee in list_nodes(node["assignees"])),
        )

    async def _milestone_id(self, node: Json | None) -> int | None:
        """Look up a milestone's id by its number, because GraphQL has no id; None if it is not recorded."""
        if node is None:
            return None
        number = node["number"]
        if number not in self._milestones:
            self._milestones[number] = await self._timeline.milestone_id(self._project.id, number)
        return self._milestones[number]


async def _sprints_to_compare(tenant: Tenant, project: Project, now: datetime) -> list[Sprint]:
    """The running sprints, and the sprints that ended in a gap and have no snapshot of their numbers yet."""
    sprints = Sprints(tenant, project.alone)
    sprints_now, gaps = await sprints.all(now), await sprints.gaps()
    unheard = [
        sprint for sprint in sprints_now if sprint.end and any(gap.contains(sprint.end) for gap in gaps)
    ]
    snapshots = await ClosedSprints(tenant, {project.id}).latest_of({sprint.milestone for sprint in unheard})
    snapshot_ends = {milestone: closed.ended_at for milestone, closed in snapshots.items()}
    ended = [sprint for sprint in unheard if snapshot_ends.get(sprint.milestone) != sprint.end]
    return [sprint for sprint in sprints_now if sprint.phase(now) is Phase.ACTIVE or sprint in ended]


async def _has_waiting_deliveries(tenant: Tenant) -> bool:
    return (await Deliveries(tenant).counts())["waiting"] > 0


def _login(actor: Json) -> str:
    """The login as in webhooks: GraphQL omits the suffix of a bot's login."""
    return account_login(clean(actor["login"]), str(actor["__typename"]))


def _read_state(node: Json) -> State:
    if not node["closed"]:
        return State.OPEN
    if node["__typename"] == "PullRequest":
        return State.DONE if node["merged"] else State.DROPPED
    return State.DROPPED if node["stateReason"] in _DROPPING_REASONS else State.DONE


def _parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _later_than(at: datetime, last: datetime) -> datetime:
    """A time after the last event, so that the fold sees the correction last."""
    return at if at > last else last + _STEP


def _get_number(events: Sequence[ItemEvent]) -> int:
    return local_number(events[-1].snapshot.number)


def _differing_fields(before: ItemState | Sprint, after: ItemState | Sprint) -> list[str]:
    """The names of the fields that differ; values may be people's texts, which must not be logged."""
    return [
        field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)
    ]
