"""People whose login has changed: what history tells of them by an old login is told by the present one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
from sqlalchemy import func, select

from sprints.model import ActivityEvent, ItemEvent, LabelEvent, MilestoneEvent
from storage.database import Tenant
from storage.tables import organization_members

_NAMING_PEOPLE = {"assigned", "unassigned"}
# What else happened tells of people in these.
_PERSON_KEYS = ("author", "reviewer")


class _Former(msgspec.Struct):
    """A login, and until when we knew somebody by it."""

    login: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins that people of a tenant gave up. Most tenants have none, and nothing is to be done.

    `former` tells of each, in lower case, whose it was: until when, and that person's present login. `taken`
    are those that somebody else has now.
    """

    former: Mapping[str, tuple[tuple[datetime, str], ...]] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()

    @classmethod
    async def of(cls, tenant: Tenant) -> "Logins":
        """Those of a tenant."""
        members = organization_members.c
        is_mine = members.organization_id == tenant.organization_id
        renamed = await tenant.connection.execute(
            select(members.login, members.former_logins).where(
                is_mine, func.jsonb_array_length(members.former_logins) > 0
            )
        )
        former = dict[str, list[tuple[datetime, str]]]()
        for row in renamed:
            for known in msgspec.convert(row.former_logins, list[_Former]):
                former.setdefault(known.login.lower(), []).append((known.until, row.login))
        if not former:
            return cls()
        present = func.lower(members.login)
        taken = await tenant.connection.scalars(select(present).where(is_mine, present.in_(former)))
        return cls({login: tuple(sorted(owners)) for login, owners in former.items()}, frozenset(taken))

    def __bool__(self) -> bool:
        return bool(self.former)

    def present(self, login: str, at: datetime) -> str:
        """The present login of who had this one at a moment."""
        owners = self.former.get(login.lower(), ())
        for until, present in owners:
            if at < until:
                return present
        # Somebody's who took it over, or told late of who gave it up.
        return login if not owners or login.lower() in self.taken else owners[-1][1]

    def all_of(self, people: Iterable[str]) -> set[str]:
        """These logins and all that the same people gave up, in lower case."""
        present = {login.lower() for login in people}
        gone = (
            login for login, owners in self.former.items() if any(own.lower() in present for _, own in owners)
        )
        return present.union(gone)

    def in_item(self, event: ItemEvent) -> ItemEvent:
        """A fact of an item with present logins."""
        if not self:
            return event
        shown = event.snapshot
        return replace(
            event,
            actor=self._maybe(event.actor, event.at),
            named=self._maybe(event.named, event.at) if event.event in _NAMING_PEOPLE else event.named,
            snapshot=replace(
                shown,
                author=self._maybe(shown.author, event.at),
                assignees=tuple(self.present(login, event.at) for login in shown.assignees),
            ),
        )

    def in_activity(self, event: ActivityEvent) -> ActivityEvent:
        """A fact beside items with present logins."""
        if not self:
            return event
        details = dict(event.details)
        for key in _PERSON_KEYS:
            if isinstance(login := details.get(key), str):
                details[key] = self.present(login, event.at)
        if isinstance(commits := details.get("commits"), Mapping):
            details["commits"] = self._added_up(commits, event.at)
        return replace(event, actor=self._maybe(event.actor, event.at), details=details)

    def in_milestone(self, event: MilestoneEvent) -> MilestoneEvent:
        """A fact of a milestone with present logins."""
        return replace(event, actor=self._maybe(event.actor, event.at)) if self else event

    def in_label(self, event: LabelEvent) -> LabelEvent:
        """A fact of a label with present logins."""
        return replace(event, actor=self._maybe(event.actor, event.at)) if self else event

    def _maybe(self, login: str | None, at: datetime) -> str | None:
        return self.present(login, at) if login else login

    def _added_up(self, commits: Mapping[str, object], at: datetime) -> dict[str, object]:
        """Commits by present login: one push may name somebody by two."""
        sums = dict[str, object]()
        for login, count in commits.items():
            present, before = self.present(str(login), at), 0
            if isinstance(known := sums.get(present), int) and isinstance(count, int):
                before = known
            sums[present] = before + count if isinstance(count, int) else count
        return sums
