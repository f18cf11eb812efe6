"""A repository's sprints and their numbers, folded from the timeline."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from sprints.facts import Facts, facts_of
from sprints.milestone import Sprint, sprint_of
from storage.database import Tenant
from storage.timeline import Timeline


class Sprints:
    """The sprints of one repository in the team's time zone."""

    def __init__(self, tenant: Tenant, project_id: int, timezone: tzinfo) -> None:
        self._timeline = Timeline(tenant)
        self._project_id = project_id
        self._timezone = timezone

    async def all(self, as_of: datetime) -> Sequence[Sprint]:
        """Every milestone as a sprint, as it was known at a moment."""
        milestones = await self._timeline.milestones(self._project_id)
        return [sprint_of(events, as_of, self._timezone) for events in milestones.values()]

    async def facts(self, milestone: int, as_of: datetime) -> Facts | None:
        """The numbers of the sprint with GitHub's id `milestone`, or None if we never heard of it."""
        events = await self._timeline.milestone(self._project_id, milestone)
        if not events:
            return None
        items = await self._timeline.items_of(self._project_id, milestone)
        return facts_of(sprint_of(events, as_of, self._timezone), items, as_of)

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the milestone with this number."""
        return await self._timeline.milestone_id(self._project_id, number)
