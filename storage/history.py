"""What is known of a repository's planning, together with those that share its sprints."""

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
    """A repository and its name as it is called from where it is looked: empty for that one itself."""

    id: int
    name: str


class History:
    """The planning history of a repository, seen from there.

    Its own items have numbers, those of the repositories that share its sprints are called `owner/name#12`. A
    milestone that is part of another repository's sprint has that sprint's id in every event.
    """

    def __init__(self, tenant: Tenant, project: Project) -> None:
        self._timeline = Timeline(tenant)
        self._project = project
        self._members = tuple(
            _Member(one.id, "" if one.id == project.id else one.full_name or "")
            for one in project.sharing or (project,)
        )
        self._sharing: SharedSprints | None = None if project.sharing else _NOTHING_SHARED

    async def sharing(self) -> SharedSprints:
        """Which milestones are one; asked for once."""
        if self._sharing is None:
            leader, *others = [(one.name, await self._timeline.milestones(one.id)) for one in self._members]
            self._sharing = find_shared_sprints(leader[1], dict(others))
        return self._sharing

    async def milestones(self) -> dict[int, list[MilestoneEvent]]:
        """All events of all milestones, by milestone: those of the leading repository, and of this one what
        is part of none of those."""
        found = await self._timeline.milestones(self._members[0].id)
        if self._project.is_led:
            led = (await self.sharing()).leader_of
            own = await self._timeline.milestones(self._project.id)
            found |= {milestone: told for milestone, told in own.items() if milestone not in led}
        return found

    async def milestone(self, milestone: int) -> list[MilestoneEvent]:
        """All events of one milestone."""
        owners = [self._members[0].id, self._project.id]
        for owner in dict.fromkeys(owners):
            if told := await self._timeline.milestone(owner, milestone):
                return told
        return []

    async def milestone_id(self, number: int) -> int | None:
        """GitHub's id of the sprint to which this repository's milestone with a number belongs."""
        found = await self._timeline.milestone_id(self._project.id, number)
        return found if found is None else (await self.sharing()).leader_of.get(found, found)

    async def items_of(self, milestone: int) -> dict[str, list[ItemEvent]]:
        """All events, by item, of all items that were ever in a sprint."""
        sharing, found = await self.sharing(), dict[str, list[ItemEvent]]()
        parts = {part.repository: part.milestone for part in sharing.parts.get(milestone, ())}
        for one in self._members:
            theirs = await self._timeline.items_of(one.id, parts.get(one.name, milestone))
            found |= self._seen(theirs, one, sharing)
        return found

    async def items(self) -> dict[str, list[ItemEvent]]:
        """All events, by item, of all items."""
        sharing, found = await self.sharing(), dict[str, list[ItemEvent]]()
        for one in self._members:
            found |= self._seen(await self._timeline.items(one.id), one, sharing)
        return found

    async def items_since(self, since: datetime) -> dict[str, list[ItemEvent]]:
        """All events, by item, of those items that something happened to since a moment (see Timeline)."""
        sharing, found = await self.sharing(), dict[str, list[ItemEvent]]()
        for one in self._members:
            found |= self._seen(await self._timeline.items_since(one.id, since), one, sharing)
        return found

    async def item(self, number: int, repository: str = "") -> list[ItemEvent]:
        """All events of the issue or pull request with a number, of this repository or of another one."""
        sharing = await self.sharing()
        for one in self._members:
            if one.name == repository:
                told = await self._timeline.item(one.id, number)
                return self._seen({repository: told}, one, sharing)[repository]
        return []

    async def items_named(self, items: Collection[str]) -> dict[str, list[ItemEvent]]:
        """All events of these items, by node id, whichever repository of the tenant they are in."""
        return await self._timeline.items_named(items)

    async def labels(self) -> list[LabelEvent]:
        """What happened to labels."""
        found = list[LabelEvent]()
        for one in self._members:
            found += qualify_labels(await self._timeline.labels(one.id), one.name)
        return found

    async def activity(self, kind: str, since: datetime, until: datetime) -> list[ActivityEvent]:
        """What else happened within `[since, until)`; kinds are those of ActivityEvent."""
        found = list[ActivityEvent]()
        for one in self._members:
            told = await self._timeline.activity(one.id, kind, since, until)
            found += qualify_activity(told, one.name) if one.name else told
        return found

    def _seen(
        self, items: dict[str, list[ItemEvent]], member: _Member, sharing: SharedSprints
    ) -> dict[str, list[ItemEvent]]:
        return qualify_items(items, member.name, sharing) if self._project.sharing else items
