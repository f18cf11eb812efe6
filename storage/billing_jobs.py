"""The jobs of billing, as messages. Like all jobs they carry ids only."""

from datetime import datetime

from storage.job_priority import Priority
from storage.jobs import JobMessage

# Periodic tasks, without arguments.
TELL_OWNERS = "tell_owners"
RECONCILE_BILLING = "reconcile_billing"
RECONCILE_STRIPE = "reconcile_stripe"
DELETE_DUE = "delete_due"
REPORT_USAGE = "report_usage"


class FollowPurchaseJob(JobMessage, frozen=True, kw_only=True):
    """Asks GitHub for an account's purchase, because of an event of the Marketplace (`action`)."""

    name = "follow_purchase"
    priority = Priority.RECORDING
    waits_as_itself = True

    # GitHub's id of the account.
    account: int
    action: str
    effective_at: datetime | None
    delivery: str
    # How often GitHub did not list the account.
    tries: int = 0

    @property
    def lock(self) -> str:
        return f"purchase:{self.account}"


class FollowStripeJob(JobMessage, frozen=True, kw_only=True):
    """Asks Stripe for the subscription that an event is about. `event_id` is empty where no event caused it.

    `account` is GitHub's id of the one that the checkout was opened for.
    """

    name = "follow_stripe"
    priority = Priority.RECORDING

    event_id: str
    kind: str
    customer: str | None
    subscription: str | None
    account: int | None = None

    @property
    def lock(self) -> str:
        return f"stripe:{self.customer or self.subscription}"

    @property
    def queueing_lock(self) -> str:
        return f"stripe:{self.event_id or self.subscription or self.customer}"


class FollowStripePaymentJob(JobMessage, frozen=True, kw_only=True):
    """Asks Stripe for the refund or the dispute (`reference`) that an event is about."""

    name = "follow_stripe_payment"
    priority = Priority.RECORDING

    event_id: str
    kind: str
    reference: str
    charge: str | None
    customer: str | None

    @property
    def lock(self) -> str:
        return f"stripe-payment:{self.charge or self.reference}"

    @property
    def queueing_lock(self) -> str:
        return f"stripe:{self.event_id}"
