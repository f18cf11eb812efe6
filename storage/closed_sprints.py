"""Snapshots of closed sprints: their numbers a day after the end, which never change afterwards."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert

from sprints.milestone import Phase, Sprint
from sprints.plain import Values
from storage.database import Tenant
from storage.gaps import Gaps
from storage.tables import closed_sprints, github_events, projects, sprints

# Until then numbers are provisional: webhooks may be late, and people may close issues after the end.
SNAPSHOT_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ClosedSprint:
    """The snapshot of a closed sprint. A sprint that is reopened gets another revision when it ends again."""

    revision: int
    ended_at: datetime
    taken_at: datetime
    facts: dict[str, Any]


def is_snapshot_due(sprint: Sprint, now: datetime) -> bool:
    """Whether a sprint's snapshot is due: 24 hours after its end and after its closing."""
    if sprint.end is None or sprint.phase(now) is not Phase.COMPLETED:
        return False
    closing = max(sprint.end, sprint.closed_at or sprint.end)
    # A sprint that is closed long after its end counts as completed before: see GRACE_AFTER_END.
    return now >= min(closing, sprint.end + timedelta(days=2)) + SNAPSHOT_AFTER


class ClosedSprints:
    """The snapshots of a repository's closed sprints, and of the repositories that share its sprints."""

    def __init__(self, tenant: Tenant, project_ids: Collection[int]) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_ids = project_ids

    async def latest(self, milestone: int) -> ClosedSprint | None:
        """The newest snapshot of the sprint with GitHub's id `milestone`."""
        return (await self._latest(sprints.c.github_milestone_id == milestone)).get(milestone)

    async def latest_of(self, milestones: Collection[int]) -> dict[int, ClosedSprint]:
        """The newest snapshots of several sprints by GitHub's id of the milestone; some may have none."""
        return await self._latest(sprints.c.github_milestone_id.in_(milestones)) if milestones else {}

    async def list_taken(self) -> dict[int, tuple[datetime, datetime]]:
        """The end and the time of the newest snapshot of each sprint, by GitHub's id of the milestone."""
        is_same = (sprints.c.organization_id == closed_sprints.c.organization_id) & (
            sprints.c.id == closed_sprints.c.sprint_id
        )
        query = (
            select(sprints.c.github_milestone_id, closed_sprints.c.ended_at, closed_sprints.c.taken_at)
            .join(sprints, is_same)
            .where(closed_sprints.c.organization_id == self._organization_id)
            .where(sprints.c.project_id.in_(self._project_ids))
            .order_by(closed_sprints.c.revision)
        )
        return {row[0]: (row[1], row[2]) for row in await self._connection.execute(query)}

    async def is_history_still_coming(self) -> bool:
        """Whether deliveries of the tenant wait, or a backfill of these repositories is still to be done.

        This holds throughout a gap in the events as well, because the gap is backfilled later.
        """
        waiting = select(github_events.c.id).where(
            github_events.c.organization_id == self._organization_id,
            github_events.c.processed_at.is_(None),
            github_events.c.parked_at.is_(None),
        )
        syncing = select(projects.c.id).where(
            projects.c.organization_id == self._organization_id,
            projects.c.id.in_(self._project_ids),
            projects.c.sync != {},
        )
        for query in (waiting, syncing):
            if await self._connection.scalar(query.limit(1)) is not None:
                return True
        return await Gaps(self._tenant).is_history_missing(self._project_ids)

    async def take_snapshot(self, sprint: Sprint, facts: Values, now: datetime) -> None:
        """Store the snapshot of a sprint. A second snapshot of the same end is ignored."""
        last = await self.latest(sprint.milestone)
        if sprint.end is None or (last is not None and last.ended_at == sprint.end):
            return
        sprint_id = await self._connection.scalar(
            select(sprints.c.id).where(
                sprints.c.organization_id == self._organization_id,
                sprints.c.project_id.in_(self._project_ids),
                sprints.c.github_milestone_id == sprint.milestone,
            )
        )
        await self._connection.execute(
            insert(closed_sprints)
            .values(
                organization_id=self._organization_id,
                sprint_id=sprint_id,
                revision=last.revision + 1 if last else 1,
                ended_at=sprint.end,
                taken_at=now,
                facts=facts,
            )
            .on_conflict_do_nothing()
        )

    async def _latest(self, *conditions: ColumnElement[bool]) -> dict[int, ClosedSprint]:
        columns = (closed_sprints.c[name] for name in ("revision", "ended_at", "taken_at", "facts"))
        is_same = (sprints.c.organization_id == closed_sprints.c.organization_id) & (
            sprints.c.id == closed_sprints.c.sprint_id
        )
        query = (
            select(sprints.c.github_milestone_id, *columns)
            .join(sprints, is_same)
            .where(closed_sprints.c.organization_id == self._organization_id)
            .where(sprints.c.project_id.in_(self._project_ids), *conditions)
            .order_by(closed_sprints.c.revision)
        )
        # Of several revisions, the last one wins.
        return {milestone: ClosedSprint(*row) for milestone, *row in await self._connection.execute(query)}
