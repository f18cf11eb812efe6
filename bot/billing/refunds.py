"""Writes refunds and disputes into the audit log of the account whose payment they concern, once each.

They change no plan: Stripe says by the subscription what is paid for, and an operator may refund out of
kindness. Whoever wants to end a plan cancels the subscription.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.isolation import isolated_account, isolated_work
from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
from marketplace.stripe_objects import parse_id
from marketplace.stripe_refunds import (
    DISPUTE_EVENTS,
    PaymentChange,
    PaymentHint,
    parse_dispute,
    parse_refund,
)
from storage.database import Database
from storage.stripe_comparison import (
    ComparisonKind,
    ComparisonResult,
    record_comparison,
    record_comparison_failure,
)
from storage.stripe_refunds import DISPUTE, REFUND
from storage.subscriptions import AccountAuditEntry, Subscriptions, tenants_of_stripe

# A dispute is decided within about three months; a refund fails within 30 days, if it fails.
_DISPUTES_LAST = timedelta(days=180)
_REFUNDS_LAST = timedelta(days=30)
_NIGHTLY = "reconciled"


class StripePayments:
    """Keeps up with refunds and disputes: after each event, and once a day."""

    def __init__(self, database: Database, stripe: Stripe, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._stripe = stripe
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def follow(self, hint: PaymentHint) -> None:
        """Act on an event. Raises StripeUnavailableError or StripeRefusedError; then nothing was written."""
        with structlog.contextvars.bound_contextvars(stripe_event=hint.event_id, kind=hint.kind):
            if hint.kind in DISPUTE_EVENTS:
                dispute = await self._stripe.dispute(hint.reference)
                changes = self._parse_all(parse_dispute, [dispute] if dispute is not None else [])
            else:
                refunds = [await self._with_payer(refund) for refund in await self._refunds(hint)]
                changes = self._parse_all(parse_refund, refunds)
            for change in changes:
                await self._record(change, hint.kind, hint.event_id)
            if not changes:
                await self._record_unseen(hint)

    async def compare(self) -> None:
        """Write down what no event told of. Raises as `follow` does.

        Where Stripe lets us read only the one or the other, that is compared all the same.
        """
        now = self._clock()
        refusal: StripeRefusedError | None = None
        for read_since, parse, lasts in (
            (self._stripe.disputes_since, parse_dispute, _DISPUTES_LAST),
            (self._stripe.refunds_since, parse_refund, _REFUNDS_LAST),
        ):
            try:
                payments = [await self._with_payer(payment) for payment in await read_since(now - lasts)]
                changes = self._parse_all(parse, payments)
            except StripeUnavailableError as problem:
                await self._note_failure(problem)
                raise
            except StripeRefusedError as problem:
                refusal = refusal or problem
                continue
            for change in changes:
                with isolated_work(self._log, "payment not compared", payment=change.id):
                    await self._record(change, _NIGHTLY, "")
        if refusal is not None:
            await self._note_failure(refusal)
            raise refusal
        async with self._database.unscoped() as connection:
            await record_comparison(connection, ComparisonResult(compared_at=now), ComparisonKind.PAYMENTS)

    async def _note_failure(self, problem: Exception) -> None:
        async with self._database.unscoped() as connection:
            await record_comparison_failure(connection, ComparisonKind.PAYMENTS, problem, self._clock())

    async def _refunds(self, hint: PaymentHint) -> Sequence[Mapping[str, Any]]:
        if hint.charge is not None:
            return await self._stripe.refunds_of(hint.charge)
        refund = await self._stripe.refund(hint.reference)
        return [refund] if refund is not None else []

    async def _with_payer(self, refund: Mapping[str, Any]) -> Mapping[str, Any]:
        """The refund, with its payment intent where no charge tells who paid."""
        payment_intent = parse_id(refund.get("payment_intent"))
        if refund.get("charge") is not None or payment_intent is None:
            return refund
        try:
            found = await self._stripe.payment_intent(payment_intent)
        except StripeRefusedError as problem:  # A restricted key may read refunds, and not these.
            self._log.warning("a refund's payment intent could not be read", reason=str(problem))
            return refund
        return refund if found is None else {**refund, "payment_intent": found}

    def _parse_all(
        self,
        parse: Callable[[Mapping[str, Any]], PaymentChange],
        answers: Sequence[Mapping[str, Any]],
    ) -> list[PaymentChange]:
        changes = list[PaymentChange]()
        for answer in answers:
            with isolated_work(self._log, "payment not understood"):
                changes.append(parse(answer))
        return changes

    async def _record(self, change: PaymentChange, kind: str, event_id: str) -> None:
        details = change.details | {"event": kind, "event_id": event_id}
        await self._write(change.action, change.customer, f"{change.id}:{change.status}", details)

    async def _record_unseen(self, hint: PaymentHint) -> None:
        """Stripe does not show us what it spoke of; that it spoke is written down where it named who paid."""
        self._log.warning("Stripe shows no such refund or dispute", reference=hint.reference)
        action = DISPUTE if hint.kind in DISPUTE_EVENTS else REFUND
        details = {"id": hint.reference, "event": hint.kind, "event_id": hint.event_id}
        await self._write(action, hint.customer, hint.event_id, details)

    async def _write(
        self, action: str, customer: str | None, key: str, details: Mapping[str, object]
    ) -> None:
        """Write a line once for its `key`, for each account that the customer pays for."""
        if customer is None:
            self._log.info("payment names no customer", action=action, reference=details["id"])
            return
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        for organization_id in tenants:
            with isolated_account(self._log, "payment not written down", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    books = Subscriptions(tenant)
                    account = await books.lock()
                    if account is None or not await books.is_new_event(key[:255], action):
                        continue
                    await books.record_audit_entry(
                        AccountAuditEntry("stripe", action, account.name, details, self._clock())
                    )
                self._log.info("payment changed", action=action, reference=details["id"])
