"""Steps of changes that were undone, by the items whose history shows them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from sprints.undone import ChangeSpan, Sign, UndoneStep
from storage.database import Tenant
from storage.tables import changes, undone_steps

# Of older changes it is not known when they ended.
_USUAL_DURATION = timedelta(minutes=5)
_CHANGE, _UNDO = changes.alias("undone_change"), changes.alias("undo")


@dataclass(frozen=True, slots=True)
class UndoneItemStep:
    """A step that was undone, to be recorded: where its item is, and the item as the timeline names it."""

    project_id: int
    item: str
    done: frozenset[Sign]
    undone: frozenset[Sign]
    is_milestone: bool = False


@dataclass(frozen=True, slots=True)
class UndoneChange:
    """A change that was undone: its command, who ran it when, and who undid it when."""

    id: int
    command: str
    actor: str
    at: datetime
    undone_by: str
    undone_at: datetime


class UndoneSteps:
    """The undone steps of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def record(self, change_id: int, undo_id: int, app: str, steps: Iterable[UndoneItemStep]) -> None:
        """Record the steps of a change that another change has undone, once."""
        rows = [
            {
                "organization_id": self._organization_id,
                "project_id": step.project_id,
                "item": step.item,
                "change_id": change_id,
                "undo_id": undo_id,
                "position": position,
                "is_milestone": step.is_milestone,
                "app": app,
                "done": _encode(step.done),
                "undone": _encode(step.undone),
            }
            for position, step in enumerate(steps)
        ]
        if rows:
            await self._connection.execute(insert(undone_steps).on_conflict_do_nothing(), rows)

    def has_any_of(self, items: Collection[str]) -> ColumnElement[bool]:
        """A column, computed once for a query, that says whether any of these items has an undone step."""
        return self._has_any(undone_steps.c.item == any_(cast(list(items), ARRAY(Text))))

    def has_any_of_milestones(self) -> ColumnElement[bool]:
        """A column, computed once for a query, that says whether any milestone has an undone step."""
        return self._has_any(undone_steps.c.is_milestone)

    def _has_any(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        mine = undone_steps.c.organization_id == self._organization_id
        return select(undone_steps.c.id).where(mine, condition).exists().label("has_undone")

    async def of(self, items: Collection[str]) -> dict[str, list[UndoneStep]]:
        """The undone steps of items, named as in the timeline, by item; most have none."""
        query = self._with_changes(
            *(undone_steps.c[name] for name in ("item", "change_id", "app", "done", "undone")),
            _CHANGE.c.decided_at.label("began_at"),
            _CHANGE.c.finished_at.label("ended_at"),
            _UNDO.c.decided_at.label("undo_began_at"),
            _UNDO.c.finished_at.label("undo_ended_at"),
        ).where(undone_steps.c.item == any_(cast(list(items), ARRAY(Text))))
        steps = dict[str, list[UndoneStep]]()
        for row in await self._connection.execute(query.order_by(undone_steps.c.id)):
            step = UndoneStep(
                row.change_id,
                row.app,
                _decode(row.done),
                _decode(row.undone),
                _span(row.began_at, row.ended_at),
                _span(row.undo_began_at, row.undo_ended_at),
            )
            steps.setdefault(row.item, []).append(step)
        return steps

    async def changes(self, change_ids: Collection[int]) -> list[UndoneChange]:
        """The undone changes with these ids, the oldest first."""
        query = (
            self._with_changes(
                _CHANGE.c.id,
                _CHANGE.c.command,
                func.coalesce(_CHANGE.c.decided_by, _CHANGE.c.actor),
                _CHANGE.c.decided_at,
                func.coalesce(_UNDO.c.decided_by, _UNDO.c.actor),
                _UNDO.c.decided_at,
            )
            .where(undone_steps.c.change_id.in_(change_ids))
            .distinct()
            .order_by(_CHANGE.c.id)
        )
        return [UndoneChange(*row) for row in await self._connection.execute(query)] if change_ids else []

    def _with_changes(self, *columns: Any) -> Select[Any]:
        mine = undone_steps.c.organization_id == self._organization_id
        is_change = (_CHANGE.c.organization_id == undone_steps.c.organization_id) & (
            _CHANGE.c.id == undone_steps.c.change_id
        )
        is_undo = (_UNDO.c.organization_id == undone_steps.c.organization_id) & (
            _UNDO.c.id == undone_steps.c.undo_id
        )
        return (
            select(*columns)
            .select_from(undone_steps)
            .join(_CHANGE, is_change)
            .join(_UNDO, is_undo)
            .where(mine)
        )


def milestone_item(milestone: int) -> str:
    """The item of the facts about a milestone, by GitHub's id."""
    return f"milestone:{milestone}"


def _encode(signs: Iterable[Sign]) -> list[list[str]]:
    return sorted([sign.event, sign.subject] for sign in signs)


def _decode(signs: list[list[str]]) -> frozenset[Sign]:
    return frozenset(Sign(*sign) for sign in signs)


def _span(began_at: datetime, ended_at: datetime | None) -> ChangeSpan:
    return ChangeSpan(began_at, ended_at or began_at + _USUAL_DURATION)
