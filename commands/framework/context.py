"""All that a command may ask for while it runs."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from charts.locales import LOCALE, find_locale, use_locale
from commands.framework.permissions import Level
from commands.framework.ports import GitHubPort
from commands.framework.request import Request
from marketplace.accounts import Offer
from marketplace.entitlements import THE_ACCOUNT, Allowed, Entitled, everything_is_allowed
from sprints.calendar import Calendar
from sprints.flow import Flow, build_flows
from sprints.gaps import EventGap
from sprints.model import ItemSnapshot, sort_events
from storage.changes import ChangeLog
from storage.database import Tenant
from storage.history import History
from storage.projects import Project
from storage.sprints import Sprints

# Why the asker may not run the command of a name, in words; None if they may.
RefusalOf = Callable[[str], Awaitable[str | None]]


async def refuse_all(command: str) -> str | None:
    """Where nobody asked, nobody may."""
    return f"Nobody may run `/{command}` here."


def writing_for(project: Project, now: datetime) -> AbstractContextManager[None]:
    """All that is written within has the form of a repository's team, dates as of its local day."""
    today = project.rules.calendar.day_of(now)
    return use_locale(find_locale(project.settings.get(LOCALE), today))


@dataclass(frozen=True)
class Context:
    """One request in one repository: who asked what, the facts, and the time.

    `repository` is the repository on GitHub, for what no webhook tells; `level` what the asker may do here;
    `shop` is what is sold, if anything is; `entitled` answers what the account may use here; `refusal_of`
    whether the asker may run another command.
    """

    request: Request
    project: Project
    tenant: Tenant
    repository: GitHubPort
    now: datetime
    level: Level = Level.READ
    shop: Offer | None = None
    entitled: Entitled = everything_is_allowed
    refusal_of: RefusalOf = refuse_all

    @property
    def calendar(self) -> Calendar:
        """The team's days."""
        return self.project.rules.calendar

    @cached_property
    def sprints(self) -> Sprints:
        """The repository's sprints."""
        return Sprints(self.tenant, self.project)

    @cached_property
    def history(self) -> History:
        """The repository's history, with that of those that share its sprints."""
        return History(self.tenant, self.project)

    async def gaps(self) -> tuple[EventGap, ...]:
        """When GitHub's events did not reach us; asked for once in a request."""
        return await self.sprints.gaps()

    @property
    def changes(self) -> ChangeLog:
        """What commands have changed here."""
        return ChangeLog(self.tenant, self.project.id)

    @property
    def links_pictures(self) -> bool:
        """Whether a chart may be a linked picture."""
        return self.project.links_pictures

    async def includes(self, feature: str) -> bool:
        """Whether the account may use a feature here. Of what many read, whoever asked for it: an answer that
        is edited in place must not lose a line because somebody without a seat asked for it again."""
        return isinstance(await self.entitled(feature, THE_ACCOUNT), Allowed)

    async def flows(self) -> Sequence[Flow]:
        """How all items of the repository flow, as of now."""
        items = await self.history.items()
        labels = await self.history.labels()
        return build_flows(items, self.now, self.project.rules, labels)

    async def item(self, number: int) -> ItemSnapshot | None:
        """An issue or pull request as it was last seen; None for one that we never heard of."""
        told = await self.history.item(number)
        return sort_events(told)[-1].snapshot if told else None
