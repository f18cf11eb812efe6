"""The billing of an account: its plan, the people who need a seat, usage, and announced changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from marketplace.entitlements import AccountPlan, PlanChangeLinks, resolve_account_plan
from marketplace.plans import SEAT_DAYS, Feature, Metric, PlanName
from marketplace.seat_increases import SeatIncrease
from storage.database import Tenant
from storage.deadlines import Deadline, Deadlines
from storage.seat_increases import SeatIncreases
from storage.seats import Seats
from storage.subscriptions import Account, PendingChange, Subscription, Subscriptions
from storage.usage import Usage, total_quantity

# GitHub's rule: data must be deleted this long after a cancellation on the Marketplace.
DELETION_AFTER = timedelta(days=30)


class BillingOffer(Protocol):
    """The operator's offer: plans, prices and sellers. `bot/` implements it."""

    @property
    def is_on(self) -> bool:
        """Whether anything is sold at all; otherwise everything is allowed."""

    @property
    def grace(self) -> timedelta:
        """The time for which a plan stays after a failed payment."""

    @property
    def is_usage_charged(self) -> bool:
        """Whether accounts that pay by card are charged for usage in addition to seats."""

    def links(self, account: int) -> PlanChangeLinks:
        """The pages on which an account, by GitHub's id, changes its plan. The links need a sign-in."""

    def checkout(self, account: int, plan: PlanName, now: datetime, *, is_yearly: bool) -> str | None:
        """A link, valid for a limited time, to buy a plan by card. None where that is not sold."""


@dataclass(frozen=True, slots=True)
class Billing:
    """The billing of an account at the moment `as_of`.

    `people` are the logins of those who need a seat. `usage` is the usage of this calendar month (UTC), by
    metric. `deadline` is by when the account's data is deleted. `seat_increase` waits for an admin's
    approval, or is approved and will be reported to Stripe next night.
    """

    account: Account
    plan: AccountPlan
    is_sold: bool
    people: tuple[str, ...] = ()
    deadline: Deadline | None = None
    subscriptions: tuple[Subscription, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)
    seat_increase: SeatIncrease | None = None
    as_of: datetime | None = None

    @property
    def features(self) -> dict[str, bool]:
        """Whether private repositories may use each feature, by the feature's name."""
        included = self.plan.terms.features
        return {feature.value: not self.is_sold or feature in included for feature in Feature}

    @property
    def pending(self) -> PendingChange | None:
        """The announced change of the subscription that counts."""
        counting = self.plan.subscription
        return counting.pending if counting else None

    def as_json(self) -> dict[str, object]:
        """The value that `python -m bot plan --json` prints."""
        counting, pending = self.plan.subscription, self.pending
        return {
            "account": self.account.name,
            "plan": self.plan.name.value,
            "source": self.plan.source,
            "status": self.plan.status,
            "seats": {"paid": self.plan.seats, "used": len(self.people)},
            "trial_ends": _isoformat(counting.trial_ends)
            if counting and counting.status == "trialing"
            else None,
            "period_end": _isoformat(counting.period_end) if counting else None,
            "pending": {
                "plan": pending.plan,
                "quantity": pending.quantity,
                "effective": _isoformat(pending.effective_at),
                "yearly": pending.is_yearly,
            }
            if pending
            else None,
            "features": self.features,
        }


async def load_billing(tenant: Tenant, now: datetime, offer: BillingOffer) -> Billing | None:
    """Load the billing of the transaction's tenant. None if there is no such tenant."""
    store = Subscriptions(tenant)
    account = await store.account()
    if account is None:
        return None
    subscriptions = await store.all()
    usage = await sum_month_usage(tenant, now)
    plan = resolve_account_plan(subscriptions, now, offer.grace)
    increase = await SeatIncreases(tenant).current()
    is_of_subscription = (
        increase is not None
        and plan.subscription is not None
        and increase.reference == plan.subscription.reference
    )
    return Billing(
        account,
        plan,
        offer.is_on,
        tuple(await Seats(tenant).active_people(now, SEAT_DAYS)),
        await Deadlines(tenant).latest(),
        tuple(subscriptions),
        usage,
        seat_increase=increase if is_of_subscription else None,
        as_of=now,
    )


async def sum_month_usage(tenant: Tenant, now: datetime) -> dict[str, int]:
    """Sum the usage, by metric, of the UTC month of a moment, up to that moment."""
    ledger, today = Usage(tenant), now.date()
    records = [record for record in await ledger.since(today.replace(day=1)) if record.period <= today]
    today_counts = {
        Metric.COMMANDS_ANSWERED: await ledger.commands_answered(today),
        Metric.PROJECTS_CREATED: await ledger.projects_created(today),
    }
    totals = dict[str, int]()
    for metric in Metric:
        counted = [record for record in records if metric not in today_counts or record.period < today]
        totals[metric.value] = total_quantity(counted, metric) + today_counts.get(metric, 0)
    return totals


def _isoformat(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
