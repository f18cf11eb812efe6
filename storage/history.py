"""The planning history of a repository, together with the repositories that share its sprints."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sprints.model import ActivityEvent, ItemEvent, LabelEvent, MilestoneEvent
from sprints.shared import SharedSprints, find_shared_sprints, qualify_activity, qualify_items, qualify_labels
from storage.database import Tenant
from storage.projects import Project
from storage.timeline import Timeline

_NOTHING_SHARED = SharedSprints({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class _Member:
    """A repository and the name that prefixes its items; empty for the repository whose history it is."""

    id: int
    name: str


class History:
    """The planning history of a repository, from its own point of view.

    Its own items have plain numbers; items of the repositories that share its sprints are called
    `owner/name#12`. A milestone that is part of another repository's sprint has the id of that
    sprint in every event.

    Milestones and labels are read once, as of the first question: a history is for one transaction that asks
    before it writes.
    """

    def __init__(self, tenant: Tenant, project: Project) -> None:
        self.timeline = Timeline(tenant)
        self._project = project
        self._members = tuple(
            _Member(member.id, "" if member.id == project.id else member.full_name or "")
            for member in project.sharing or (project,)
        )
        self._sharing: SharedSprints | None = None if project.sharing else _NOTHING_SHARED
        self._loaded_milestones: dict[int, dict[int, list[MilestoneEvent]]] = {}

    async def sharing(self) -> SharedSprints:
        """The milestones of the repositories that form one sprint; loaded once."""
        if self._sharing is None:
            leader, *others = [
                (member.name, await self._milestones_of(member.id)) for member in self._members
            ]
            self._sharing = find_shared_sprints(leader[1], dict(others))
        return self._sharing

    async def milestones(self) -> dict[int, list[MilestoneEvent]]:
        """All events of all milestones, by milestone.

        The result has the leading repository's milestones, and this repository's milestones that match none
        of them.
        """
        milestones = dict(await self._milestones_of(self._members[0].id))
        if self._project.is_led:
            led = (await self.sharing()).leader_of
            own = await self._milestones_of(self._project.id)
            milestones |= {milestone: events for milestone, events in own.items() if milestone not in led}
        return milestones

    async def milestone(self, milestone: int) -> list[MilestoneEvent]:
        """All events of one milestone."""
        owners = [self._members[0].id, self._project.id]
        for owner in dict.fromkeys(owners):
            if events := await self._milestone_of(owner, milestone):
                return events
        return []

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the sprint to which this repository's milestone with a number belongs."""
        milestone = await self.timeline.milestone_id(self._project.id, number)
        return milestone if milestone is None else (await self.sharing()).leader_of.get(milestone, milestone)

    async def items_of(self, milestone: int) -> dict[str, list[ItemEvent]]:
        """All events, by item, of the items that were ever in a sprint."""
        sharing, items = await self.sharing(), dict[str, list[ItemEvent]]()
        parts = {part.repository: part.milestone for part in sharing.parts.get(milestone, ())}
        for member in self._members:
            member_items = await self.timeline.items_of(member.id, parts.get(member.name, milestone))
            items |= self._as_seen(member_items, member, sharing)
        return items

    async def events_of(self, items: Collection[str]) -> dict[str, list[ItemEvent]]:
        """All events of these items by node id, of this repository and of those that share its sprints."""
        sharing, events = await self.sharing(), dict[str, list[ItemEvent]]()
        for member in self._members:
            member_events = await self.timeline.items_by_id(items, member.id)
            events |= self._as_seen(member_events, member, sharing)
        return events

    async def item(self, number: int, repository: str = "") -> list[ItemEvent]:
        """All events of the issue or pull request with a number, of this repository or of another one."""
        sharing = await self.sharing()
        for member in self._members:
            if member.name == repository:
                events = await self.timeline.item(member.id, number)
                return self._as_seen({repository: events}, member, sharing)[repository]
        return []

    async def labels(self) -> list[LabelEvent]:
        """The events of labels."""
        events = list[LabelEvent]()
        for member in self._members:
            events += qualify_labels(await self.timeline.labels(member.id), member.name)
        return events

    async def activity(self, kind: str, since: datetime, until: datetime) -> list[ActivityEvent]:
        """The other events of a kind within `[since, until)`; kinds are those of ActivityEvent."""
        events = list[ActivityEvent]()
        for member in self._members:
            own_events = await self.timeline.activity(member.id, kind, since, until)
            events += qualify_activity(own_events, member.name) if member.name else own_events
        return events

    async def _milestones_of(self, project_id: int) -> dict[int, list[MilestoneEvent]]:
        if project_id not in self._loaded_milestones:
            self._loaded_milestones[project_id] = await self.timeline.milestones(project_id)
        return self._loaded_milestones[project_id]

    async def _milestone_of(self, project_id: int, milestone: int) -> list[MilestoneEvent]:
        if (loaded := self._loaded_milestones.get(project_id)) is not None:
            return loaded.get(milestone, [])
        return await self.timeline.milestone(project_id, milestone)

    def _as_seen(
        self, items: dict[str, list[ItemEvent]], member: _Member, sharing: SharedSprints
    ) -> dict[str, list[ItemEvent]]:
        return qualify_items(items, member.name, sharing) if self._project.sharing else items
