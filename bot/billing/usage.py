"""Reports metered usage from the ledger to Stripe: soon after each day, and never twice."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import structlog

from bot.billing.isolation import isolated_account
from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
from bot.settings.billing import BillingSettings
from marketplace.customers import choose_subscription
from marketplace.plans import Metric
from storage.database import Database
from storage.subscriptions import STRIPE, Account, Subscription, Subscriptions
from storage.usage import MissingMeter, Usage, UsageRecord, record_missing_meter
from storage.work_lookups import tenants_with_usage, tenants_with_work

# Days that are counted again, because some of their events arrive late.
_DAYS_BACK = 3
# Stripe remembers an identifier for at least 24 hours; the margin covers the time of the request.
DEDUPLICATION_PERIOD = timedelta(hours=23)
# Stripe accepts no usage that is older than 35 days.
_MAX_AGE = timedelta(days=34)


class UsageReporting:
    """Fills the usage ledger of all accounts, and reports it for accounts that pay by card."""

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
        # Whether Stripe has a meter, by event name; asked once per run.
        self._has_meter_by_name = dict[str, bool]()
        self._log = structlog.get_logger(__name__)

    async def run(self) -> int:
        """Report the usage of all accounts that have some, and return how many events were sent.

        A failure for one account is logged, and its usage is reported by the next run.
        """
        self._has_meter_by_name.clear()
        sent = 0
        today = self._clock().date()
        look_up = partial(
            tenants_with_usage,
            since=_start_of(today - timedelta(days=_DAYS_BACK)),
            until=_start_of(today),
            reported=self._prefix is not None,
        )
        async for organization_id in tenants_with_work(self._database, look_up):
            with isolated_account(self._log, "usage not reported", organization_id):
                await self._fill_ledger(organization_id)
                if self._prefix is not None:
                    sent += await self._report(organization_id)
        await self._record_missing_meters()
        return sent

    async def _fill_ledger(self, organization_id: int) -> None:
        """Count the usage of the last days, without today, from other tables into the ledger."""
        today = self._clock().date()
        async with self._database.tenant(organization_id) as tenant:
            usage = Usage(tenant)
            for days_back in range(1, _DAYS_BACK + 1):
                day = today - timedelta(days=days_back)
                for metric, count in (
                    (Metric.COMMANDS_ANSWERED, await usage.commands_answered(day)),
                    (Metric.PROJECTS_CREATED, await usage.projects_created(day)),
                ):
                    if count:
                        await usage.set(metric, day, count)

    async def _report(self, organization_id: int) -> int:
        async with self._database.tenant(organization_id) as tenant:
            rows = Subscriptions(tenant)
            account, subscriptions = await rows.account(), await rows.all()
            waiting = await Usage(tenant).unreported(self._clock().date())
        if account is None:
            return 0
        sent = 0
        for record in waiting:
            subscription = find_subscription_on(subscriptions, record.period)
            if subscription is None:
                continue
            try:
                sent += await self._send(organization_id, account, subscription, record)
            except StripeUnavailableError as problem:
                self._log.warning("usage not reported; the next run tries again", reason=str(problem))
                break
            except StripeRefusedError as problem:
                self._log.error("usage refused by Stripe", metric=record.metric, reason=str(problem))
        return sent

    async def _send(
        self, organization_id: int, account: Account, subscription: Subscription, record: UsageRecord
    ) -> bool:
        now, at = self._clock(), resolve_usage_time(subscription, record.period)
        customer = subscription.customer or ""
        if now - at > _MAX_AGE:
            self._log.error(
                "usage is too old for Stripe and was never charged",
                metric=record.metric,
                period=str(record.period),
            )
            await self._update(organization_id, record, refused="older than 35 days")
            return False
        name = f"{self._prefix}_{record.metric}"
        if not await self._has_meter(name, customer, record.period):
            return False  # Stripe would accept the event, but count it nowhere.
        is_in_doubt = record.tried_at is not None and now - record.tried_at > DEDUPLICATION_PERIOD
        if is_in_doubt:
            # Stripe may have forgotten the identifier, but not what it counted.
            counted = await self._stripe.get_usage(name, customer, record.period)
            if counted is not None and counted >= record.quantity:
                await self._update(organization_id, record, reported_at=now)
                return False
        if record.tried_at is None or is_in_doubt:
            # Recorded before sending: after a crash in between, the event may have arrived. The time of the
            # first of several tries counts, because Stripe remembers the identifier from then on.
            await self._update(organization_id, record, tried_at=now)
        await self._stripe.send_usage(name, customer, record.quantity, at, make_identifier(account, record))
        await self._update(organization_id, record, reported_at=now)
        return True

    async def _has_meter(self, name: str, customer: str, day: date) -> bool:
        """Whether Stripe has a meter for an event name; assumed if the API key may not read meters."""
        if name not in self._has_meter_by_name:
            try:
                self._has_meter_by_name[name] = await self._stripe.get_usage(name, customer, day) is not None
            except StripeRefusedError:  # A restricted key may report usage without reading it.
                self._has_meter_by_name[name] = True
        return self._has_meter_by_name[name]

    async def _record_missing_meters(self) -> None:
        missing = sorted(name for name, has_meter in self._has_meter_by_name.items() if not has_meter)
        for name in missing:
            self._log.error("usage waits: Stripe has no meter of this event name", event_name=name)
        if self._has_meter_by_name:
            async with self._database.unscoped() as connection:
                latest = MissingMeter(", ".join(missing), self._clock()) if missing else None
                await record_missing_meter(connection, latest)

    async def _update(self, organization_id: int, record: UsageRecord, **values: object) -> None:
        async with self._database.tenant(organization_id) as tenant:
            await Usage(tenant).update(record, **values)


def _start_of(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), UTC)


def make_identifier(account: Account, record: UsageRecord) -> str:
    """Return the identifier by which Stripe ignores repetitions of a usage event."""
    return f"{account.github_id}:{record.metric}:{record.period}"


def find_subscription_on(subscriptions: Sequence[Subscription], day: date) -> Subscription | None:
    """Return the Stripe subscription by which the usage of a UTC day is charged; None if there was none.

    Usage before a subscription began is free, and so is the rest of the day on which it began. A subscription
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
    in_period = [
        subscription
        for subscription in running
        if subscription.period_start is None or subscription.period_start <= end
    ]
    return choose_subscription(in_period) or choose_subscription(running)


def resolve_usage_time(subscription: Subscription, day: date) -> datetime:
    """Return the moment of a UTC day's usage: the day's end, but before the end of the subscription.

    At that moment the billing period's invoice is not final yet.
    """
    end = datetime.combine(day, time(23, 59), UTC)
    if subscription.has_ended and subscription.ended_at is not None:
        return min(end, subscription.ended_at - timedelta(seconds=1))
    return end
