"""The append-only planning history, which handlers record and every number is folded from."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import insert

from sprints.model import (
    ActivityEvent,
    Event,
    EventSource,
    ItemEvent,
    ItemSnapshot,
    LabelEvent,
    MilestoneEvent,
)
from storage.database import Tenant
from storage.logins import Logins, moment_of_logins
from storage.tables import sprints, timeline

_MILESTONE, _LABEL = "milestone", "label"
_ITEMS = ("issue", "pull_request")


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A fact of one project, or of an installation, where `project_id` is None."""

    project_id: int | None
    fact: Event


class Timeline:
    """The timeline of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._loaded_logins: Logins | None = None

    async def record(self, rows: Sequence[TimelineRow]) -> None:
        """Record facts; a fact that is recorded already is left unchanged."""
        if not rows:
            return
        rows = await self._without_redundant_observations(rows)
        values = [self._values(row) for row in rows]
        # Always in the same order, so that two workers with the same facts wait and do not dead-lock.
        values.sort(key=lambda v: (v["item"], v["event"], v["at"], v["subject"]))
        if values:
            await self._connection.execute(insert(timeline).on_conflict_do_nothing(), values)
        await self._store_milestones(rows)
        for row in rows:
            if row.fact.event == "deleted" and isinstance(row.fact, ItemEvent):
                await self._connection.execute(_FORGET, {"item": row.fact.item})

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
        members = (
            select(timeline.c.item)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.project_id == project_id, timeline.c.milestone_id == milestone)
            .where(timeline.c.kind != _MILESTONE)
            .distinct()
        )
        return await self._items(timeline.c.item.in_(members), timeline.c.kind.in_(_ITEMS))

    async def items(self, project_id: int) -> dict[str, list[ItemEvent]]:
        """All events, by item, of all items of a repository."""
        return await self._items(timeline.c.project_id == project_id, timeline.c.kind.in_(_ITEMS))

    async def item(self, project_id: int, number: int) -> list[ItemEvent]:
        """All events of the issue or pull request with a number in a repository."""
        item_ids = select(timeline.c.item).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id == project_id,
            timeline.c.kind.in_(_ITEMS),
            timeline.c.number == str(number),
        )
        items = await self._items(timeline.c.project_id == project_id, timeline.c.item.in_(item_ids))
        return next(iter(items.values()), [])

    async def items_by_id(self, items: Collection[str]) -> dict[str, list[ItemEvent]]:
        """All events of these items, by node id, whichever repository of the tenant they are in."""
        if not items:
            return {}
        return await self._items(timeline.c.item.in_(items), timeline.c.kind.in_(_ITEMS))

    async def items_since(self, project_id: int, since: datetime) -> dict[str, list[ItemEvent]]:
        """All events, by item, of the items with events since a moment, and of related items.

        Related are sub-issues and the issues that pull requests close, which decide whether an item's work is
        covered by linked items (see coverage.py).
        """
        values = {"tenant": self._organization_id, "project": project_id, "since": since}
        touched = select(_TOUCHED.bindparams(**values).columns(timeline.c.item).subquery().c.item)
        is_item = timeline.c.project_id == project_id, timeline.c.kind.in_(_ITEMS)
        by_item = await self._items(*is_item, timeline.c.item.in_(touched))
        snapshots = [event.snapshot for events in by_item.values() for event in events]
        closes = {number for snapshot in snapshots for number in snapshot.closes or ()}
        missing = closes - {snapshot.number for snapshot in snapshots}
        if missing:
            closed_items = select(timeline.c.item).where(
                timeline.c.organization_id == self._organization_id,
                *is_item,
                timeline.c.number.in_([str(number) for number in missing]),
            )
            by_item |= await self._items(*is_item, timeline.c.item.in_(closed_items))
        return by_item

    async def labels(self, project_id: int) -> list[LabelEvent]:
        """The events of a repository's labels."""
        query = self._facts().where(timeline.c.project_id == project_id, timeline.c.kind == _LABEL)
        logins = await self._logins()
        return [
            logins.in_label(_label_event(row), moment_of_logins(row))
            for row in await self._connection.execute(query)
        ]

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
        logins = await self._logins()
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

    async def _items(self, *conditions: Any) -> dict[str, list[ItemEvent]]:
        query = self._facts().where(*conditions).order_by(timeline.c.item)
        logins, rows = await self._logins(), await self._connection.execute(query)
        return {
            item: [logins.in_item(_item_event(row), moment_of_logins(row)) for row in group]
            for item, group in itertools.groupby(rows, key=lambda row: row.item)
        }

    async def _logins(self) -> Logins:
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
        query = self._facts().where(timeline.c.kind == _MILESTONE, *conditions)
        milestones: dict[int, list[MilestoneEvent]] = {}
        logins = await self._logins()
        for row in await self._connection.execute(query):
            event = logins.in_milestone(_milestone_event(row), moment_of_logins(row))
            milestones.setdefault(event.milestone, []).append(event)
        return milestones

    async def _without_redundant_observations(self, rows: Sequence[TimelineRow]) -> list[TimelineRow]:
        """Drop observations of milestones whose creation is recorded, because they add nothing."""
        facts = [row.fact for row in rows if isinstance(row.fact, MilestoneEvent)]
        observed = {fact.milestone for fact in facts if fact.event == "observed"}
        if not observed:
            return list(rows)
        query = select(timeline.c.milestone_id).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id.in_({row.project_id for row in rows}),
            timeline.c.milestone_id.in_(observed),
            timeline.c.kind == _MILESTONE,
            timeline.c.event == "created",
        )
        created = set(await self._connection.scalars(query))
        created |= {fact.milestone for fact in facts if fact.event == "created"}
        return [
            row
            for row in rows
            if not isinstance(row.fact, MilestoneEvent)
            or row.fact.event != "observed"
            or row.fact.milestone not in created
        ]

    async def _store_milestones(self, rows: Iterable[TimelineRow]) -> None:
        milestones = {
            (row.project_id, row.fact.milestone, row.fact.number)
            for row in rows
            if isinstance(row.fact, MilestoneEvent)
        }
        if milestones:
            await self._connection.execute(
                insert(sprints).on_conflict_do_nothing(),
                [
                    {
                        "organization_id": self._organization_id,
                        "project_id": project_id,
                        "github_milestone_id": milestone,
                        "github_milestone_number": number,
                    }
                    for project_id, milestone, number in sorted(milestones)
                ],
            )

    def _values(self, row: TimelineRow) -> dict[str, Any]:
        fact = row.fact
        return {
            "organization_id": self._organization_id,
            "project_id": row.project_id,
            "event": fact.event,
            "at": fact.at,
            "delivery": fact.delivery or None,
            "actor": fact.actor,
            "source": fact.source.value,
            "subject": "",
            "milestone_id": None,
            "before": None,
            **_columns_by_kind(fact),
        }


# Union instead of union all, so that a circle of parents ends.
_TOUCHED = text(
    """
    with recursive touched(item) as (
        select item from timeline
        where organization_id = :tenant and project_id = :project and at >= :since
        union
        select child.item from timeline as child join touched on child.subject = touched.item
        where child.organization_id = :tenant and child.event = 'parent_added'
    )
    select item from touched
    """
)
_FORGET = text("select forget_text(:item)")
_MILESTONE_FIELDS = ("milestone", "number", "title", "created_at", "description", "due_on", "closed_at")


def _columns_by_kind(fact: Event) -> dict[str, Any]:
    """The columns that differ between the kinds of facts."""
    match fact:
        case MilestoneEvent():
            after = {name: getattr(fact, name) for name in _MILESTONE_FIELDS}
            return {
                "item": f"milestone:{fact.milestone}",
                "kind": _MILESTONE,
                "milestone_id": fact.milestone,
                "before": fact.before,
                "after": msgspec.to_builtins(after),
            }
        case ItemEvent():
            named = {"milestone": fact.milestone, "label": fact.label, "named": fact.named}
            subject = {name: value for name, value in named.items() if value}
            return {
                "item": fact.item,
                "kind": _ITEMS[fact.snapshot.is_pull_request],
                "subject": str(next(iter(subject.values()), "")),
                "milestone_id": fact.milestone or fact.snapshot.milestone,
                "before": fact.before,
                "after": subject
                | ({"reason": fact.reason} if fact.reason else {})
                | {"item": _without_defaults(msgspec.to_builtins(fact.snapshot))},
            }
        case LabelEvent():
            return {
                "item": fact.label,
                "kind": _LABEL,
                "subject": fact.name,
                "before": {"name": fact.name},
                "after": {"name": fact.new_name},
            }
        case ActivityEvent():
            return {
                "item": f"{fact.kind}:{fact.subject}",
                "kind": fact.kind,
                "subject": fact.subject,
                "before": fact.before,
                "after": dict(fact.details),
            }


def _without_defaults(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Drop a snapshot's fields with default values, except an empty `closes`, which is a fact."""
    return {
        name: value
        for name, value in snapshot.items()
        if value not in (None, [], False) or (name == "closes" and value is not None)
    }


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
