"""Records refunds and disputes in the audit log of the account whose payment they concern, once each.

They change no plan: the subscription at Stripe says what is paid for, and an operator may refund as a
courtesy. To end a plan, the subscription is cancelled.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.isolation import isolated_account, isolated_work
from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
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
_DISPUTE_DURATION = timedelta(days=180)
_REFUND_DURATION = timedelta(days=30)
_NIGHTLY = "reconciled"


class StripePayments:
    """Synchronises refunds and disputes with Stripe: after each event, and once a day."""

    def __init__(self, database: Database, stripe: Stripe, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._stripe = stripe
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def follow(self, hint: PaymentHint) -> None:
        """Record the refund or dispute of an event.

        Raises StripeUnavailableError or StripeRefusedError; then nothing was written.
        """
        with structlog.contextvars.bound_contextvars(stripe_event=hint.event_id, kind=hint.kind):
            if hint.kind in DISPUTE_EVENTS:
                dispute = await self._stripe.get_dispute(hint.reference)
                changes = self._parse_all(parse_dispute, [dispute] if dispute is not None else [])
            else:
                refunds = [await self._add_payer(refund) for refund in await self._list_refunds(hint)]
                changes = self._parse_all(parse_refund, refunds)
            for change in changes:
                await self._record(change, hint.kind, hint.event_id)
            if not changes:
                await self._record_unreadable(hint)

    async def compare(self) -> None:
        """Record refunds and disputes whose events were lost. Raises as `follow` does.

        If the API key may read only refunds or only disputes, these are still compared.
        """
        now = self._clock()
        refusal: StripeRefusedError | None = None
        for list_since, parse, duration in (
            (self._stripe.list_disputes_since, parse_dispute, _DISPUTE_DURATION),
            (self._stripe.list_refunds_since, parse_refund, _REFUND_DURATION),
        ):
            try:
                payments = [await self._add_payer(payment) for payment in await list_since(now - duration)]
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

    async def _list_refunds(self, hint: PaymentHint) -> Sequence[Mapping[str, Any]]:
        if hint.charge is not None:
            return await self._stripe.list_refunds(hint.charge)
        refund = await self._stripe.get_refund(hint.reference)
        return [refund] if refund is not None else []

    async def _add_payer(self, refund: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a refund with its payment intent, if no charge names the payer."""
        payment_intent = parse_id(refund.get("payment_intent"))
        if refund.get("charge") is not None or payment_intent is None:
            return refund
        try:
            intent = await self._stripe.get_payment_intent(payment_intent)
        except StripeRefusedError as problem:  # A restricted key may read refunds, but not payment intents.
            self._log.warning("a refund's payment intent could not be read", reason=str(problem))
            return refund
        return refund if intent is None else {**refund, "payment_intent": intent}

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
        await self._write_audit_entry(change.action, change.customer, f"{change.id}:{change.status}", details)

    async def _record_unreadable(self, hint: PaymentHint) -> None:
        """Record an event whose refund or dispute Stripe does not show, if the event names the payer."""
        self._log.warning("Stripe shows no such refund or dispute", reference=hint.reference)
        action = DISPUTE if hint.kind in DISPUTE_EVENTS else REFUND
        details = {"id": hint.reference, "event": hint.kind, "event_id": hint.event_id}
        await self._write_audit_entry(action, hint.customer, hint.event_id, details)

    async def _write_audit_entry(
        self, action: str, customer: str | None, key: str, details: Mapping[str, object]
    ) -> None:
        """Write an audit entry, once per `key`, for each account that the customer pays for."""
        if customer is None:
            self._log.info("payment names no customer", action=action, reference=details["id"])
            return
        async with self._database.unscoped() as connection:
            tenants = await tenants_of_stripe(connection, customer, None)
        for organization_id in tenants:
            with isolated_account(self._log, "payment not written down", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    rows = Subscriptions(tenant)
                    account = await rows.lock()
                    if account is None or not await rows.is_new_event(key[:255], action):
                        continue
                    await rows.record_audit_entry(
                        AccountAuditEntry("stripe", action, account.name, details, self._clock())
                    )
                self._log.info("payment changed", action=action, reference=details["id"])
