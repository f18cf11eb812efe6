"""The nightly comparison with Stripe, which finds lost purchases and subscriptions that are gone there."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.isolation import FailuresInARow, all_accounts, isolated_account, isolated_work
from bot.billing.stripe_client import Stripe, StripeRefusedError, StripeUnavailableError
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
_NOT_KEPT = "it could not be kept, and the log says why"
_LONGEST_REASON = 200

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
        await self._recheck_problems(listed)
        if refusal is not None:
            await self._note_failure(refusal)
            raise refusal
        result = ComparisonResult(compared_at=self._clock(), unclear=tuple(unclear))
        async with self._database.unscoped() as connection:
            await record_comparison(connection, result, ComparisonKind.SUBSCRIPTIONS)

    async def _keep_all_listed(self, listed: set[str], unclear: list[UnclearSubscription]) -> None:
        asked_at = self._clock()
        async for page in self._stripe.live_subscriptions():
            for answer in reversed(page):  # Stripe lists the newest first, and our books end with it.
                if (reference := parse_id(answer)) is not None:
                    listed.add(reference)
                reason = await self._keep_one(answer, asked_at)
                if reason is not None:
                    unclear.append(reason)
            asked_at = self._clock()

    async def _keep_one(self, answer: Mapping[str, Any], asked_at: datetime) -> UnclearSubscription | None:
        """Keep one subscription; return it where that fails, or where it reaches no account of ours.

        A price that Stripe cannot show fails for its subscriptions only: whether Stripe is away is told by
        the next page of its list.
        """
        reference, account = parse_id(answer), parse_account(answer.get("metadata"))
        failure = _NOT_KEPT
        with (
            structlog.contextvars.bound_contextvars(subscription=reference),
            isolated_work(self._log, "subscription not compared"),
        ):
            try:
                reason = await self._compare(answer, account, asked_at)
            except (PurchaseError, StripeUnavailableError) as problem:
                failure = str(problem)[:_LONGEST_REASON]
                self._log.error("subscription not compared", reason=failure)
            else:
                if reason is None:
                    return None
                return UnclearSubscription(reference or "", _customer(answer) or "", account, reason)
        if reference is None:
            return None  # Nothing could be looked up by it, and the log has it.
        return UnclearSubscription(reference, _customer(answer) or "", account, failure, has_failed=True)

    async def _compare(
        self, answer: Mapping[str, Any], account: int | None, asked_at: datetime
    ) -> str | None:
        """Keep a subscription, and return why it belongs to no account, if so. Raises PurchaseError.

        What of it is not understood, though its account is known, is a problem of that account.
        """
        subscription = parse_subscription(answer)
        is_sold = account is not None or await self._is_sold(answer)
        if not is_sold and not await self._owners(answer):
            return None  # The operator sells something else with the same account at Stripe.
        await self._keep(answer, asked_at)
        if not is_sold or subscription.status in _NOT_BOUGHT or await self._is_in_books(subscription.id):
            return None
        if account is None:
            return _NO_ACCOUNT
        async with self._database.unscoped() as connection:
            is_known = await tenant_of_account(connection, account) is not None
        return None if is_known else _UNKNOWN_ACCOUNT.format(account=account)

    async def _owners(self, answer: Mapping[str, Any]) -> Sequence[int]:
        async with self._database.unscoped() as connection:
            return await tenants_of_stripe(connection, _customer(answer), parse_id(answer))

    async def _is_in_books(self, reference: str) -> bool:
        async with self._database.unscoped() as connection:
            return bool(await tenants_of_stripe(connection, None, reference))

    async def _ask_for_unlisted(self, listed: set[str]) -> tuple[list[_Ours], int]:
        """Ask for each live subscription of our books that was not listed, such as one that has ended.

        Returns those that Stripe does not know, and how many of ours it does know.
        """
        missing, present, failures = list[_Ours](), 0, FailuresInARow()
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
                except StripeUnavailableError as problem:
                    failures.note(problem)
                    self._log.warning("subscription not compared", reason=str(problem))
                    continue
                failures.end()
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
                        await SubscriptionLedger(tenant, now, self._grace).record(
                            ended, LedgerCause("clock", MISSING, "")
                        )
                        await Subscriptions(tenant).set_problem(subscription.reference, None, now)
                    else:
                        await Subscriptions(tenant).set_missing(subscription.reference, since)
                self._log.error("Stripe does not know a subscription of our books", is_ended=is_certain)

    async def _recheck_problems(self, listed: set[str]) -> None:
        """Ask for what was never understood and is listed no more: once it has ended, it is no problem."""
        for organization_id in await all_accounts(self._database):
            with isolated_account(self._log, "problem not compared", organization_id):
                async with self._database.tenant(organization_id) as tenant:
                    rows = Subscriptions(tenant)
                    kept = {subscription.reference for subscription in await rows.all()}
                    names = {problem.subscription_id for problem in await rows.problems()}
                for name in sorted(names - listed - kept):
                    try:
                        await self._recheck_problem(organization_id, name)
                    except StripeUnavailableError as problem:
                        self._log.warning("problem not compared", reason=str(problem))

    async def _recheck_problem(self, organization_id: int, name: str) -> None:
        asked_at = self._clock()
        answer = await self._stripe.subscription(name)
        if answer is not None:
            await self._keep(answer, asked_at)
            return
        async with self._database.tenant(organization_id) as tenant:
            await Subscriptions(tenant).set_problem(name, None, asked_at)

    async def _note_failure(self, problem: Exception) -> None:
        async with self._database.unscoped() as connection:
            await record_comparison_failure(connection, ComparisonKind.SUBSCRIPTIONS, problem, self._clock())


def _customer(answer: Mapping[str, Any]) -> str | None:
    return parse_id(answer.get("customer"))
