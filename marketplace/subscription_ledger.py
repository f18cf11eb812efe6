"""Changes of an account's subscriptions, with the plan, audit log and deletion deadline that follow."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from marketplace.accounts import DELETION_AFTER
from marketplace.entitlements import access_end, gives_access, grace_end, resolve_account_plan
from marketplace.plans import PLANS, PlanName
from storage.database import Tenant
from storage.deadlines import Deadline, Deadlines
from storage.subscriptions import (
    MARKETPLACE,
    STRIPE,
    Account,
    AccountAuditEntry,
    PreviousPlan,
    Subscription,
    Subscriptions,
)

# A deletion that is announced late still leaves a week.
_LEAST_NOTICE = timedelta(days=7)
_GIVING = frozenset({"active", "trialing", "past_due"})


@dataclass(frozen=True, slots=True)
class LedgerCause:
    """The reason for recording a subscription, for the audit log.

    `actor` is marketplace, stripe or clock; `event` and `id` are the kind and the id of the event.
    """

    actor: str
    event: str
    id: str
    effective_at: datetime | None = None


class SubscriptionLedger:
    """The subscriptions of one account, within a transaction.

    `grace` is how long a plan stays after a failed payment.
    """

    def __init__(self, tenant: Tenant, now: datetime, grace: timedelta) -> None:
        self._subscriptions = Subscriptions(tenant)
        self._deadlines = Deadlines(tenant)
        self._now = now
        self._grace = grace

    async def record(self, read: Subscription, cause: LedgerCause) -> bool:
        """Record a subscription as read from its source. False if a later reading is stored."""
        account = await self._subscriptions.lock()
        stored = await self.get_subscription(read.source, read.reference)
        if account is None or (stored is not None and stored.read_at > read.read_at):
            return False
        at = min(cause.effective_at or self._now, self._now)
        previous_plan = resolve_previous_plan(stored, read, at, self._grace)
        updated = replace(read, previous_plan=previous_plan, quantity_set_on=_quantity_day(stored, read))
        await self._subscriptions.store(updated)
        await self._audit_and_set_plan(account, stored, updated, cause)
        if self._keeps_data(updated):
            await self._deadlines.withdraw(self._now, f"{updated.source}: {updated.plan} {updated.status}")
        elif updated.source == STRIPE and updated.has_ended:
            await self._update_deadline(updated, cause)
        return True

    async def _update_deadline(self, ended: Subscription, cause: LedgerCause) -> None:
        """Update the deletion deadline after a card subscription has ended, maybe a while ago.

        If the card paid after the cancellation on the Marketplace, the deadline is withdrawn; if it had ended
        before, the deadline is made up for.
        """
        deadline = await self._deadlines.latest()
        if deadline is not None:
            if _paid_after(ended, deadline.cancelled_at):
                await self._deadlines.withdraw(
                    self._now, f"{ended.source}: {ended.plan} until {ended.ended_at}"
                )
            return
        subscriptions = await self._subscriptions.all()
        purchase = next(
            (subscription for subscription in subscriptions if subscription.source == MARKETPLACE), None
        )
        if any(
            subscription.source == STRIPE and not subscription.has_ended for subscription in subscriptions
        ):
            return
        if purchase is not None and purchase.has_ended and purchase.ended_at is not None:
            await self.record_cancellation(purchase.ended_at, cause, is_announced=False)

    async def record_cancellation(self, at: datetime, cause: LedgerCause, *, is_announced: bool) -> None:
        """Record by when the account's data is deleted, unless it pays elsewhere.

        `is_announced`: GitHub named the day; otherwise the cancellation is inferred.
        """
        account = await self._subscriptions.lock()
        subscriptions = await self._subscriptions.all()
        if account is None or any(self._keeps_data(subscription) for subscription in subscriptions):
            return
        if any(_paid_after(subscription, at) for subscription in subscriptions):
            # An inferred cancellation may be later than the card's end only because GitHub was asked later.
            if is_announced:
                await self._deadlines.withdraw(self._now, "a card paid after it", only_inferred=True)
            return
        if not is_announced and await self._deadlines.latest() is not None:
            return
        due = max(at + DELETION_AFTER, self._now + _LEAST_NOTICE)
        if not await self._deadlines.record(Deadline(at, due, is_announced)):
            return
        if is_announced:  # An announced day counts more than an inferred one.
            await self._deadlines.withdraw(self._now, "GitHub named the day", only_inferred=True)
        details = {"cause": cause.event, "id": cause.id, "due": due.isoformat()}
        await self._subscriptions.record_audit_entry(
            AccountAuditEntry(cause.actor, "deletion noted", account.name, details, self._now)
        )

    async def withdraw_if_paid(self) -> bool:
        """Withdraw the deadline if anything is paid for; return whether it is."""
        await self._subscriptions.lock()
        paid = [
            subscription for subscription in await self._subscriptions.all() if self._keeps_data(subscription)
        ]
        if paid:
            await self._deadlines.withdraw(self._now, f"{paid[0].source}: {paid[0].plan} {paid[0].status}")
        return bool(paid)

    async def get_subscription(self, source: str, reference: str) -> Subscription | None:
        """Return a stored subscription; None if there is none."""
        subscriptions = await self._subscriptions.all()
        return next(
            (
                subscription
                for subscription in subscriptions
                if (subscription.source, subscription.reference) == (source, reference)
            ),
            None,
        )

    async def update_plan(self) -> None:
        """Update the account's plan, which time alone may end: with a trial, or with grace."""
        account = await self._subscriptions.lock()
        if account is not None:
            await self._set_plan(account, LedgerCause("clock", "time", ""))

    def _keeps_data(self, subscription: Subscription) -> bool:
        """Whether a subscription keeps the account's data from deletion.

        Purchases on the Marketplace keep data, even of the free plan, and so do subscriptions at Stripe that
        are paid or in grace.
        """
        if subscription.source == MARKETPLACE:
            return subscription.status in _GIVING
        has_time = grace_end(subscription, self._grace) is not None and gives_access(
            subscription, self._now, self._grace
        )
        return (subscription.status in _GIVING or has_time) and PLANS[PlanName(subscription.plan)].is_paid

    async def _audit_and_set_plan(
        self, account: Account, stored: Subscription | None, updated: Subscription, cause: LedgerCause
    ) -> None:
        """Record a changed subscription in the audit log, and set the plan that follows."""
        before, after = _audited_fields(stored), _audited_fields(updated)
        if before != after:
            details = {"before": before, "after": after, "event": cause.event, "id": cause.id}
            await self._subscriptions.record_audit_entry(
                AccountAuditEntry(cause.actor, "subscription", account.name, details, self._now)
            )
        await self._set_plan(account, cause)

    async def _set_plan(self, account: Account, cause: LedgerCause) -> None:
        plan = resolve_account_plan(await self._subscriptions.all(), self._now, self._grace).name
        if plan == account.plan:
            return
        await self._subscriptions.set_plan(plan)
        details = {"before": account.plan, "after": plan.value, "event": cause.event, "id": cause.id}
        await self._subscriptions.record_audit_entry(
            AccountAuditEntry(cause.actor, "plan", account.name, details, self._now)
        )


def resolve_previous_plan(
    stored: Subscription | None, read: Subscription, at: datetime, grace: timedelta
) -> PreviousPlan | None:
    """The plan before a subscription was reduced; None once it has as much again."""
    previous = stored.previous_plan if stored else None
    if (
        stored is not None
        and _gives_or_gave(stored, grace)
        and _is_less(read, stored.plan, stored.quantity, grace)
    ):
        # A plan that time alone had ended before does not last until now.
        ended_before = access_end(stored, at, grace)
        previous = PreviousPlan(stored.plan, stored.quantity, min(at, ended_before or at))
    if previous is not None and not _is_less(read, previous.plan, previous.quantity, grace):
        return None
    return previous


def _gives_or_gave(subscription: Subscription, grace: timedelta) -> bool:
    """Whether a subscription gives access, or did until its grace was over."""
    return subscription.status in _GIVING or grace_end(subscription, grace) is not None


def _is_less(read: Subscription, plan: str, quantity: int | None, grace: timedelta) -> bool:
    if not _gives_or_gave(read, grace):
        return PLANS[PlanName(plan)].is_paid
    rank, before = PLANS[PlanName(read.plan)].rank, PLANS[PlanName(plan)].rank
    if rank != before:
        return rank < before
    return read.quantity is not None and (quantity is None or read.quantity < quantity)


def _paid_after(subscription: Subscription, at: datetime) -> bool:
    """Whether a card subscription that has ended was paid after a cancellation on the Marketplace.

    Seen in time, it would have withdrawn the deadline, and its end does not bring the deadline back.
    """
    has_paid = (
        subscription.source == STRIPE
        and subscription.has_ended
        and PLANS[PlanName(subscription.plan)].is_paid
    )
    return has_paid and subscription.ended_at is not None and subscription.ended_at > at


def _quantity_day(stored: Subscription | None, read: Subscription) -> date | None:
    return read.quantity_set_on or (stored.quantity_set_on if stored else None)


def _audited_fields(subscription: Subscription | None) -> dict[str, object] | None:
    """The fields of a subscription for the audit log."""
    if subscription is None:
        return None
    pending = subscription.pending
    return {
        "source": subscription.source,
        "status": subscription.status,
        "plan": subscription.plan,
        "quantity": subscription.quantity,
        "yearly": subscription.is_yearly,
        "pending": [pending.plan, pending.quantity] if pending else None,
    }
