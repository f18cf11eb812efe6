"""The planning of one repository at one moment: the input of commands, reports and checks."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from charts.locales import find_locale, use_locale
from marketplace.entitlements import THE_ACCOUNT, Allowed, Entitled, allow_everything
from sprints.calendar import Calendar
from sprints.gaps import EventGap
from sprints.model import ItemSnapshot, sort_events
from storage.changes import ChangeLog
from storage.database import Tenant
from storage.flows import Flows
from storage.history import History
from storage.projects import Project
from storage.sprints import Sprints


def write_in_locale(project: Project, now: datetime) -> AbstractContextManager[None]:
    """Format numbers and dates within the block in the locale of a repository's team, as of its local day."""
    today = project.rules.calendar.day_of(now)
    return use_locale(find_locale(project.settings.locale, today))


@dataclass(frozen=True)
class Planning:
    """A repository's sprints, history and settings as of `now`, read within the transaction of its tenant.

    `entitled` checks which features the account may use.
    """

    tenant: Tenant
    project: Project
    now: datetime
    entitled: Entitled = allow_everything

    @property
    def calendar(self) -> Calendar:
        """The team's calendar of working days."""
        return self.project.rules.calendar

    @cached_property
    def sprints(self) -> Sprints:
        """The repository's sprints."""
        return Sprints(self.tenant, self.project, history=self.history)

    @cached_property
    def history(self) -> History:
        """The repository's history, together with that of the repositories that share its sprints."""
        return History(self.tenant, self.project)

    @cached_property
    def flows(self) -> Flows:
        """The flows of the items of the repository, and of those that share its sprints."""
        return Flows(self.tenant, self.project, self.history.timeline)

    async def read_gaps(self) -> tuple[EventGap, ...]:
        """The spans in which events from GitHub were missed; read once."""
        return await self.sprints.gaps()

    @property
    def changes(self) -> ChangeLog:
        """The changes that commands have made in the repository."""
        return ChangeLog(self.tenant, self.project.id)

    @property
    def links_pictures(self) -> bool:
        """Whether a chart may be published as a linked picture."""
        return self.project.may_link_images

    async def can_use(self, feature: str) -> bool:
        """Whether the account may use a feature, regardless of who asks.

        An answer that is edited in place must not lose a line because a person without a seat asked again.
        """
        return isinstance(await self.entitled(feature, THE_ACCOUNT), Allowed)

    async def find_item(self, number: int) -> ItemSnapshot | None:
        """The newest snapshot of an issue or pull request; None if no event of it is recorded."""
        events = await self.history.item(number)
        return sort_events(events)[-1].snapshot if events else None
