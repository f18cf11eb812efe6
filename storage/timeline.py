"""The append-only planning history, from which every number is folded. storage/recorder.py adds to it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Text, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from sprints.model import (
    ActivityEvent,
    EventSource,
    ItemEvent,
    ItemSnapshot,
    LabelEvent,
    MilestoneEvent,
)
from sprints.undone import is_undone, net_undone_edits, net_undone_steps
from storage.database import Tenant
from storage.logins import Logins, moment_of_logins
from storage.tables import sprints, timeline
from storage.undone_steps import UndoneSteps, milestone_item

# The kinds of rows about milestones, labels, and items (a pull request second).
MILESTONE, LABEL = "milestone", "label"
ITEMS = ("issue", "pull_request")
# The events of so many items are read at once. In between, others get their turn on the event loop.
_SLICE = 100


class Timeline:
    """The timeline of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._undone = UndoneSteps(tenant)
        self._loaded_logins: Logins | None = None
        self._loaded_labels: dict[int, list[LabelEvent]] = {}

    async def milestone_id(self, project_id: int, number: int) -> int | None:
        """GitHub's id of a repository's milestone by its number; None if it is unknown."""
        query = select(sprints.c.github_milestone_id).where(
            sprints.c.organization_id == self._organization_id,
            sprints.c.project_id == project_id,
            sprints.c.github_milestone_number == number,
        )
        return await self._connection.scalar(query)

    async def milestones(self, project_id: int) -> dict[int, list[MilestoneEvent]]:
        """All events of all milestones of a repository, by milestone."""
        return await self._milestones(timeline.c.project_id == project_id)

    async def milestone(self, project_id: int, milestone: int) -> list[MilestoneEvent]:
        """All events of one milestone."""
        milestones = await self._milestones(
            timeline.c.project_id == project_id, timeline.c.milestone_id == milestone
        )
        return milestones.get(milestone, [])

    async def items_of(self, project_id: int, milestone: int) -> dict[str, list[ItemEvent]]:
        """All events, by item, of all items that were ever in the milestone."""
        members = self._list_items(
            timeline.c.project_id == project_id,
            timeline.c.milestone_id == milestone,
            timeline.c.kind != MILESTONE,
        )
        return await self.items_by_id(await members)

    async def items(self, project_id: int) -> dict[str, list[ItemEvent]]:
        """All events, by item, of all items of a repository."""
        items = self._list_items(timeline.c.project_id == project_id, timeline.c.kind.in_(ITEMS))
        return await self.items_by_id(await items, project_id)

    async def item(self, project_id: int, number: int) -> list[ItemEvent]:
        """All events of the issue or pull request with a number in a repository."""
        has_number = timeline.c.number == str(number)
        items = self._list_items(timeline.c.project_id == project_id, timeline.c.kind.in_(ITEMS), has_number)
        return next(iter((await self.items_by_id(await items, project_id)).values()), [])

    async def items_by_id(
        self, items: Collection[str], project_id: int | None = None
    ) -> dict[str, list[ItemEvent]]:
        """All events of these items, by node id: of one repository, or of any of the tenant."""
        is_within = [] if project_id is None else [timeline.c.project_id == project_id]
        events = dict[str, list[ItemEvent]]()
        for items_slice in _slices(items):
            facts = self._facts().where(_is_one_of(items_slice), timeline.c.kind.in_(ITEMS), *is_within)
            events |= await self._read_items(items_slice, facts)
        return events

    async def items_to_fold(
        self, items: Collection[str], project_id: int, as_of: datetime | None = None
    ) -> dict[str, list[ItemEvent]]:
        """The events of these items of one repository, as far as they decide about the items' flows.

        With `as_of`, those before that moment. Left out are comments in issues but the first and the last
        event: they say nothing, and there may be thousands.
        """
        events = dict[str, list[ItemEvent]]()
        for items_slice in _slices(items):
            events |= await self._read_items(
                items_slice, self._deciding_facts(items_slice, project_id, as_of)
            )
        if as_of is None:
            return events
        # Whether a change was undone may be decided by what happened after the moment.
        undone = [item for item, item_events in events.items() if any(map(is_undone, item_events))]
        for item, item_events in (await self.items_by_id(undone, project_id)).items():
            events[item] = [event for event in item_events if event.at < as_of]
        return events

    def _deciding_facts(self, items: Sequence[str], project_id: int, as_of: datetime | None) -> Select[Any]:
        """Select the facts of items before a moment that decide about the items' flows."""
        is_past = [] if as_of is None else [timeline.c.at < as_of]
        facts = (
            self._facts()
            .add_columns(
                func.min(timeline.c.at).over(partition_by=timeline.c.item).label("first_at"),
                func.max(timeline.c.at).over(partition_by=timeline.c.item).label("last_at"),
            )
            .where(_is_one_of(items), timeline.c.kind.in_(ITEMS))
            .where(timeline.c.project_id == project_id, *is_past)
            .subquery()
        )
        decides = or_(
            facts.c.event != "commented",
            facts.c.kind != ITEMS[0],
            facts.c.at.in_([facts.c.first_at, facts.c.last_at]),
        )
        return select(facts).where(decides)

    async def labels(self, project_id: int) -> list[LabelEvent]:
        """The events of a repository's labels; loaded once."""
        if project_id not in self._loaded_labels:
            query = self._facts().where(timeline.c.project_id == project_id, timeline.c.kind == LABEL)
            logins = await self.logins()
            self._loaded_labels[project_id] = [
                logins.in_label(_label_event(row), moment_of_logins(row))
                for row in await self._connection.execute(query)
            ]
        return self._loaded_labels[project_id]

    async def activity(
        self, project_id: int, kind: str, since: datetime, until: datetime
    ) -> list[ActivityEvent]:
        """The other events of a kind in a repository within `[since, until)`; see ActivityEvent."""
        query = self._facts().where(
            timeline.c.project_id == project_id,
            timeline.c.kind == kind,
            timeline.c.at >= since,
            timeline.c.at < until,
        )
        logins = await self.logins()
        return [
            logins.in_activity(activity_event(row), moment_of_logins(row))
            for row in await self._connection.execute(query)
        ]

    async def permissions_before(self, installation: str, moment: datetime) -> set[str] | None:
        """The permissions of an installation before a moment, by name; None if none were recorded."""
        permissions = timeline.c.after["permissions"]
        query = (
            select(permissions)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.item == f"installation:{installation}", timeline.c.at < moment)
            .where(func.jsonb_typeof(permissions) == "object", permissions != {})
            .order_by(timeline.c.at.desc())
            .limit(1)
        )
        names = await self._connection.scalar(query)
        return None if names is None else set(names)

    async def last_webhook_event(self, project_id: int, before: datetime | None = None) -> datetime | None:
        """The time of a repository's last webhook event, or of the last before `before`; None if none."""
        query = select(func.max(timeline.c.at)).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id == project_id,
            timeline.c.source == EventSource.WEBHOOK.value,
        )
        if before is not None:
            query = query.where(timeline.c.at < before)
        at: datetime | None = await self._connection.scalar(query)
        return at

    async def count_corrections(self) -> int:
        """Count the facts that reconciliation added, in all repositories."""
        query = select(func.count()).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.source == EventSource.CORRECTION.value,
        )
        return int(await self._connection.scalar(query) or 0)

    async def _list_items(self, *conditions: ColumnElement[bool]) -> list[str]:
        """The node ids of the items of some facts, in order."""
        query = select(timeline.c.item).where(timeline.c.organization_id == self._organization_id)
        return list(await self._connection.scalars(query.where(*conditions).distinct().order_by("item")))

    async def _read_items(self, items: Collection[str], query: Select[Any]) -> dict[str, list[ItemEvent]]:
        """Read the events of a query about items by item; those of changes that were undone are neutral."""
        query = query.add_columns(self._undone.has_any_of(items)).order_by("item")
        logins, rows = await self.logins(), (await self._connection.execute(query)).all()
        events = dict[str, list[ItemEvent]]()
        for row in rows:
            event = logins.in_item(_item_event(row), moment_of_logins(row))
            events.setdefault(row.item, []).append(event)
        if rows and rows[0].has_undone:
            for item, steps in (await self._undone.of(items)).items():
                events[item] = net_undone_steps(events.get(item, ()), steps)
        return {item: item_events for item, item_events in events.items() if item_events}

    async def logins(self) -> Logins:
        """The former logins of the tenant's people; loaded once."""
        if self._loaded_logins is None:
            self._loaded_logins = await Logins.load(self._tenant)
        return self._loaded_logins

    def _facts(self) -> Select[Any]:
        columns = (
            *("item", "kind", "event", "at", "delivery", "actor", "source", "subject", "before", "after"),
            "created_at",
        )
        return select(*(timeline.c[name] for name in columns)).where(
            timeline.c.organization_id == self._organization_id
        )

    async def _milestones(self, *conditions: Any) -> dict[int, list[MilestoneEvent]]:
        query = self._facts().where(timeline.c.kind == MILESTONE, *conditions)
        query = query.add_columns(self._undone.has_any_of_milestones())
        milestones: dict[int, list[MilestoneEvent]] = {}
        logins, rows = await self.logins(), (await self._connection.execute(query)).all()
        for row in rows:
            event = logins.in_milestone(_milestone_event(row), moment_of_logins(row))
            milestones.setdefault(event.milestone, []).append(event)
        if rows and rows[0].has_undone:
            undone = await self._undone.of([milestone_item(milestone) for milestone in milestones])
            for milestone, events in milestones.items():
                milestones[milestone] = net_undone_edits(events, undone.get(milestone_item(milestone), ()))
        return milestones


def _slices(items: Collection[str]) -> Iterator[list[str]]:
    ordered = list(items)
    for first in range(0, len(ordered), _SLICE):
        yield ordered[first : first + _SLICE]


def _is_one_of(items: Sequence[str]) -> ColumnElement[bool]:
    return timeline.c.item == any_(cast(items, ARRAY(Text)))


def _item_event(row: Any) -> ItemEvent:
    after = row.after
    return ItemEvent(
        item=row.item,
        event=row.event,
        at=row.at,
        delivery=row.delivery or "",
        snapshot=msgspec.convert(after["item"], ItemSnapshot),
        milestone=after.get("milestone"),
        label=after.get("label"),
        named=after.get("named"),
        before=row.before,
        actor=row.actor,
        source=EventSource(row.source),
        reason=after.get("reason"),
    )


def _milestone_event(row: Any) -> MilestoneEvent:
    event = {"event": row.event, "at": row.at, "delivery": row.delivery or ""}
    details = {"before": row.before, "actor": row.actor, "source": row.source}
    return msgspec.convert(row.after | event | details, MilestoneEvent)


def _label_event(row: Any) -> LabelEvent:
    return LabelEvent(
        label=row.item,
        event=row.event,
        at=row.at,
        delivery=row.delivery or "",
        name=row.before["name"],
        new_name=row.after["name"],
        actor=row.actor,
        source=EventSource(row.source),
    )


def activity_event(row: Any) -> ActivityEvent:
    """Convert a row of the timeline to an ActivityEvent, for kinds without their own class."""
    return ActivityEvent(
        kind=row.kind,
        subject=row.subject,
        event=row.event,
        at=row.at,
        delivery=row.delivery or "",
        details=row.after,
        before=row.before,
        actor=row.actor,
        source=EventSource(row.source),
    )
