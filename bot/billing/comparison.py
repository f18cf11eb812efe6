"""Nightly comparison with Stripe: finds lost purchases, and subscriptions that Stripe no longer has."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.isolation import ConsecutiveFailures, accounts_with_billing, isolated_account, isolated_work
from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
from marketplace.github_purchases import PurchaseError
from marketplace.stripe_objects import parse_id
from marketplace.stripe_subscriptions import parse_account, parse_subscription
from marketplace.subscription_ledger import LedgerCause, SubscriptionLedger
from storage.database import Database
from storage.stripe_comparison import (
    ComparisonKind,
    ComparisonResult,
    UnclearSubscription,
    record_comparison,
    record_comparison_failure,
)
from storage.subscriptions import (
    STRIPE,
    Subscription,
    Subscriptions,
    tenant_of_account,
    tenants_of_stripe,
)

MISSING = "missing at Stripe"
_NOT_BOUGHT = frozenset({"incomplete", "incomplete_expired", "canceled"})

_NO_ACCOUNT = "its metadata name no account"
_UNKNOWN_ACCOUNT = "its metadata name the account {account}, which is not known here"
_NOT_STORED = "it could not be kept, and the log says why"
_LONGEST_REASON = 200

StoreListed = Callable[[Mapping[str, Any], datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _StoredSubscription:
    """A stored subscription that has not ended, and its tenant."""

    organization_id: int
    subscription: Subscription


class StripeComparison:
    """Compares the stored subscriptions with every live subscription at Stripe."""

    def __init__(
        self,
        database: Database,
        stripe: Stripe,
        store_listed: StoreListed,
        is_sold: Callable[[Mapping[str, Any]], Awaitable[bool]],
        clock: Callable[[], datetime],
        grace: timedelta,
    ) -> None:
        """`store_listed` stores Stripe's answer for one subscription, and the time when Stripe was asked.

        `is_sold` returns whether a subscription has a price of the App's plans.
        """
        self._database = database
        self._stripe = stripe
        self._store_listed = store_listed
        self._is_sold = is_sold
        self._clock = clock
        self._grace = grace
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Store the subscriptions that Stripe lists, and ask for each stored one that is not listed.

        Raises StripeUnavailableError, and StripeRefusedError if the API key may not list subscriptions; even
        then each stored subscription has been asked for.
        """
        listed, unclear = set[str](), list[UnclearSubscription]()
        refusal: StripeRefusedError | None = None
        try:
            try:
                await self._store_all_listed(listed, unclear)
            except StripeRefusedError as problem:
                refusal = problem
            missing, present = await self._ask_for_unlisted(listed)
        except StripeUnavailableError as problem:
            await self._record_failure(problem)
            raise
        await self._end_missing(missing, present)
        await self._recheck_problems(listed)
        if refusal is not None:
            await self._record_failure(refusal)
            raise refusal
        result = ComparisonResult(compared_at=self._clock(), unclear=tuple(unclear))
        async with self._database.unscoped() as connection:
            await record_comparison(connection, result, ComparisonKind.SUBSCRIPTIONS)

    async def _store_all_listed(self, listed: set[str], unclear: list[UnclearSubscription]) -> None:
        asked_at = self._clock()
        async for page in self._stripe.iterate_live_subscriptions():
            for answer in reversed(page):  # Stripe lists the newest first; the newest is stored last.
                if (reference := parse_id(answer)) is not None:
                    listed.add(reference)
                subscription = await self._store_one(answer, asked_at)
                if subscription is not None:
                    unclear.append(subscription)
            asked_at = self._clock()

    async def _store_one(self, answer: Mapping[str, Any], asked_at: datetime) -> UnclearSubscription | None:
        """Store one subscription; return it if storing fails, or if it belongs to no account here.

        A price that Stripe cannot show fails for its own subscriptions only: if Stripe is unavailable, the
        next page of the list fails.
        """
        reference, account = parse_id(answer), parse_account(answer.get("metadata"))
        failure = _NOT_STORED
        with (
            structlog.contextvars.bound_contextvars(subscription=reference),
            isolated_work(self._log, "subscription not compared"),
        ):
            try:
                reason = await self._store_and_classify(answer, account, asked_at)
            except (PurchaseError, StripeUnavailableError) as problem:
                failure = str(problem)[:_LONGEST_REASON]
                self._log.error("subscription not compared", reason=failure)
            else:
                if reason is None:
                    return None
                return UnclearSubscription(reference or "", _parse_customer(answer) or "", account, reason)
        if reference is None:
            return None  # Without an id nothing can be looked up, and the log has the error.
        return UnclearSubscription(
            reference, _parse_customer(answer) or "", account, failure, has_failed=True
        )

    async def _store_and_classify(
        self, answer: Mapping[str, Any], account: int | None, asked_at: datetime
    ) -> str | None:
        """Store a subscription, and return why it belongs to no account; None if it does.

        Parts that are not understood, although the account is known, become a problem of that account. Raises
        PurchaseError.
        """
        subscription = parse_subscription(answer)
        is_sold = account is not None or await self._is_sold(answer)
        if not is_sold and not await self._list_owners(answer):
            return None  # The operator sells something else with the same account at Stripe.
        await self._store_listed(answer, asked_at)
        if not is_sold or subscription.status in _NOT_BOUGHT or await self._is_stored(subscription.id):
            return None
        if account is None:
            return _NO_ACCOUNT
        async with self._database.unscoped() as connection:
            is_known = await tenant_of_account(connection, account) is not None
        return None if is_known else _UNKNOWN_ACCOUNT.format(account=account)

    async def _list_owners(self, answer: Mapping[str, Any]) -> Sequence[int]:
        async with self._database.unscoped() as connection:
            return await tenants_of_stripe(connection, _parse_customer(answer), parse_id(answer))

    async def _is_stored(self, reference: str) -> bool:
        async with self._database.unscoped() as connection:
            return bool(await tenants_of_stripe(connection, None, reference))

    async def _ask_for_unlisted(self, listed: set[str]) -> tuple[list[_StoredSubscription], int]:
        """Ask for each live stored subscription that was not listed, for example because it has ended.

        Returns the subscriptions that Stripe does not have, and the number of those that it has.
        """
        missing, present, failures = list[_StoredSubscription](), 0, ConsecutiveFailures()
        for stored in await self._list_live_stored():
            if stored.subscription.reference in listed:
                present += 1
                continue
            with isolated_account(
                self._log,
                "subscription not compared",
                stored.organization_id,
                subscription=stored.subscription.reference,
            ):
                asked_at = self._clock()
                try:
                    answer = await self._stripe.get_subscription(stored.subscription.reference)
                except StripeUnavailableError as problem:
                    failures.record(problem)
                    self._log.warning("subscription not compared", reason=str(problem))
                    continue
                failures.reset()
                if answer is None:
                    missing.append(stored)
                    continue
                present += 1
                await self._store_listed(answer, asked_at)
        return missing, present

    async def _list_live_stored(self) -> list[_StoredSubscription]:
        live = list[_StoredSubscription]()
        async for organization_id in accounts_with_billing(self._database):
            with isolated_account(self._log, "subscriptions not read", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    subscriptions = await Subscriptions(tenant).all()
                live += [
                    _StoredSubscription(organization_id, subscription)
                    for subscription in subscriptions
                    if subscription.source == STRIPE and not subscription.has_ended
                ]
        return live

    async def _end_missing(self, missing: list[_StoredSubscription], present: int) -> None:
        """End subscriptions that Stripe no longer has, but only if the API key is certainly the right one.

        If Stripe has none of the stored ones, or fewer than are missing, the operator may have set the key of
        another account or of test mode: then no plan is ended, and `doctor` reports it. A subscription that
        is missing for longer than the grace period of a payment ends, if Stripe has any stored one by then.
        """
        now = self._clock()
        for stored in missing:
            subscription = stored.subscription
            since = subscription.missing_since or now
            is_certain = present >= len(missing) or (present > 0 and now - since >= self._grace)
            with isolated_account(
                self._log,
                "missing subscription not noted",
                stored.organization_id,
                subscription=subscription.reference,
            ):
                async with self._database.tenant(stored.organization_id) as tenant:
                    if is_certain:
                        ended = replace(
                            subscription,
                            status="ended",
                            read_at=now,
                            ended_at=now,
                            period_end=None,
                            pending=None,
                            past_due_since=None,
                            missing_since=since,
                        )
                        await SubscriptionLedger(tenant, now, self._grace).record(
                            ended, LedgerCause("clock", MISSING, "")
                        )
                        await Subscriptions(tenant).set_problem(subscription.reference, None, now)
                    else:
                        await Subscriptions(tenant).set_missing(subscription.reference, since)
                self._log.error("a stored subscription is missing at Stripe", is_ended=is_certain)

    async def _recheck_problems(self, listed: set[str]) -> None:
        """Ask for unlisted subscriptions with a problem: an ended one is no problem any more."""
        async for organization_id in accounts_with_billing(self._database):
            with isolated_account(self._log, "problem not compared", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    rows = Subscriptions(tenant)
                    stored = {subscription.reference for subscription in await rows.all()}
                    problem_ids = {problem.subscription_id for problem in await rows.problems()}
                for subscription_id in sorted(problem_ids - listed - stored):
                    try:
                        await self._recheck_problem(organization_id, subscription_id)
                    except StripeUnavailableError as problem:
                        self._log.warning("problem not compared", reason=str(problem))

    async def _recheck_problem(self, organization_id: int, subscription_id: str) -> None:
        asked_at = self._clock()
        answer = await self._stripe.get_subscription(subscription_id)
        if answer is not None:
            await self._store_listed(answer, asked_at)
            return
        async with self._database.tenant(organization_id) as tenant:
            await Subscriptions(tenant).set_problem(subscription_id, None, asked_at)

    async def _record_failure(self, problem: Exception) -> None:
        async with self._database.unscoped() as connection:
            await record_comparison_failure(connection, ComparisonKind.SUBSCRIPTIONS, problem, self._clock())


def _parse_customer(answer: Mapping[str, Any]) -> str | None:
    return parse_id(answer.get("customer"))
