"""The append-only planning history: what handlers record, and what every number is folded from."""

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
    """A fact of one project, or of none: an installation's."""

    project_id: int | None
    fact: Event


class Timeline:
    """One tenant's history."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._known_logins: Logins | None = None

    async def record(self, rows: Sequence[TimelineRow]) -> None:
        """Adds facts; one that is known already is left as it is."""
        if not rows:
            return
        rows = await self._without_needless_observations(rows)
        values = [self._values(row) for row in rows]
        # Always in the same order, so that two workers with the same facts wait and do not dead-lock.
        values.sort(key=lambda v: (v["item"], v["event"], v["at"], v["subject"]))
        if values:
            await self._connection.execute(insert(timeline).on_conflict_do_nothing(), values)
        await self._remember_milestones(rows)
        for row in rows:
            if row.fact.event == "deleted" and isinstance(row.fact, ItemEvent):
                await self._connection.execute(_FORGET, {"item": row.fact.item})

    async def milestone_id(self, project_id: int, number: int) -> int | None:
        """GitHub's id of a repository's milestone."""
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
        found = await self._milestones(
            timeline.c.project_id == project_id, timeline.c.milestone_id == milestone
        )
        return found.get(milestone, [])

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
        """All events of the issue or pull request with this number in a repository."""
        is_named = timeline.c.after["item", "number"].as_string() == str(number)
        named = select(timeline.c.item).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id == project_id,
            timeline.c.kind.in_(_ITEMS),
            is_named,
        )
        found = await self._items(timeline.c.project_id == project_id, timeline.c.item.in_(named))
        return next(iter(found.values()), [])

    async def items_named(self, items: Collection[str]) -> dict[str, list[ItemEvent]]:
        """All events of these items, by node id, whichever repository of the tenant they are in."""
        if not items:
            return {}
        return await self._items(timeline.c.item.in_(items), timeline.c.kind.in_(_ITEMS))

    async def items_since(self, project_id: int, since: datetime) -> dict[str, list[ItemEvent]]:
        """All events, by item, of the items that something happened to since a moment.

        With them come those that say whether others tell their work (see coverage.py): their sub-issues,
        and the issues that pull requests close.
        """
        values = {"tenant": self._organization_id, "project": project_id, "since": since}
        touched = select(_TOUCHED.bindparams(**values).columns(timeline.c.item).subquery().c.item)
        mine = timeline.c.project_id == project_id, timeline.c.kind.in_(_ITEMS)
        found = await self._items(*mine, timeline.c.item.in_(touched))
        shown = [event.snapshot for told in found.values() for event in told]
        closes = {number for snapshot in shown for number in snapshot.closes or ()}
        missing = closes - {snapshot.number for snapshot in shown}
        if missing:
            named = select(timeline.c.item).where(
                timeline.c.organization_id == self._organization_id,
                *mine,
                timeline.c.after["item", "number"].as_integer().in_(missing),
            )
            found |= await self._items(*mine, timeline.c.item.in_(named))
        return found

    async def labels(self, project_id: int) -> list[LabelEvent]:
        """What happened to a repository's labels."""
        query = self._facts().where(timeline.c.project_id == project_id, timeline.c.kind == _LABEL)
        logins = await self._logins()
        return [
            logins.in_label(_label_event(row), moment_of_logins(row))
            for row in await self._connection.execute(query)
        ]

    async def activity(
        self, project_id: int, kind: str, since: datetime, until: datetime
    ) -> list[ActivityEvent]:
        """What else happened in a repository within `[since, until)`; kinds are those of ActivityEvent."""
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
        """The names of the permissions that an installation had before a moment; None if none were noted."""
        permissions = timeline.c.after["permissions"]
        query = (
            select(permissions)
            .where(timeline.c.organization_id == self._organization_id)
            .where(timeline.c.item == f"installation:{installation}", timeline.c.at < moment)
            .where(func.jsonb_typeof(permissions) == "object", permissions != {})
            .order_by(timeline.c.at.desc())
            .limit(1)
        )
        found = await self._connection.scalar(query)
        return None if found is None else set(found)

    async def last_heard(self, project_id: int, before: datetime | None = None) -> datetime | None:
        """When the last thing happened in a repository that a webhook told of, `before` a moment if given."""
        query = select(func.max(timeline.c.at)).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id == project_id,
            timeline.c.source == EventSource.WEBHOOK.value,
        )
        if before is not None:
            query = query.where(timeline.c.at < before)
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def corrections(self) -> int:
        """How many facts were found missing, in all repositories."""
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
        """Which people are to be told by another login than history has; asked for once."""
        if self._known_logins is None:
            self._known_logins = await Logins.of(self._tenant)
        return self._known_logins

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
        found: dict[int, list[MilestoneEvent]] = {}
        logins = await self._logins()
        for row in await self._connection.execute(query):
            event = logins.in_milestone(_milestone_event(row), moment_of_logins(row))
            found.setdefault(event.milestone, []).append(event)
        return found

    async def _without_needless_observations(self, rows: Sequence[TimelineRow]) -> list[TimelineRow]:
        """A picture of a milestone tells nothing where the milestone's creation is known."""
        told = [row.fact for row in rows if isinstance(row.fact, MilestoneEvent)]
        observed = {fact.milestone for fact in told if fact.event == "observed"}
        if not observed:
            return list(rows)
        query = select(timeline.c.milestone_id).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.project_id.in_({row.project_id for row in rows}),
            timeline.c.milestone_id.in_(observed),
            timeline.c.kind == _MILESTONE,
            timeline.c.event == "created",
        )
        known = set(await self._connection.scalars(query))
        known |= {fact.milestone for fact in told if fact.event == "created"}
        return [
            row
            for row in rows
            if not isinstance(row.fact, MilestoneEvent)
            or row.fact.event != "observed"
            or row.fact.milestone not in known
        ]

    async def _remember_milestones(self, rows: Iterable[TimelineRow]) -> None:
        told = {
            (row.project_id, row.fact.milestone, row.fact.number)
            for row in rows
            if isinstance(row.fact, MilestoneEvent)
        }
        if told:
            await self._connection.execute(
                insert(sprints).on_conflict_do_nothing(),
                [
                    {
                        "organization_id": self._organization_id,
                        "project_id": project_id,
                        "github_milestone_id": milestone,
                        "github_milestone_number": number,
                    }
                    for project_id, milestone, number in sorted(told)
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
            **_told_by(fact),
        }


# Union, not union all, so that a circle of parents ends.
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


def _told_by(fact: Event) -> dict[str, Any]:
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
            told = {name: value for name, value in named.items() if value}
            return {
                "item": fact.item,
                "kind": _ITEMS[fact.snapshot.is_pull_request],
                "subject": str(next(iter(told.values()), "")),
                "milestone_id": fact.milestone or fact.snapshot.milestone,
                "before": fact.before,
                "after": told
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
    """Most pictures show little: what a snapshot has anyway is not stored. That it closes nothing is told."""
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
    told = {"event": row.event, "at": row.at, "delivery": row.delivery or ""}
    known = {"before": row.before, "actor": row.actor, "source": row.source}
    return msgspec.convert(row.after | told | known, MilestoneEvent)


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
    """The fact that a row of the timeline tells, of the kinds that have no class of their own."""
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
