"""The people whom events show, and the logins that they had at those times."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from cachetools import LRUCache

from bot.jobs.delivery_reader import ReadEvent
from handlers.delivery import FactRecorded
from handlers.payloads import AccountPayload, clean
from sprints.people import NOBODY_IDS, is_person
from storage.database import Tenant
from storage.installations import Installations, SeenLogin

_TYPES_OF_PEOPLE = {"User", "EnterpriseUserAccount"}

# The newest login by tenant and person, and by tenant and login in lower case.
LastLogins = dict[tuple[int, int | str], SeenLogin]


class PeopleStore:
    """Stores people once, and not with each of their events."""

    def __init__(self) -> None:
        # Only committed ones: logins of a transaction that failed are stored by the next one.
        self._stored: LRUCache[tuple[int, int | str], SeenLogin] = LRUCache(maxsize=20_000)

    async def store(self, tenant: Tenant, logins: Iterable[SeenLogin]) -> LastLogins:
        """Store new people and changed logins. Call `remember` with the result after the commit."""
        newest, fresh = LastLogins(), list[SeenLogin]()
        for login in logins:
            by_id = (tenant.organization_id, login.github_id)
            by_login = (tenant.organization_id, login.login.lower())
            last = newest.get(by_id, self._stored.get(by_id))
            holder = newest.get(by_login, self._stored.get(by_login))
            # Skip an unchanged login, unless it or the person changed in between.
            if last is not None and last is holder and last.login == login.login and last.at <= login.at:
                continue
            fresh.append(login)
            newest[by_id] = newest[by_login] = login
        await Installations(tenant).record_people(fresh)
        return newest

    def remember(self, logins: LastLogins) -> None:
        """Keep in memory which logins have been committed."""
        self._stored.update(logins)


def find_logins(events: Iterable[ReadEvent]) -> Iterator[SeenLogin]:
    """All people whom deliveries show, with their logins at those times, in the deliveries' order."""
    for read in events:
        received_at = acted_at = read.event.received_at
        for outcome in read.outcomes:
            if isinstance(outcome, FactRecorded):
                at = min(outcome.fact.at, received_at)
                yield from _list_logins(outcome.accounts, at)
                if outcome.fact.actor:
                    acted_at = min(acted_at, at)
        if read.envelope.sender is not None:
            yield from _list_logins((read.envelope.sender,), acted_at)


def _list_logins(accounts: Iterable[AccountPayload], at: datetime) -> Iterator[SeenLogin]:
    for account in accounts:
        login = clean(account.login)
        if account.type in _TYPES_OF_PEOPLE and account.id not in NOBODY_IDS and is_person(login):
            yield SeenLogin(account.id, login, at)
