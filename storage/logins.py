"""Renamed people: events that name them by a former login are shown with the present one."""

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
# The details of activity events that hold a login.
_PERSON_KEYS = ("author", "reviewer")


def moment_of_logins(row: Any) -> datetime:
    """The moment at which people had the logins that a row of the timeline names.

    Webhooks use the logins at the time of the event, answers of GitHub's API those at the time of the answer.
    """
    moment: datetime = row.at if row.source == EventSource.WEBHOOK.value else row.created_at
    return moment


class _Former(msgspec.Struct):
    """A former login, and when the person was first seen with it."""

    login: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Logins:
    """The former logins of a tenant's people. It is empty, and false, for most tenants.

    `holders` maps each former login, in lower case, to the people who had it, oldest first: since when, and
    the person's present login.
    """

    holders: Mapping[str, Sequence[tuple[datetime, str]]] = field(default_factory=dict)

    @classmethod
    async def load(cls, tenant: Tenant) -> "Logins":
        """Load the former logins of the transaction's tenant."""
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

    def current_login(self, login: str, at: datetime) -> str:
        """The present login of the person who had a login at a moment.

        If no person was seen with the login until then, this is the first person who had it.
        """
        spans = self.holders.get(login.lower())
        if not spans:
            return login
        return next((present for since, present in reversed(spans) if since <= at), spans[0][1])

    def all_logins_of(self, people: Iterable[str]) -> set[str]:
        """These logins and all former ones of the same people, in lower case."""
        present = {login.lower() for login in people}
        former = (
            login for login, spans in self.holders.items() if any(own.lower() in present for _, own in spans)
        )
        return present.union(former)

    def in_item(self, event: ItemEvent, at: datetime) -> ItemEvent:
        """An event of an item with present logins. `at` is the moment of the logins that it names."""
        if not self:
            return event
        snapshot = event.snapshot
        return replace(
            event,
            actor=self._optional_login(event.actor, at),
            named=self._optional_login(event.named, at) if event.event in _NAMING_PEOPLE else event.named,
            snapshot=replace(
                snapshot,
                author=self._optional_login(snapshot.author, at),
                assignees=tuple(self.current_login(login, at) for login in snapshot.assignees),
            ),
        )

    def in_activity(self, event: ActivityEvent, at: datetime) -> ActivityEvent:
        """An activity event with present logins."""
        if not self:
            return event
        details = dict(event.details)
        for key in _PERSON_KEYS:
            if isinstance(login := details.get(key), str):
                details[key] = self.current_login(login, at)
        if isinstance(commits := details.get("commits"), Mapping):
            details["commits"] = self._commits_by_present_login(commits, at)
        return replace(event, actor=self._optional_login(event.actor, at), details=details)

    def in_milestone(self, event: MilestoneEvent, at: datetime) -> MilestoneEvent:
        """An event of a milestone with present logins."""
        return replace(event, actor=self._optional_login(event.actor, at)) if self else event

    def in_label(self, event: LabelEvent, at: datetime) -> LabelEvent:
        """An event of a label with present logins."""
        return replace(event, actor=self._optional_login(event.actor, at)) if self else event

    def _optional_login(self, login: str | None, at: datetime) -> str | None:
        return self.current_login(login, at) if login else login

    def _commits_by_present_login(self, commits: Mapping[str, object], at: datetime) -> dict[str, object]:
        """Sum commits by present login, because one push may name a person by two logins."""
        sums = dict[str, object]()
        for login, count in commits.items():
            present, before = self.current_login(str(login), at), 0
            if isinstance(counted := sums.get(present), int) and isinstance(count, int):
                before = counted
            sums[present] = before + count if isinstance(count, int) else count
        return sums
