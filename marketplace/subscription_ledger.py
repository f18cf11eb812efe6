"""Keeping what an account has bought: the row, the plan that follows, the audit, and what is deleted when."""

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

# Who is told of a deletion late has a week left all the same.
_LEAST_NOTICE = timedelta(days=7)
_GIVING = frozenset({"active", "trialing", "past_due"})


@dataclass(frozen=True, slots=True)
class LedgerCause:
    """Why something is kept: `actor` is marketplace, stripe or clock; `event` and `id` say which event."""

    actor: str
    event: str
    id: str
    effective_at: datetime | None = None


class SubscriptionLedger:
    """What one account has bought, within a transaction."""

    def __init__(self, tenant: Tenant, now: datetime, grace: timedelta) -> None:
        self._subscriptions = Subscriptions(tenant)
        self._deadlines = Deadlines(tenant)
        self._now = now
        self._grace = grace

    async def record(self, read: Subscription, cause: LedgerCause) -> bool:
        """Keeps a subscription as its source told it. False if the source was asked again since then."""
        account = await self._subscriptions.lock()
        known = await self.stored(read.source, read.reference)
        if account is None or (known is not None and known.read_at > read.read_at):
            return False
        at = min(cause.effective_at or self._now, self._now)
        had = previous_plan_after(known, read, at, self._grace)
        kept = replace(read, previous_plan=had, quantity_set_on=_set_on(known, read))
        await self._subscriptions.put(kept)
        await self._follow(account, known, kept, cause)
        if self._keeps_data(kept):
            await self._deadlines.withdraw(self._now, f"{kept.source}: {kept.plan} {kept.status}")
        elif kept.source == STRIPE and kept.has_ended:
            await self._catch_up(kept, cause)
        return True

    async def _catch_up(self, kept: Subscription, cause: LedgerCause) -> None:
        """A card has ended, maybe a while ago. If it paid after the cancellation, it has called the deletion
        off; if it had ended before, it has not.
        """
        deadline = await self._deadlines.latest()
        if deadline is not None:
            if _paid_after(kept, deadline.cancelled_at):
                await self._deadlines.withdraw(self._now, f"{kept.source}: {kept.plan} until {kept.ended_at}")
            return
        every = await self._subscriptions.all()
        bought = next((one for one in every if one.source == MARKETPLACE), None)
        if any(one.source == STRIPE and not one.has_ended for one in every):
            return
        if bought is not None and bought.has_ended and bought.ended_at is not None:
            await self.record_cancellation(bought.ended_at, cause, is_told=False)

    async def record_cancellation(self, at: datetime, cause: LedgerCause, *, is_told: bool) -> None:
        """Notes by when the account's data goes, unless it pays for it elsewhere."""
        account = await self._subscriptions.lock()
        every = await self._subscriptions.all()
        if account is None or any(self._keeps_data(one) for one in every):
            return
        if any(_paid_after(one, at) for one in every):
            if is_told:  # We may have found it gone later than the card ended, only because we looked later.
                await self._deadlines.withdraw(self._now, "a card paid after it", only_inferred=True)
            return
        if not is_told and await self._deadlines.latest() is not None:
            return
        due = max(at + DELETION_AFTER, self._now + _LEAST_NOTICE)
        if not await self._deadlines.record(Deadline(at, due, is_told)):
            return
        if is_told:  # What GitHub names counts more than what we found.
            await self._deadlines.withdraw(self._now, "GitHub named the day", only_inferred=True)
        details = {"cause": cause.event, "id": cause.id, "due": due.isoformat()}
        await self._subscriptions.record_audit_entry(
            AccountAuditEntry(cause.actor, "deletion noted", account.name, details, self._now)
        )

    async def withdraw_if_paid(self) -> bool:
        """Whether anything is paid for, so that nothing may be deleted."""
        await self._subscriptions.lock()
        kept = [one for one in await self._subscriptions.all() if self._keeps_data(one)]
        if kept:
            await self._deadlines.withdraw(self._now, f"{kept[0].source}: {kept[0].plan} {kept[0].status}")
        return bool(kept)

    async def stored(self, source: str, reference: str) -> Subscription | None:
        """The subscription as it was kept last."""
        every = await self._subscriptions.all()
        return next((one for one in every if (one.source, one.reference) == (source, reference)), None)

    async def update_plan(self) -> None:
        """Time alone can take a plan away: at the end of a trial, or of grace."""
        account = await self._subscriptions.lock()
        if account is not None:
            await self._set_plan(account, LedgerCause("clock", "time", ""))

    def _keeps_data(self, one: Subscription) -> bool:
        """A purchase on the Marketplace, be it of the free plan, or a subscription with Stripe that is paid
        or still in grace.
        """
        if one.source == MARKETPLACE:
            return one.status in _GIVING
        has_time = grace_end(one, self._grace) is not None and gives_access(one, self._now, self._grace)
        return (one.status in _GIVING or has_time) and PLANS[PlanName(one.plan)].is_paid

    async def _follow(
        self, account: Account, known: Subscription | None, kept: Subscription, cause: LedgerCause
    ) -> None:
        before, after = _shown(known), _shown(kept)
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


def previous_plan_after(
    known: Subscription | None, read: Subscription, at: datetime, grace: timedelta
) -> PreviousPlan | None:
    """What the account had before it became less. It is forgotten when it has as much again."""
    had = known.previous_plan if known else None
    if known is not None and _gave(known, grace) and _is_less(read, known.plan, known.quantity, grace):
        # What time alone had ended before is not had once more until now.
        ended_before = access_end(known, at, grace)
        had = PreviousPlan(known.plan, known.quantity, min(at, ended_before or at))
    if had is not None and not _is_less(read, had.plan, had.quantity, grace):
        return None
    return had


def _gave(one: Subscription, grace: timedelta) -> bool:
    """Whether a subscription gives something, or did until its grace was over."""
    return one.status in _GIVING or grace_end(one, grace) is not None


def _is_less(read: Subscription, plan: str, quantity: int | None, grace: timedelta) -> bool:
    if not _gave(read, grace):
        return PLANS[PlanName(plan)].is_paid
    rank, before = PLANS[PlanName(read.plan)].rank, PLANS[PlanName(plan)].rank
    if rank != before:
        return rank < before
    return read.quantity is not None and (quantity is None or read.quantity < quantity)


def _paid_after(one: Subscription, at: datetime) -> bool:
    """Whether a card paid after a cancellation: had we heard of that in time, it would have withdrawn the
    deadline, and the end of a card's subscription brings none back."""
    has_paid = one.source == STRIPE and one.has_ended and PLANS[PlanName(one.plan)].is_paid
    return has_paid and one.ended_at is not None and one.ended_at > at


def _set_on(known: Subscription | None, read: Subscription) -> date | None:
    return read.quantity_set_on or (known.quantity_set_on if known else None)


def _shown(one: Subscription | None) -> dict[str, object] | None:
    """What the audit log tells of a subscription."""
    if one is None:
        return None
    pending = one.pending
    return {
        "source": one.source,
        "status": one.status,
        "plan": one.plan,
        "quantity": one.quantity,
        "yearly": one.is_yearly,
        "pending": [pending.plan, pending.quantity] if pending else None,
    }
