"""A small world in which customers buy, and GitHub and Stripe tell of it in any order, late or twice."""

import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from yarl import URL

from bot.billing.marketplace_sync import PAUSES, MarketplaceSync
from bot.services import Services
from bot.settings.billing import BillingSettings, ListedPlan, MarketplaceSettings
from bot.settings.secret import Secret
from github_standin.rest.marketplace import ENTERPRISE, FLAT, FREE, PRO, MarketplaceListing
from marketplace.accounts import load_billing
from marketplace.plans import PlanName
from marketplace.subscription_ledger import LedgerCause
from storage.jobs import JobMessage, Jobs
from storage.subscriptions import tenant_of_account, tenant_of_buyer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LISTED = (
    ListedPlan(FREE, PlanName.FREE, 1),
    ListedPlan(PRO, PlanName.PRO, 3),
    ListedPlan(ENTERPRISE, PlanName.ENTERPRISE, 4),
    ListedPlan(FLAT, PlanName.PRO, 5),
)
SETTINGS = BillingSettings(
    is_on=True, marketplace=MarketplaceSettings((Secret("marketplace-secret"),), LISTED, "agile")
)
_ACCOUNTS = itertools.count(5000)


class StandInListing:
    """The stand-in's listing without HTTP between."""

    def __init__(self, marketplace: MarketplaceListing) -> None:
        self.marketplace = marketplace

    async def get_account(self, account: int) -> Any | None:
        return self.marketplace.accounts.get(account)

    async def list_plans(self) -> AsyncIterator[Any]:
        for plan in self.marketplace.plans.values():
            yield plan

    async def list_accounts(self, plan: int) -> AsyncIterator[Any]:
        for account in list(self.marketplace.accounts.values()):
            if account["marketplace_purchase"]["plan"]["id"] == plan:
                yield account


class RememberedJobs(Jobs):
    """Jobs that are only remembered: what GitHub is asked again for."""

    def __init__(self) -> None:
        self.again: list[JobMessage] = []

    async def defer(self, connection: AsyncConnection, job: JobMessage, at: datetime | None = None) -> None:  # noqa: ARG002
        self.again.append(job)


@dataclass
class Shown:
    """What counts in the end."""

    plan: str
    source: str | None
    status: str
    seats: int | None
    pending: str | None
    period_end: datetime | None
    due: datetime | None
    is_paid_twice: bool


class World:
    """One customer, the listing, and our books in the database."""

    def __init__(self, base: Services) -> None:
        self.base = base
        self.account = next(_ACCOUNTS)
        self.login = f"customer-{self.account}"
        self.marketplace = MarketplaceListing(_nobody, lambda: URL("http://stand-in/"))
        self.jobs = RememberedJobs()
        self.listing = StandInListing(self.marketplace)
        self.sync = MarketplaceSync(base.database, self.listing, SETTINGS, self.jobs, base.clock)
        self._ids = itertools.count(1)

    async def install(self) -> int:
        async with self.base.database.unscoped() as connection:
            return await tenant_of_buyer(connection, self.account, self.login, "Organization")

    async def hear(self, event: dict[str, Any], tries: int = 0) -> None:
        """An event arrives, and GitHub is asked again as often as we would."""
        at = datetime.fromisoformat(event["effective_date"])
        cause = LedgerCause("marketplace", event["action"], f"delivery-{next(self._ids)}", at)
        await self.sync.follow(self.account, cause, tries)

    async def hear_for_good(self, event: dict[str, Any]) -> None:
        """The same, when GitHub has been asked again in vain."""
        await self.hear(event, len(PAUSES))

    async def shown(self) -> Shown | None:
        async with self.base.database.unscoped() as connection:
            tenant_id = await tenant_of_account(connection, self.account)
        if tenant_id is None:
            return None
        async with self.base.database.tenant(tenant_id) as tenant:
            billing = await load_billing(tenant, self.base.clock(), _Shop())
        assert billing
        standing = billing.plan
        counting = standing.subscription
        assert billing.account.plan == standing.name
        return Shown(
            standing.name.value,
            standing.source,
            standing.status,
            standing.seats,
            str(billing.pending) if billing.pending else None,
            counting.period_end if counting else None,
            billing.deadline.due_at if billing.deadline else None,
            standing.is_paid_twice,
        )


class _Shop:
    is_on = True
    is_usage_charged = False
    grace = timedelta(days=14)

    def links(self, account: int) -> Any:
        raise NotImplementedError

    def checkout(self, account: int, plan: PlanName, now: datetime, *, is_yearly: bool) -> str | None:
        raise NotImplementedError


async def _nobody(_: object) -> bool:
    return False


def merged(late: Sequence[float], repeated: Iterable[int], count: int) -> list[tuple[str, int]]:
    """Acts in their order, and each act's event so many acts `late`; those that are `repeated` come again."""
    steps = [(float(n), "act", n) for n in range(count)]
    steps += [(n + 0.3 + days, "event", n) for n, days in enumerate(late)]
    steps += [(n + 0.8 + late[(n + 1) % count], "event", n) for n in repeated]
    return [(kind, n) for _, kind, n in sorted(steps)]
