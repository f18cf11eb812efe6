"""The subscriptions of an account, as GitHub or Stripe described them when last asked."""

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
    """An announced change of a subscription: its terms from `effective_at` on. A `plan` of None ends it.

    `is_yearly` says whether it will be paid by the year; None leaves that unchanged.
    """

    plan: str | None
    quantity: int | None
    effective_at: datetime | None
    is_yearly: bool | None = None


class PreviousPlan(msgspec.Struct, frozen=True):
    """The plan of a subscription before it was reduced, and until when it held."""

    plan: str
    quantity: int | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription of an account. A `quantity` of None is for any number of people.

    `status` is one of trialing, active, past_due, unpaid, paused, incomplete, ended. `reference` is Stripe's
    id of the subscription, `customer` Stripe's id of the customer, `plan_id` the Marketplace's id of the
    plan. The source was asked at `read_at`; since `missing_since` it has not known the subscription. Stripe
    opens no portal for a customer who `is_customer_deleted`. `unit_amount` is what the subscriber pays for a
    seat and period, in the smallest unit of `currency` (ISO 4217, in lower case as Stripe writes it); both
    are None where the source does not say. `price_id` is Stripe's id of the price. `started_at` is when
    Stripe's subscription began, trials included; None for rows of earlier versions.
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
    previous_plan: PreviousPlan | None = None
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
    """A sentence on the parts of a Stripe subscription that could not be understood when last read."""

    subscription_id: str
    problem: str
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a tenant on GitHub. `installation` is None while the App is not installed."""

    github_id: int
    name: str
    kind: str
    plan: str
    installation: int | None
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountAuditEntry:
    """An entry of the audit log about an account as a whole."""

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
    "previous_plan": "had",
}
_FIELDS = tuple(Subscription.__dataclass_fields__)
# A deleted customer stays deleted, whatever is read of a subscription later.
_SET_ONCE = frozenset({"is_customer_deleted"})


def _column(field: str) -> str:
    return _COLUMNS.get(field, field)


class Subscriptions:
    """The subscriptions of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def lock(self) -> Account | None:
        """Lock the account's subscriptions until the transaction ends; return the account, if it exists."""
        return await self._account(for_update=True)

    async def account(self) -> Account | None:
        return await self._account(for_update=False)

    async def all(self) -> list[Subscription]:
        """All subscriptions, ended ones included, in the order in which they were first seen."""
        query = (
            select(*(subscriptions.c[_column(field)].label(field) for field in _FIELDS))
            .where(self._is_mine)
            .order_by(subscriptions.c.id)
        )
        return [_subscription(row) for row in await self._connection.execute(query)]

    async def store(self, subscription: Subscription) -> None:
        """Store a subscription in place of its earlier version."""
        values = {_column(field): getattr(subscription, field) for field in _FIELDS}
        values["pending"] = msgspec.to_builtins(subscription.pending)
        values["had"] = msgspec.to_builtins(subscription.previous_plan)
        if subscription.source == STRIPE:
            values["stripe_subscription_id"] = subscription.reference
        fresh = insert(subscriptions).values(organization_id=self._organization_id, **values)
        key = ("organization_id", "source", "reference")
        changed = {name: fresh.excluded[name] for name in values if name not in {*key, *_SET_ONCE}}
        await self._connection.execute(fresh.on_conflict_do_update(index_elements=key, set_=changed))

    async def set_missing(self, reference: str, since: datetime | None) -> None:
        """Set since when a subscription is missing at Stripe; None once Stripe has it again."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._is_mine, subscriptions.c.source == STRIPE, subscriptions.c.reference == reference)
            .values(missing_since=since)
        )

    async def set_customer_deleted(self, customer: str) -> None:
        """Mark a customer as deleted at Stripe; the deletion is final."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._is_mine, subscriptions.c.stripe_customer_id == customer)
            .values(is_customer_deleted=True)
        )

    async def problems(self) -> list[SubscriptionProblem]:
        """The problems of the account's Stripe subscriptions, in the order of their ids."""
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
        """Replace the problem of a subscription; None removes it."""
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
        """Store the UTC day on which a subscription's quantity was last changed at Stripe."""
        await self._connection.execute(
            update(subscriptions)
            .where(self._is_mine, subscriptions.c.source == STRIPE, subscriptions.c.reference == reference)
            .values(quantity_set_on=day)
        )

    async def set_plan(self, plan: str) -> None:
        """Store the current plan in the row of the organization."""
        await self._connection.execute(
            update(organizations).where(organizations.c.id == self._organization_id).values(plan=plan)
        )

    async def is_new_event(self, event_id: str, kind: str) -> bool:
        """Record an event of Stripe; False if it was recorded before, and is to be ignored."""
        fresh = insert(stripe_events).values(
            organization_id=self._organization_id, event_id=event_id, type=kind
        )
        stored = fresh.on_conflict_do_nothing().returning(stripe_events.c.id)
        return await self._connection.scalar(stored) is not None

    async def record_audit_entry(self, entry: AccountAuditEntry) -> None:
        """Add an entry to the account's audit log."""
        await self._connection.execute(
            insert(audit_log).values(
                organization_id=self._organization_id,
                actor=entry.actor,
                action=entry.action,
                target=entry.target,
                details=dict(entry.details),
                at=entry.at,
            )
        )

    async def last_audit_at(self, action: str) -> datetime | None:
        """Return when the account's audit log last got an entry with an action; None if never."""
        query = select(func.max(audit_log.c.at)).where(
            audit_log.c.organization_id == self._organization_id, audit_log.c.action == action
        )
        at: datetime | None = await self._connection.scalar(query)
        return at

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
    def _is_mine(self) -> ColumnElement[bool]:
        return subscriptions.c.organization_id == self._organization_id


def _subscription(row: Any) -> Subscription:
    values = {field: getattr(row, field) for field in _FIELDS}
    values["pending"] = msgspec.convert(values["pending"], PendingChange | None)
    values["previous_plan"] = msgspec.convert(values["previous_plan"], PreviousPlan | None)
    return Subscription(**values)


async def tenant_of_account(connection: AsyncConnection, account: int) -> int | None:
    """The tenant of an account by GitHub's id; None if the account was never seen."""
    tenant = await connection.scalar(text("select tenant_of_account(:account)"), {"account": account})
    return None if tenant is None else int(tenant)


async def tenant_of_buyer(connection: AsyncConnection, account: int, login: str, kind: str) -> int:
    """The tenant of an account that has bought something; created if the account is new."""
    query = text("select tenant_of_buyer(:account, :login, :kind)")
    return int(await connection.scalar(query, {"account": account, "login": login, "kind": kind}) or 0)


async def tenants_named(connection: AsyncConnection, name: str) -> Sequence[int]:
    """The tenants of a name, in any case; those whose account has this name come first."""
    return (await connection.scalars(text("select * from tenants_named(:name)"), {"name": name})).all()


async def tenants_of_stripe(
    connection: AsyncConnection, customer: str | None, subscription: str | None
) -> Sequence[int]:
    """The tenants with a Stripe customer or subscription; more than one only if data are inconsistent."""
    query = text("select * from tenants_of_stripe(:customer, :subscription)")
    ids = {"customer": customer, "subscription": subscription}
    return (await connection.scalars(query, ids)).all()
