"""The nightly comparison with Stripe, which finds lost purchases and subscriptions that are gone there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.isolation import all_accounts, isolated_account, isolated_work
from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
from marketplace.books import Books, Cause
from marketplace.github_purchases import PurchaseError
from marketplace.stripe_subscriptions import account_in
from storage.database import Database
from storage.stripe_comparison import (
    Compared,
    ComparisonResult,
    UnclearSubscription,
    note_comparison,
    note_failure,
)
from storage.subscriptions import STRIPE, Subscription, Subscriptions, tenants_of_stripe

MISSING = "missing at Stripe"
# After so many failures in a row Stripe is away, and not just one subscription.
_MOST_FAILURES_IN_A_ROW = 3
_NOT_BOUGHT = frozenset({"incomplete", "incomplete_expired", "canceled"})

_NO_ACCOUNT = "its metadata name no account"
_UNKNOWN_ACCOUNT = "its metadata name the account {account}, which is not known here or has another customer"

KeepListed = Callable[[Mapping[str, Any], datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Ours:
    """A subscription of our books that has not ended, and whose it is."""

    organization_id: int
    subscription: Subscription


class StripeComparison:
    """Compares our books with every live subscription that Stripe has."""

    def __init__(
        self,
        database: Database,
        stripe: Stripe,
        keep: KeepListed,
        is_sold: Callable[[Mapping[str, Any]], Awaitable[bool]],
        clock: Callable[[], datetime],
        grace: timedelta,
    ) -> None:
        """`keep` takes what Stripe says of one subscription, and when it was asked, into our books.

        `is_sold` says whether a subscription has a price of ours.
        """
        self._database = database
        self._stripe = stripe
        self._keep = keep
        self._is_sold = is_sold
        self._clock = clock
        self._grace = grace
        self._log = structlog.get_logger(__name__)

    async def run(self) -> None:
        """Keep what Stripe lists, and ask for each of ours that it does not list.

        Raises StripeUnavailableError, and StripeRefusedError where Stripe does not let us list subscriptions;
        then each of ours has been asked for all the same.
        """
        listed, unclear = set[str](), list[UnclearSubscription]()
        refusal: StripeRefusedError | None = None
        try:
            try:
                await self._keep_all_listed(listed, unclear)
            except StripeRefusedError as problem:
                refusal = problem
            missing, present = await self._ask_for_unlisted(listed)
        except StripeUnavailableError as problem:
            await self._note_failure(problem)
            raise
        await self._settle_missing(missing, present)
        if refusal is not None:
            await self._note_failure(refusal)
            raise refusal
        result = ComparisonResult(compared_at=self._clock(), unclear=tuple(unclear))
        async with self._database.nobody() as connection:
            await note_comparison(connection, result)

    async def _keep_all_listed(self, listed: set[str], unclear: list[UnclearSubscription]) -> None:
        asked_at = self._clock()
        async for page in self._stripe.live_subscriptions():
            for answer in reversed(page):  # Stripe lists the newest first, and our books end with it.
                listed.add(str(answer.get("id")))
                reason = await self._keep_one(answer, asked_at)
                if reason is not None:
                    unclear.append(reason)
            asked_at = self._clock()

    async def _keep_one(self, answer: Mapping[str, Any], asked_at: datetime) -> UnclearSubscription | None:
        """Keep one subscription; return it where it does not reach an account of ours."""
        reference, account = str(answer.get("id")), account_in(answer.get("metadata"))
        if account is None and not await self._is_sold(answer) and not await self._owners(answer):
            return None  # The operator sells something else with the same account at Stripe.
        reason = None
        with (
            structlog.contextvars.bound_contextvars(subscription=reference),
            isolated_work(self._log, "subscription not compared"),
        ):
            try:
                await self._keep(answer, asked_at)
            except PurchaseError as problem:
                reason = str(problem)
                self._log.error("subscription not understood; nothing is changed", reason=reason)
        if answer.get("status") in _NOT_BOUGHT or (reason is None and await self._is_in_books(reference)):
            return None
        if reason is None:
            reason = _NO_ACCOUNT if account is None else _UNKNOWN_ACCOUNT.format(account=account)
        return UnclearSubscription(reference, _customer(answer), account, reason)

    async def _owners(self, answer: Mapping[str, Any]) -> Sequence[int]:
        async with self._database.nobody() as connection:
            return await tenants_of_stripe(connection, _customer(answer), str(answer.get("id")))

    async def _is_in_books(self, reference: str) -> bool:
        async with self._database.nobody() as connection:
            return bool(await tenants_of_stripe(connection, None, reference))

    async def _ask_for_unlisted(self, listed: set[str]) -> tuple[list[_Ours], int]:
        """Ask for each live subscription of our books that was not listed, such as one that has ended.

        Returns those that Stripe does not know, and how many of ours it does know.
        """
        missing, present, failures = list[_Ours](), 0, 0
        for ours in await self._live_in_books():
            if ours.subscription.reference in listed:
                present += 1
                continue
            with isolated_account(
                self._log,
                "subscription not compared",
                ours.organization_id,
                subscription=ours.subscription.reference,
            ):
                asked_at = self._clock()
                try:
                    answer = await self._stripe.subscription(ours.subscription.reference)
                    failures = 0
                except StripeUnavailableError as problem:
                    failures += 1
                    if failures >= _MOST_FAILURES_IN_A_ROW:
                        raise
                    self._log.warning("subscription not compared", reason=str(problem))
                    continue
                if answer is None:
                    missing.append(ours)
                    continue
                present += 1
                await self._keep(answer, asked_at)
        return missing, present

    async def _live_in_books(self) -> list[_Ours]:
        live = list[_Ours]()
        for organization_id in await all_accounts(self._database):
            with isolated_account(self._log, "subscriptions not read", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    subscriptions = await Subscriptions(tenant).all()
                live += [
                    _Ours(organization_id, subscription)
                    for subscription in subscriptions
                    if subscription.source == STRIPE and not subscription.has_ended
                ]
        return live

    async def _settle_missing(self, missing: list[_Ours], present: int) -> None:
        """End what Stripe does not know any more, but only where our key is certainly the right one.

        Where it knows none of ours, or fewer than are missing, the operator may have taken the key of another
        account or of test mode: then nothing is taken from anybody, and `doctor` says so. What is missing for
        longer than the grace of a failed payment ends, if Stripe knows any of ours by then.
        """
        now = self._clock()
        for ours in missing:
            subscription = ours.subscription
            since = subscription.missing_since or now
            is_certain = present >= len(missing) or (present > 0 and now - since >= self._grace)
            with isolated_account(
                self._log,
                "missing subscription not noted",
                ours.organization_id,
                subscription=subscription.reference,
            ):
                async with self._database.tenant(ours.organization_id) as tenant:
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
                        await Books(tenant, now, self._grace).keep(ended, Cause("clock", MISSING, ""))
                    else:
                        await Subscriptions(tenant).set_missing(subscription.reference, since)
                self._log.error("Stripe does not know a subscription of our books", is_ended=is_certain)

    async def _note_failure(self, problem: Exception) -> None:
        async with self._database.nobody() as connection:
            await note_failure(connection, Compared.SUBSCRIPTIONS, problem, self._clock())


def _customer(answer: Mapping[str, Any]) -> str:
    customer = answer.get("customer")
    return str(customer.get("id") if isinstance(customer, Mapping) else customer)
