"""Reports to Stripe what was used, from our ledger: soon after each day, again after failure, never twice."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

import structlog

from bot.billing.isolation import all_accounts, isolated_account
from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
from bot.settings.billing import BillingSettings
from marketplace.customers import choose_subscription
from marketplace.plans import Metric
from storage.database import Database
from storage.subscriptions import STRIPE, Account, Subscription, Subscriptions
from storage.usage import MissingMeter, Usage, UsageRecord, record_missing_meter

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
        # By the event name, whether Stripe has a meter: asked once a run.
        self._meters = dict[str, bool]()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Returns how many events were sent. What fails for one account is tried again by the next run."""
        self._meters.clear()
        sent = 0
        for organization_id in await all_accounts(self._database):
            with isolated_account(self._log, "usage not reported", organization_id):
                await self._fill(organization_id)
                if self._prefix is not None:
                    sent += await self._report(organization_id)
        await self._note_meters()
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
        if account is None:
            return 0
        sent = 0
        for one in waiting:
            subscription = subscription_on(every, one.period)
            if subscription is None:
                continue
            try:
                sent += await self._tell(organization_id, account, subscription, one)
            except StripeUnavailableError as problem:
                self._log.warning("usage not told; the next run tries again", reason=str(problem))
                break
            except StripeRefusedError as problem:
                self._log.error("usage refused by Stripe", metric=one.metric, reason=str(problem))
        return sent

    async def _tell(
        self, organization_id: int, account: Account, subscription: Subscription, one: UsageRecord
    ) -> bool:
        now, at = self._clock(), moment_of_use(subscription, one.period)
        customer = subscription.customer or ""
        if now - at > _OLDEST:
            self._log.error(
                "usage is too old for Stripe and was never charged", metric=one.metric, period=str(one.period)
            )
            await self._note(organization_id, one, refused="older than 35 days")
            return False
        name = f"{self._prefix}_{one.metric}"
        if not await self._has_meter(name, customer, one.period):
            return False  # Stripe would take it and count it nowhere.
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

    async def _has_meter(self, name: str, customer: str, day: date) -> bool:
        """Whether there is a meter of this event name, as far as Stripe lets us ask."""
        if name not in self._meters:
            try:
                self._meters[name] = await self._stripe.usage_on(name, customer, day) is not None
            except StripeRefusedError:  # A restricted key may report, and not read.
                self._meters[name] = True
        return self._meters[name]

    async def _note_meters(self) -> None:
        missing = sorted(name for name, is_there in self._meters.items() if not is_there)
        for name in missing:
            self._log.error("usage waits: Stripe has no meter of this event name", event_name=name)
        if self._meters:
            async with self._database.unscoped() as connection:
                latest = MissingMeter(", ".join(missing), self._clock()) if missing else None
                await record_missing_meter(connection, latest)

    async def _note(self, organization_id: int, one: UsageRecord, **values: object) -> None:
        async with self._database.tenant(organization_id) as tenant:
            await Usage(tenant).update(one, **values)


def identifier(account: Account, one: UsageRecord) -> str:
    """What makes an event of usage the same one, however often it is told."""
    return f"{account.github_id}:{one.metric}:{one.period}"


def subscription_on(subscriptions: Sequence[Subscription], day: date) -> Subscription | None:
    """Return the Stripe subscription by which the use of a UTC day is charged; None where there was none.

    What was used before a subscription began is free, and so is the rest of the day on which it began. One
    that has ended since is charged for its last days. Where another followed it, each has its own days.
    """
    start, end = datetime.combine(day, time(), UTC), datetime.combine(day, time.max, UTC)
    running = [
        subscription
        for subscription in subscriptions
        if subscription.source == STRIPE
        and subscription.status != "incomplete"
        and (subscription.started_at is None or subscription.started_at <= start)
        and (
            not subscription.has_ended
            or (subscription.ended_at is not None and subscription.ended_at > start)
        )
    ]
    begun = [
        subscription
        for subscription in running
        if subscription.period_start is None or subscription.period_start <= end
    ]
    return choose_subscription(begun) or choose_subscription(running)


def moment_of_use(subscription: Subscription, day: date) -> datetime:
    """Return when the use of a UTC day counts: at its end, but before the end of the subscription.

    So it falls into a billing period whose invoice is not final yet when the day is over.
    """
    end = datetime.combine(day, time(23, 59), UTC)
    if subscription.has_ended and subscription.ended_at is not None:
        return min(end, subscription.ended_at - timedelta(seconds=1))
    return end
