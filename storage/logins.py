"""People whose login has changed: what history tells of them by an old login is told by the present one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import func, select

from sprints.model import ActivityEvent, EventSource, ItemEvent, LabelEvent, MilestoneEvent
from storage.database import Tenant
from storage.tables import organization_members

_NAMING_PEOPLE = {"assigned", "unassigned"}
# What else happened tells of people in these.
_PERSON_KEYS = ("author", "reviewer")


def moment_of_logins(row: Any) -> datetime:
    """When the people of a fact had the logins by which its row of the timeline names them.

    Webhooks name them as they are called when it happens, an answer of GitHub's API as they are called when
    it is given.
    """
    moment: datetime = row.at if row.source == EventSource.WEBHOOK.value else row.created_at
    return moment


class _Former(msgspec.Struct):
    """A login, and when somebody was first seen with it."""

    login: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Logins:
    """The logins that people of a tenant gave up. Most tenants have none, and nothing is to be done.

    `holders` has each of them, in lower case, with all who had it, the first one first: since when, and that
    person's present login.
    """

    holders: Mapping[str, Sequence[tuple[datetime, str]]] = field(default_factory=dict)

    @classmethod
    async def of(cls, tenant: Tenant) -> "Logins":
        """The logins that people of one tenant gave up."""
        members = organization_members.c
        is_mine = members.organization_id == tenant.organization_id
        renamed = await tenant.connection.execute(
            select(members.login, members.former_logins).where(
                is_mine, func.jsonb_array_length(members.former_logins) > 0
            )
        )
        holders = dict[str, list[tuple[datetime, str]]]()
        for row in renamed:
            for former in msgspec.convert(row.former_logins, list[_Former]):
                holders.setdefault(former.login.lower(), []).append((former.since, row.login))
        if not holders:
            return cls()
        present = select(members.login, members.login_seen_at).where(
            is_mine, func.lower(members.login).in_(holders)
        )
        for login, since in await tenant.connection.execute(present):
            holders[login.lower()].append((since, login))
        return cls({login: sorted(spans) for login, spans in holders.items()})

    def __bool__(self) -> bool:
        return bool(self.holders)

    @property
    def shared(self) -> list[str]:
        """The logins, in lower case, that passed from one person to another."""
        return sorted(login for login, spans in self.holders.items() if len({own for _, own in spans}) > 1)

    def present(self, login: str, at: datetime) -> str:
        """The present login of who had this one at a moment.

        Where nobody was seen with it until then, that is the first who was.
        """
        spans = self.holders.get(login.lower())
        if not spans:
            return login
        return next((present for since, present in reversed(spans) if since <= at), spans[0][1])

    def all_of(self, people: Iterable[str]) -> set[str]:
        """These logins and all that the same people gave up, in lower case."""
        present = {login.lower() for login in people}
        gone = (
            login for login, spans in self.holders.items() if any(own.lower() in present for _, own in spans)
        )
        return present.union(gone)

    def in_item(self, event: ItemEvent, at: datetime) -> ItemEvent:
        """A fact of an item with present logins. It names people by those that they had at that moment."""
        if not self:
            return event
        shown = event.snapshot
        return replace(
            event,
            actor=self._maybe(event.actor, at),
            named=self._maybe(event.named, at) if event.event in _NAMING_PEOPLE else event.named,
            snapshot=replace(
                shown,
                author=self._maybe(shown.author, at),
                assignees=tuple(self.present(login, at) for login in shown.assignees),
            ),
        )

    def in_activity(self, event: ActivityEvent, at: datetime) -> ActivityEvent:
        """A fact beside items with present logins."""
        if not self:
            return event
        details = dict(event.details)
        for key in _PERSON_KEYS:
            if isinstance(login := details.get(key), str):
                details[key] = self.present(login, at)
        if isinstance(commits := details.get("commits"), Mapping):
            details["commits"] = self._added_up(commits, at)
        return replace(event, actor=self._maybe(event.actor, at), details=details)

    def in_milestone(self, event: MilestoneEvent, at: datetime) -> MilestoneEvent:
        """A fact of a milestone with present logins."""
        return replace(event, actor=self._maybe(event.actor, at)) if self else event

    def in_label(self, event: LabelEvent, at: datetime) -> LabelEvent:
        """A fact of a label with present logins."""
        return replace(event, actor=self._maybe(event.actor, at)) if self else event

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
