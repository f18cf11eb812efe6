"""Records facts in the planning history, and brings the projections of their items up to date."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from sprints.model import ActivityEvent, Event, ItemEvent, LabelEvent, MilestoneEvent
from storage.database import Tenant
from storage.item_projections import ItemProjections
from storage.projects import Projects
from storage.tables import sprints, timeline
from storage.timeline import ITEMS, LABEL, MILESTONE, Timeline
from storage.undone_steps import milestone_item


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """A fact of one project, or of an installation, where `project_id` is None."""

    project_id: int | None
    fact: Event


class Recorder:
    """Records the facts of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

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
        await self._refresh_projections(rows)

    async def _refresh_projections(self, rows: Sequence[TimelineRow]) -> None:
        """Bring the projections of all items that the facts are about up to date."""
        items, labels = dict[int, set[str]](), dict[int, set[str]]()
        for row in rows:
            if row.project_id is None:
                continue
            if isinstance(row.fact, ItemEvent):
                items.setdefault(row.project_id, set()).add(row.fact.item)
            elif isinstance(row.fact, LabelEvent):
                labels.setdefault(row.project_id, set()).add(row.fact.name)
        projections = ItemProjections(self._tenant, Timeline(self._tenant))
        for project_id, names in sorted(labels.items()):
            await projections.mark_relabelled(project_id, names)
        for project_id, node_ids in sorted(items.items()):
            if project := await Projects(self._tenant).get(project_id):
                await projections.refresh(project_id, node_ids, project.rules)

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
            timeline.c.kind == MILESTONE,
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


_FORGET = text("select forget_text(:item)")
_MILESTONE_FIELDS = ("milestone", "number", "title", "created_at", "description", "due_on", "closed_at")


def _columns_by_kind(fact: Event) -> dict[str, Any]:
    """The columns that differ between the kinds of facts."""
    match fact:
        case MilestoneEvent():
            after = {name: getattr(fact, name) for name in _MILESTONE_FIELDS}
            return {
                "item": milestone_item(fact.milestone),
                "kind": MILESTONE,
                "milestone_id": fact.milestone,
                "before": fact.before,
                "after": msgspec.to_builtins(after),
            }
        case ItemEvent():
            named = {"milestone": fact.milestone, "label": fact.label, "named": fact.named}
            subject = {name: value for name, value in named.items() if value}
            return {
                "item": fact.item,
                "kind": ITEMS[fact.snapshot.is_pull_request],
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
                "kind": LABEL,
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
