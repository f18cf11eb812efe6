"""The sprints that a repository's cadence made ahead: each once, also after a crash or a deletion."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tenant
from storage.tables import planned_sprints


@dataclass(frozen=True, slots=True)
class PlannedSprint:
    """A sprint made ahead. `milestone` is GitHub's id, None until GitHub has answered."""

    title: str
    first_day: date
    due: date
    milestone: int | None = None


class PlannedSprints:
    """The sprints that were made ahead in one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._project_id = project_id

    async def all(self) -> list[PlannedSprint]:
        """All of them, by their first days."""
        columns = (planned_sprints.c[name] for name in PlannedSprint.__dataclass_fields__)
        query = select(*columns).where(self._is_mine).order_by(planned_sprints.c.first_day)
        return [PlannedSprint(*row) for row in await self._connection.execute(query)]

    async def claim(self, sprint: PlannedSprint) -> PlannedSprint:
        """Store the intent to make a sprint. Returns the first one that was stored for its first day."""
        await self._connection.execute(
            insert(planned_sprints)
            .values(
                organization_id=self._organization_id,
                project_id=self._project_id,
                title=sprint.title,
                first_day=sprint.first_day,
                due=sprint.due,
            )
            .on_conflict_do_nothing()
        )
        return next(stored for stored in await self.all() if stored.first_day == sprint.first_day)

    async def finish(self, first_day: date, milestone: int) -> None:
        """Store GitHub's id of the milestone that was made."""
        await self._connection.execute(
            update(planned_sprints)
            .where(self._is_mine, planned_sprints.c.first_day == first_day)
            .values(milestone=milestone)
        )

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        is_tenant = planned_sprints.c.organization_id == self._organization_id
        return is_tenant & (planned_sprints.c.project_id == self._project_id)
