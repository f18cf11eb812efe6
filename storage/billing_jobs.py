"""The jobs of billing. Like all jobs they carry ids only, and commit together with what they are for."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.jobs import Jobs

FOLLOW_PURCHASE = "follow_purchase"
FOLLOW_STRIPE = "follow_stripe"
FOLLOW_STRIPE_PAYMENT = "follow_stripe_payment"
RECONCILE_BILLING = "reconcile_billing"
RECONCILE_STRIPE = "reconcile_stripe"
DELETE_DUE = "delete_due"
REPORT_USAGE = "report_usage"


class BillingJobs(Jobs):
    """Defers jobs of billing within the caller's transaction."""

    async def follow_purchase(
        self,
        connection: AsyncConnection,
        *,
        account: int,
        action: str,
        effective_at: datetime | None,
        delivery: str,
        tries: int = 0,
        at: datetime | None = None,
    ) -> None:
        """Asks GitHub what an account has bought, because of an event; `at` says when, if not at once."""
        await self._defer(
            connection,
            FOLLOW_PURCHASE,
            # One after another; but what waits for its time holds up nobody.
            lock=None if at else f"purchase:{account}",
            schedule_at=at,
            account=account,
            action=action,
            effective_at=effective_at.isoformat() if effective_at else None,
            delivery=delivery,
            tries=tries,
        )

    async def follow_stripe(
        self,
        connection: AsyncConnection,
        *,
        event_id: str,
        kind: str,
        customer: str | None,
        subscription: str | None,
        account: int | None = None,
    ) -> None:
        """Asks Stripe for what an event is about. `account` is the one that the checkout was opened for.

        `event_id` is empty where no event has brought it.
        """
        await self._defer(
            connection,
            FOLLOW_STRIPE,
            lock=f"stripe:{customer or subscription}",
            queueing_lock=f"stripe:{event_id or subscription or customer}",
            event_id=event_id,
            kind=kind,
            customer=customer,
            subscription=subscription,
            account=account,
        )

    async def follow_stripe_payment(
        self,
        connection: AsyncConnection,
        *,
        event_id: str,
        kind: str,
        reference: str,
        charge: str | None,
        customer: str | None,
    ) -> None:
        """Ask Stripe for the refund or the dispute that an event is about."""
        await self._defer(
            connection,
            FOLLOW_STRIPE_PAYMENT,
            lock=f"stripe-payment:{charge or reference}",
            queueing_lock=f"stripe:{event_id}",
            event_id=event_id,
            kind=kind,
            reference=reference,
            charge=charge,
            customer=customer,
        )
