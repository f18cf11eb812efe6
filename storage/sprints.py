"""A repository's sprints and their numbers, folded from the timeline."""

from collections.abc import Sequence
from datetime import datetime

from sprints.facts import Facts, facts_of
from sprints.milestone import Sprint, sprint_of
from sprints.rules import Rules
from storage.database import Tenant
from storage.timeline import Timeline


class Sprints:
    """The sprints of one repository by its team's rules."""

    def __init__(self, tenant: Tenant, project_id: int, rules: Rules) -> None:
        self._timeline = Timeline(tenant)
        self._project_id = project_id
        self._rules = rules

    async def all(self, as_of: datetime) -> Sequence[Sprint]:
        """Every milestone as a sprint, as it was known at a moment."""
        milestones = await self._timeline.milestones(self._project_id)
        return [sprint_of(events, as_of, self._rules.calendar) for events in milestones.values()]

    async def facts(self, milestone: int, as_of: datetime) -> Facts | None:
        """The numbers of the sprint with GitHub's id `milestone`, or None if we never heard of it."""
        events = await self._timeline.milestone(self._project_id, milestone)
        if not events:
            return None
        items = await self._timeline.items_of(self._project_id, milestone)
        labels = await self._timeline.labels(self._project_id)
        sprint = sprint_of(events, as_of, self._rules.calendar)
        return facts_of(sprint, items, as_of, self._rules.estimates, labels)

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the milestone with this number."""
        return await self._timeline.milestone_id(self._project_id, number)
