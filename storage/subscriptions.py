"""What an account has bought, as GitHub or Stripe told when they were last asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Tenant
from storage.tables import (
    audit_log,
    organizations,
    stripe_events,
    subscription_problems,
    subscriptions,
)

MARKETPLACE, STRIPE = "marketplace", "stripe"


class PendingChange(msgspec.Struct, frozen=True):
    """A change that is announced: what will hold from `effective_at` on. A `plan` of None ends it.

    `is_yearly` says whether it will be paid by the year. None: as before.
    """

    plan: str | None
    quantity: int | None
    effective_at: datetime | None
    is_yearly: bool | None = None


class PreviousPlan(msgspec.Struct, frozen=True):
    """What the account had before it became less, and until when."""

    plan: str
    quantity: int | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription. `quantity` None: for any number of people.

    `status` is one of trialing, active, past_due, unpaid, paused, incomplete, ended. `reference` is Stripe's
    id of it, `customer` Stripe's id of who pays, `plan_id` the Marketplace's id of the plan. The source was
    asked at `read_at`; since `missing_since` it has not known the subscription. Stripe opens no portal for a
    customer who `is_customer_deleted`. `unit_amount` is what the subscriber pays for a seat and period, in
    the smallest unit of `currency` (ISO 4217, in lower case as Stripe writes it); both are None where the
    source does not say. `price_id` is Stripe's id of the price. `started_at` is from when on Stripe's
    subscription counts, be it as a trial; None for what was read before this was kept.
    """

    source: str
    status: str
    plan: str
    read_at: datetime
    reference: str = ""
    quantity: int | None = None
    is_yearly: bool = False
    customer: str | None = None
    plan_id: int | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
    trial_ends: datetime | None = None
    past_due_since: datetime | None = None
    ended_at: datetime | None = None
    pending: PendingChange | None = None
    had: PreviousPlan | None = None
    quantity_set_on: date | None = None
    missing_since: datetime | None = None
    is_customer_deleted: bool = False
    unit_amount: int | None = None
    currency: str | None = None
    price_id: str | None = None
    started_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class SubscriptionProblem:
    """What of a Stripe subscription could not be understood when Stripe was last asked, as a sentence."""

    subscription_id: str
    problem: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """The tenant as GitHub knows it. `installation` is None while the App is not installed."""

    github_id: int
    name: str
    kind: str
    plan: str
    installation: int | None
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountAuditEntry:
    """A line of the audit log about an account as a whole."""

    actor: str
    action: str
    target: str
    details: Mapping[str, Any]
    at: datetime


_COLUMNS = {
    "reference": "reference",
    "customer": "stripe_customer_id",
    "plan_id": "marketplace_plan_id",
    "period_start": "current_period_start",
    "period_end": "current_period_end",
    "trial_ends": "trial_ends_at",
}
_FIELDS = tuple(Subscription.__dataclass_fields__)
# Nothing that is read of a subscription later brings a deleted customer back.
_SET_ONCE = frozenset({"is_customer_deleted"})


def _column(field: str) -> str:
    return _COLUMNS.get(field, field)


class Subscriptions:
    """One tenant's subscriptions."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def lock(self) -> Account | None:
        """The account; until the transaction ends, nobody else changes what it has bought."""
        return await self._account(for_update=True)

    async def account(self) -> Account | None:
        return await self._account(for_update=False)

    async def all(self) -> list[Subscription]:
        """Also those that have ended, in the order in which they were first seen."""
        query = (
            select(*(subscriptions.c[_column(field)].label(field) for field in _FIELDS))
            .where(self._mine)
            .order_by(subscriptions.c.id)
        )
        return [_subscription(row) for row in await self._connection.execute(query)]

    async def put(self, subscription: Subscription) -> None:
        """Keeps it in the place of what was known of the same one."""
        values = {_column(field): getattr(subscription, field) for field in _FIELDS}
        values["pending"] = msgspec.to_builtins(subscription.pending)
        values["had"] = msgspec.to_builtins(subscription.had)
        if subscription.source == STRIPE:
            values["stripe_subscription_id"] = subscription.reference
        fresh = insert(subscriptions).values(organization_id=self._organization_id, **values)
        key = ("organization_id", "source", "reference")
        changed = {name: fresh.excluded[name] for name in values if name not in {*key, *_SET_ONCE}}
        await self._connection.execute(fresh.on_conflict_do_update(index_elements=key, set_=changed))

    async def set_missing(self, reference: str, since: datetime | None) -> None:
        """Note since when Stripe has not known a subscription; None once it knows it again."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._mine, subscriptions.c.source == STRIPE, subscriptions.c.reference == reference)
            .values(missing_since=since)
        )

    async def set_customer_deleted(self, customer: str) -> None:
        """Note that Stripe has deleted a customer, for good."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._mine, subscriptions.c.stripe_customer_id == customer)
            .values(is_customer_deleted=True)
        )

    async def problems(self) -> list[SubscriptionProblem]:
        """What of the account's Stripe subscriptions is not understood, in the order of their ids."""
        query = (
            select(
                subscription_problems.c.subscription_id,
                subscription_problems.c.problem,
                subscription_problems.c.noted_at,
            )
            .where(subscription_problems.c.organization_id == self._organization_id)
            .order_by(subscription_problems.c.subscription_id)
        )
        return [SubscriptionProblem(*row) for row in await self._connection.execute(query)]

    async def set_problem(self, subscription_id: str, problem: str | None, at: datetime) -> None:
        """Replaces what is not understood of a subscription. None: everything is."""
        if problem is None:
            await self._connection.execute(
                delete(subscription_problems).where(
                    subscription_problems.c.organization_id == self._organization_id,
                    subscription_problems.c.subscription_id == subscription_id,
                )
            )
            return
        fresh = insert(subscription_problems).values(
            organization_id=self._organization_id,
            subscription_id=subscription_id,
            problem=problem,
            noted_at=at,
        )
        await self._connection.execute(
            fresh.on_conflict_do_update(
                index_elements=("organization_id", "subscription_id"),
                set_={"problem": fresh.excluded.problem, "noted_at": fresh.excluded.noted_at},
            )
        )

    async def set_quantity_day(self, reference: str, day: date) -> None:
        """Keep the UTC day on which Stripe was last told another quantity of a subscription."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._mine, subscriptions.c.source == STRIPE, subscriptions.c.reference == reference)
            .values(quantity_set_on=day)
        )

    async def set_plan(self, plan: str) -> None:
        """The plan that holds now, for whoever asks the organization alone."""
        await self._connection.execute(
            update(organizations).where(organizations.c.id == self._organization_id).values(plan=plan)
        )

    async def is_new_event(self, event_id: str, kind: str) -> bool:
        """Notes an event of Stripe; False if it has had its effect before."""
        fresh = insert(stripe_events).values(
            organization_id=self._organization_id, event_id=event_id, type=kind
        )
        kept = fresh.on_conflict_do_nothing().returning(stripe_events.c.id)
        return await self._connection.scalar(kept) is not None

    async def audit(self, noted: AccountAuditEntry) -> None:
        """Writes down what became of the account's plan, and why."""
        await self._connection.execute(
            insert(audit_log).values(
                organization_id=self._organization_id,
                actor=noted.actor,
                action=noted.action,
                target=noted.target,
                details=dict(noted.details),
                at=noted.at,
            )
        )

    async def last_noted(self, action: str) -> datetime | None:
        """When something was last written down about the account."""
        query = select(func.max(audit_log.c.at)).where(
            audit_log.c.organization_id == self._organization_id, audit_log.c.action == action
        )
        found: datetime | None = await self._connection.scalar(query)
        return found

    async def _account(self, *, for_update: bool) -> Account | None:
        query = select(
            organizations.c.github_account_id,
            organizations.c.name,
            organizations.c.account_type,
            organizations.c.plan,
            organizations.c.github_installation_id,
            organizations.c.suspended_at,
        ).where(organizations.c.id == self._organization_id)
        if for_update:
            query = query.with_for_update(key_share=True)
        row = (await self._connection.execute(query)).first()
        return Account(*row) if row is not None else None

    @property
    def _mine(self) -> ColumnElement[bool]:
        return subscriptions.c.organization_id == self._organization_id


def _subscription(row: Any) -> Subscription:
    told = {field: getattr(row, field) for field in _FIELDS}
    told["pending"] = msgspec.convert(told["pending"], PendingChange | None)
    told["had"] = msgspec.convert(told["had"], PreviousPlan | None)
    return Subscription(**told)


async def tenant_of_account(connection: AsyncConnection, account: int) -> int | None:
    """The tenant with GitHub's id of an account, if we have heard of it."""
    found = await connection.scalar(text("select tenant_of_account(:account)"), {"account": account})
    return None if found is None else int(found)


async def tenant_of_buyer(connection: AsyncConnection, account: int, login: str, kind: str) -> int:
    """The tenant of an account that has bought something, made if this is the first that we hear of it."""
    query = text("select tenant_of_buyer(:account, :login, :kind)")
    return int(await connection.scalar(query, {"account": account, "login": login, "kind": kind}) or 0)


async def tenants_named(connection: AsyncConnection, name: str) -> Sequence[int]:
    """The tenants of this name, in any case; those whose account is called so come first."""
    return (await connection.scalars(text("select * from tenants_named(:name)"), {"name": name})).all()


async def tenants_of_stripe(
    connection: AsyncConnection, customer: str | None, subscription: str | None
) -> Sequence[int]:
    """Who has a customer or a subscription of Stripe: one, unless somebody has mixed them up."""
    query = text("select * from tenants_of_stripe(:customer, :subscription)")
    told = {"customer": customer, "subscription": subscription}
    return (await connection.scalars(query, told)).all()
