"""An account's billing as a whole: what it has, who uses it, and what is about to happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from marketplace.entitlements import AccountPlan, PurchasePages, resolve_account_plan
from marketplace.plans import SEAT_DAYS, Feature, Metric, PlanName
from marketplace.seat_increases import SeatIncrease
from storage.database import Tenant
from storage.deadlines import Deadline, Deadlines
from storage.seat_increases import SeatIncreases
from storage.seats import Seats
from storage.subscriptions import Account, PendingChange, Subscription, Subscriptions
from storage.usage import Usage, total_quantity

# For how long a Marketplace deadline is: GitHub's rule.
DELETION_AFTER = timedelta(days=30)


class Offer(Protocol):
    """What the operator sells, and where; `bot/` provides it."""

    @property
    def is_on(self) -> bool:
        """Whether anything is sold at all; otherwise everything is allowed."""

    @property
    def grace(self) -> timedelta:
        """For how long a failed payment takes nothing away."""

    @property
    def is_usage_charged(self) -> bool:
        """Whether those who pay by card are charged for usage besides the seats."""

    def links(self, account: int) -> PurchasePages:
        """Where an account, by GitHub's id, changes its plan. None of them signs its visitor in."""

    def checkout(self, account: int, plan: PlanName, now: datetime, *, is_yearly: bool) -> str | None:
        """A link that leads to buying a plan by card for a while. None where that is not sold."""


@dataclass(frozen=True, slots=True)
class Billing:
    """Everything about what an account has bought.

    `people` are those who need a seat. `usage` is what was used in this calendar month (UTC), by metric.
    `deadline` says by when the account's data goes. `seat_increase` is one that waits for an admin,
    or that one has approved and Stripe will be told of next night. All of it held at `as_of`.
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
        """What private repositories may use."""
        included = self.plan.terms.features
        return {feature.value: not self.is_sold or feature in included for feature in Feature}

    @property
    def pending(self) -> PendingChange | None:
        """The change that is announced."""
        counting = self.plan.subscription
        return counting.pending if counting else None

    def as_json(self) -> dict[str, object]:
        """As `python -m bot plan --json` prints it."""
        counting, pending = self.plan.subscription, self.pending
        return {
            "account": self.account.name,
            "plan": self.plan.name.value,
            "source": self.plan.source,
            "status": self.plan.status,
            "seats": {"paid": self.plan.seats, "used": len(self.people)},
            "trial_ends": _told(counting.trial_ends) if counting and counting.status == "trialing" else None,
            "period_end": _told(counting.period_end) if counting else None,
            "pending": {
                "plan": pending.plan,
                "quantity": pending.quantity,
                "effective": _told(pending.effective_at),
                "yearly": pending.is_yearly,
            }
            if pending
            else None,
            "features": self.features,
        }


async def load_billing(tenant: Tenant, now: datetime, shop: Offer) -> Billing | None:
    """The billing of the transaction's tenant. None if there is no such tenant."""
    books = Subscriptions(tenant)
    account = await books.account()
    if account is None:
        return None
    subscriptions = await books.all()
    usage = await used_in_month(tenant, now)
    standing = resolve_account_plan(subscriptions, now, shop.grace)
    increase = await SeatIncreases(tenant).current()
    is_of_subscription = (
        increase is not None
        and standing.subscription is not None
        and increase.reference == standing.subscription.reference
    )
    return Billing(
        account,
        standing,
        shop.is_on,
        tuple(await Seats(tenant).active_people(now, SEAT_DAYS)),
        await Deadlines(tenant).latest(),
        tuple(subscriptions),
        usage,
        seat_increase=increase if is_of_subscription else None,
        as_of=now,
    )


async def used_in_month(tenant: Tenant, now: datetime) -> dict[str, int]:
    """What was used in the month of a moment, today included as far as it has come."""
    ledger, today = Usage(tenant), now.date()
    told = [one for one in await ledger.since(today.replace(day=1)) if one.period <= today]
    fresh = {
        Metric.COMMANDS_ANSWERED: await ledger.commands_answered(today),
        Metric.PROJECTS_CREATED: await ledger.projects_created(today),
    }
    found = dict[str, int]()
    for metric in Metric:
        counted = [one for one in told if metric not in fresh or one.period < today]
        found[metric.value] = total_quantity(counted, metric) + fresh.get(metric, 0)
    return found


def _told(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
