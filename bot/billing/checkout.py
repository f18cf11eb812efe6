"""Opens checkouts without double payments: one open session per account, none for paying accounts."""

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_port import Stripe
from marketplace.stripe_subscriptions import parse_account

# In these states Stripe may still collect money. An incomplete subscription expires by itself after a day.
_COLLECTED_STATES = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})

# Stripe's search finds a subscription within the hour; younger ones are listed.
_SEARCH_LAG = timedelta(hours=2)

CheckoutSession = Mapping[str, Any]
StripeSubscriptionAnswer = Mapping[str, Any]


def is_collected(subscription: StripeSubscriptionAnswer) -> bool:
    """Whether Stripe may still collect money for a subscription."""
    return subscription.get("status") in _COLLECTED_STATES


class AlreadyPaidError(Exception):
    """The account pays by card already; `subscription` is Stripe's answer."""

    def __init__(self, subscription: StripeSubscriptionAnswer) -> None:
        super().__init__("the account pays by card already")
        self.subscription = subscription


class OtherCheckoutError(Exception):
    """Another person opened a checkout for the account at the same moment."""


class OpenCheckoutError(Exception):
    """Another checkout of the account is open and may be paid at present; `session` is Stripe's answer."""

    def __init__(self, session: CheckoutSession) -> None:
        super().__init__("another checkout is open")
        self.session = session


class Checkouts:
    """Opens checkout sessions by Stripe's current answers, without waiting for its events.

    Nothing is locked while Stripe is asked. Instead the sessions are read again after opening one: of two
    concurrent requests, at least the later sees both sessions, and all but the newest are expired.
    """

    def __init__(self, stripe: Stripe, price_ids: Collection[str], now: datetime) -> None:
        self._stripe = stripe
        self._now = now
        self._price_ids = frozenset(price_ids)
        self._log = structlog.get_logger(__name__)

    async def open(self, terms: CheckoutTerms, *, replaces_others: bool) -> str:
        """Return the URL of the account's only open session on these terms.

        A session of another price is closed only if `replaces_others`; an outdated session of the same price
        is closed in any case.

        Raises AlreadyPaidError, OpenCheckoutError, OtherCheckoutError, StripeUnavailableError or
        StripeRefusedError.
        """
        sessions, subscription = await self._read(terms)
        open_sessions = [session for session in sessions if session.get("status") == "open"]
        if subscription is not None:
            await self._expire(open_sessions)
            raise AlreadyPaidError(subscription)
        same = next((session for session in open_sessions if terms.matches(session)), None)
        other = next((session for session in open_sessions if not terms.matches_price(session)), None)
        if same is None and other is not None and not replaces_others:
            raise OpenCheckoutError(other)
        await self._expire(session for session in open_sessions if session is not same)
        if same is not None:
            return str(same["url"])
        session = await self._stripe.open_checkout(terms, _make_idempotency_key(terms, sessions))
        return await self._resolve_conflicts(terms, session)

    async def find_subscription(self, account: int, customer: str) -> StripeSubscriptionAnswer | None:
        """Return an account's subscription for which Stripe collects money; None if there is none."""
        by_customer, by_account = await asyncio.gather(
            self._stripe.list_subscriptions(customer),
            self._stripe.find_subscriptions(account, self._now - _SEARCH_LAG),
        )
        for subscription in (*by_customer, *by_account):
            if is_collected(subscription) and self._is_own(subscription, account):
                return subscription
        return None

    async def _read(
        self, terms: CheckoutTerms
    ) -> tuple[Sequence[CheckoutSession], StripeSubscriptionAnswer | None]:
        sessions, subscription = await asyncio.gather(
            self._stripe.list_checkout_sessions(terms.customer),
            self.find_subscription(terms.account, terms.customer),
        )
        own = [session for session in sessions if parse_account(session.get("metadata")) == terms.account]
        return own, subscription

    async def _resolve_conflicts(self, terms: CheckoutTerms, session: CheckoutSession) -> str:
        """Return the URL of the newest session, after others that were opened or paid in the meantime."""
        sessions, subscription = await self._read(terms)
        if subscription is not None:
            await self._expire([session])
            raise AlreadyPaidError(subscription)
        open_sessions = [other for other in sessions if other.get("status") == "open"]
        newest = max(open_sessions, key=_creation_order, default=session)
        await self._expire(other for other in open_sessions if other is not newest)
        if newest["id"] != session["id"] and not terms.matches(newest):
            raise OtherCheckoutError
        return str(newest["url"])

    async def _expire(self, sessions: Iterable[CheckoutSession]) -> None:
        for session in sessions:
            if not await self._stripe.expire_checkout(str(session["id"])):
                self._log.info("checkout session was not open any more", session=session["id"])

    def _is_own(self, subscription: StripeSubscriptionAnswer, account: int) -> bool:
        """Whether a subscription was bought for the account; a customer may also buy other products."""
        owner = parse_account(subscription.get("metadata"))
        if owner is not None:
            return owner == account
        items = (subscription.get("items") or {}).get("data", [])
        return any((item.get("price") or {}).get("id") in self._price_ids for item in items)


def _creation_order(session: CheckoutSession) -> tuple[int, str]:
    return int(session.get("created") or 0), str(session["id"])


def _make_idempotency_key(terms: CheckoutTerms, sessions: Sequence[CheckoutSession]) -> str:
    """Return a key by which two concurrent requests open one session.

    It changes when the newest session is paid or expired, and with the terms: Stripe repeats its answer to a
    key for a day, and refuses a key that is used with other parameters.
    """
    newest = max(sessions, key=_creation_order, default=None)
    parameters = json.dumps(terms.params(), sort_keys=True)
    return hashlib.sha256(f"{newest['id'] if newest else ''}:{parameters}".encode()).hexdigest()
