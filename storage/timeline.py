"""The append-only planning history: what handlers record, and what every number is folded from."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent
from storage.database import Tenant
from storage.tables import sprints, timeline

_MILESTONE = "milestone"


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A fact about an item or a milestone of one project. `actor` is the login of who did it."""

    project_id: int
    fact: ItemEvent | MilestoneEvent
    actor: str | None = None
    before: dict[str, object] | None = None


class Timeline:
    """One tenant's history."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

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
        query = (
            select(timeline.c.item, timeline.c.event, timeline.c.at, timeline.c.delivery, timeline.c.after)
            .where(timeline.c.organization_id == self._organization_id, timeline.c.item.in_(members))
            .order_by(timeline.c.item)
        )
        rows = await self._connection.execute(query)
        return {
            item: [_item_event(*row) for row in group]
            for item, group in itertools.groupby(rows, key=lambda row: row[0])
        }

    async def _milestones(self, *conditions: Any) -> dict[int, list[MilestoneEvent]]:
        query = select(timeline.c.event, timeline.c.at, timeline.c.delivery, timeline.c.after).where(
            timeline.c.organization_id == self._organization_id,
            timeline.c.kind == _MILESTONE,
            *conditions,
        )
        found: dict[int, list[MilestoneEvent]] = {}
        for row in await self._connection.execute(query):
            event = _milestone_event(*row)
            found.setdefault(event.milestone, []).append(event)
        return found

    async def _without_needless_observations(self, rows: Sequence[TimelineRow]) -> list[TimelineRow]:
        """A picture of a milestone tells nothing where the milestone's creation is known."""
        observed = {row.fact.milestone for row in rows if row.fact.event == "observed"}
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
        known |= {row.fact.milestone for row in rows if row.fact.event == "created"}
        return [row for row in rows if row.fact.event != "observed" or row.fact.milestone not in known]

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
        common = {
            "organization_id": self._organization_id,
            "project_id": row.project_id,
            "event": fact.event,
            "at": fact.at,
            "delivery": fact.delivery,
            "actor": row.actor,
            "before": row.before,
        }
        if isinstance(fact, MilestoneEvent):
            after = {name: getattr(fact, name) for name in _MILESTONE_FIELDS}
            return common | {
                "item": f"milestone:{fact.milestone}",
                "kind": _MILESTONE,
                "subject": "",
                "milestone_id": fact.milestone,
                "after": msgspec.to_builtins(after),
            }
        named = {"milestone": fact.milestone, "label": fact.label}
        return common | {
            "item": fact.item,
            "kind": "pull_request" if fact.snapshot.is_pull_request else "issue",
            "subject": fact.label or (str(fact.milestone) if fact.milestone else ""),
            "milestone_id": fact.milestone or fact.snapshot.milestone,
            "after": {k: v for k, v in named.items() if v} | {"item": msgspec.to_builtins(fact.snapshot)},
        }


_MILESTONE_FIELDS = ("milestone", "number", "title", "created_at", "description", "due_on", "closed_at")


def _item_event(
    item: str, event: str, at: datetime, delivery: str | None, after: dict[str, Any]
) -> ItemEvent:
    return ItemEvent(
        item=item,
        event=event,
        at=at,
        delivery=delivery or "",
        snapshot=msgspec.convert(after["item"], ItemSnapshot),
        milestone=after.get("milestone"),
        label=after.get("label"),
    )


def _milestone_event(event: str, at: datetime, delivery: str | None, after: dict[str, Any]) -> MilestoneEvent:
    told = {"event": event, "at": at, "delivery": delivery or ""}
    return msgspec.convert(after | told, MilestoneEvent)
