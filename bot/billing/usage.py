"""Telling Stripe once a day what was used, from our ledger: again after failure, and never twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import structlog

from bot.billing.settings import BillingSettings
from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
from marketplace.plans import Metric
from storage.database import Database
from storage.lookups import all_tenants
from storage.subscriptions import STRIPE, Account, Subscriptions
from storage.usage import Usage, Used

# What was counted late is still found.
_DAYS_BACK = 3
# Stripe knows an identifier for 24 hours at least; a margin is left for the way.
SURE_FOR = timedelta(hours=23)
# Stripe takes nothing that is older than 35 days.
_OLDEST = timedelta(days=34)


class UsageReporting:
    """Fills the ledger for all accounts, and reports it for those who pay by card."""

    def __init__(
        self,
        database: Database,
        stripe: Stripe,
        settings: BillingSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._stripe = stripe
        self._prefix = settings.stripe.meter_prefix if settings.stripe else None
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Returns how many events were told. What fails is tried again by the next run."""
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        sent = 0
        for organization_id in tenants:
            with structlog.contextvars.bound_contextvars(organization=organization_id):
                await self._fill(organization_id)
                if self._prefix is not None:
                    sent += await self._report(organization_id)
        return sent

    async def _fill(self, organization_id: int) -> None:
        """Days that are over, as other tables tell them."""
        today = self._clock().date()
        async with self._database.tenant(organization_id) as tenant:
            usage = Usage(tenant)
            for back in range(1, _DAYS_BACK + 1):
                day = today - timedelta(days=back)
                for metric, count in (
                    (Metric.COMMANDS_ANSWERED, await usage.commands_answered(day)),
                    (Metric.PROJECTS_CREATED, await usage.projects_created(day)),
                ):
                    if count:
                        await usage.set(metric, day, count)

    async def _report(self, organization_id: int) -> int:
        async with self._database.tenant(organization_id) as tenant:
            books = Subscriptions(tenant)
            account, every = await books.account(), await books.all()
            waiting = await Usage(tenant).unreported(self._clock().date())
        live = [one for one in every if one.source == STRIPE and not one.has_ended and one.customer]
        if account is None or not live or not waiting:
            return 0
        sent = 0
        for one in waiting:
            try:
                sent += await self._tell(organization_id, account, live[0].customer or "", one)
            except StripeUnavailableError as problem:
                self._log.warning("usage not told; the next run tries again", reason=str(problem))
                break
            except StripeRefusedError as problem:
                self._log.error("usage refused by Stripe", metric=one.metric, reason=str(problem))
        return sent

    async def _tell(self, organization_id: int, account: Account, customer: str, one: Used) -> bool:
        now, at = self._clock(), _end_of(one.period)
        if now - at > _OLDEST:
            self._log.error(
                "usage is too old for Stripe and was never charged", metric=one.metric, period=str(one.period)
            )
            await self._note(organization_id, one, refused="older than 35 days")
            return False
        name = f"{self._prefix}_{one.metric}"
        is_in_doubt = one.tried_at is not None and now - one.tried_at > SURE_FOR
        if is_in_doubt:
            # Stripe may have forgotten the identifier, but not what it counted.
            counted = await self._stripe.usage_on(name, customer, one.period)
            if counted is not None and counted >= one.quantity:
                await self._note(organization_id, one, reported_at=now)
                return False
        if one.tried_at is None or is_in_doubt:
            # Noted before it is told: who dies between knows afterwards that it may have arrived. Of several
            # tries the first is noted, because Stripe remembers the identifier from then on.
            await self._note(organization_id, one, tried_at=now)
        await self._stripe.send_usage(name, customer, one.quantity, at, identifier(account, one))
        await self._note(organization_id, one, reported_at=now)
        return True

    async def _note(self, organization_id: int, one: Used, **values: object) -> None:
        async with self._database.tenant(organization_id) as tenant:
            await Usage(tenant).note(one, **values)


def identifier(account: Account, one: Used) -> str:
    """What makes an event of usage the same one, however often it is told."""
    return f"{account.github_id}:{one.metric}:{one.period}"


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), UTC)
