"""Opens a checkout so that nobody pays twice: one open session for an account, and none for who pays."""

import asyncio
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.billing.stripe_answers import StripeRefusedError
from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_client import Stripe
from marketplace.stripe_subscriptions import parse_account

# While Stripe may still collect money for a subscription. An incomplete one expires by itself after a day.
_COLLECTING = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})

# Stripe's search finds a subscription within the hour; what is younger is listed.
_SEARCH_LAGS = timedelta(hours=2)

Session = Mapping[str, Any]
StripeSubscription = Mapping[str, Any]


def is_collected(subscription: StripeSubscription) -> bool:
    """Return whether Stripe may still collect money for a subscription."""
    return subscription.get("status") in _COLLECTING


class AlreadyPaidError(Exception):
    """The account pays by card already; `subscription` is what Stripe tells of it."""

    def __init__(self, subscription: StripeSubscription) -> None:
        super().__init__("the account pays by card already")
        self.subscription = subscription


class OtherCheckoutError(Exception):
    """Somebody else opened another checkout for the account at the same moment."""


class OpenCheckoutError(Exception):
    """Another checkout of the account is open, in which somebody may be paying; `session` is Stripe's."""

    def __init__(self, session: Session) -> None:
        super().__init__("another checkout is open")
        self.session = session


class Checkouts:
    """Opens checkout sessions, with what Stripe itself says and without waiting for its events.

    Nothing is locked while Stripe is asked. Instead each visitor looks again after opening a session: of two
    who open one at once, at least the later sees both, and all but the newest are expired.
    """

    def __init__(self, stripe: Stripe, prices: Collection[str], now: datetime) -> None:
        self._stripe = stripe
        self._now = now
        self._prices = frozenset(prices)
        self._log = structlog.get_logger(__name__)

    async def open(self, terms: CheckoutTerms, *, replaces_others: bool) -> str:
        """Return the address of the account's only open session on these terms.

        A session of another price is closed only if this one `replaces_others`; of the same price, what is
        not up to date is closed in any case.

        Raises AlreadyPaidError, OpenCheckoutError, OtherCheckoutError, StripeUnavailableError or
        StripeRefusedError.
        """
        sessions, subscription = await self._read(terms)
        open_sessions = [session for session in sessions if session.get("status") == "open"]
        if subscription is not None:
            await self._expire(open_sessions)
            raise AlreadyPaidError(subscription)
        same = next((session for session in open_sessions if terms.are_those_of(session)), None)
        other = next((session for session in open_sessions if not terms.have_price_of(session)), None)
        if same is None and other is not None and not replaces_others:
            raise OpenCheckoutError(other)
        await self._expire(session for session in open_sessions if session is not same)
        if same is not None:
            return str(same["url"])
        session = await self._stripe.open_checkout(terms, _key(terms, sessions))
        return await self._look_again(terms, session)

    async def subscription(self, account: int, customer: str) -> StripeSubscription | None:
        """Return a subscription that Stripe collects money for, of this account; None if there is none."""
        by_customer, by_account = await asyncio.gather(
            self._stripe.subscriptions_of(customer), self._find_subscriptions(account)
        )
        for subscription in (*by_customer, *by_account):
            if is_collected(subscription) and self._is_own(subscription, account):
                return subscription
        return None

    async def _read(self, terms: CheckoutTerms) -> tuple[Sequence[Session], StripeSubscription | None]:
        sessions, subscription = await asyncio.gather(
            self._stripe.checkout_sessions(terms.customer), self.subscription(terms.account, terms.customer)
        )
        own = [session for session in sessions if parse_account(session.get("metadata")) == terms.account]
        return own, subscription

    async def _look_again(self, terms: CheckoutTerms, session: Session) -> str:
        """Whoever opened a session, or paid one, while this one was being opened comes before."""
        sessions, subscription = await self._read(terms)
        if subscription is not None:
            await self._expire([session])
            raise AlreadyPaidError(subscription)
        open_sessions = [other for other in sessions if other.get("status") == "open"]
        newest = max(open_sessions, key=_age, default=session)
        await self._expire(other for other in open_sessions if other is not newest)
        if newest["id"] != session["id"] and not terms.are_those_of(newest):
            raise OtherCheckoutError
        return str(newest["url"])

    async def _expire(self, sessions: Iterable[Session]) -> None:
        for session in sessions:
            if not await self._stripe.expire_checkout(str(session["id"])):
                self._log.info("checkout session was not open any more", session=session["id"])

    async def _find_subscriptions(self, account: int) -> Sequence[StripeSubscription]:
        try:
            return await self._stripe.subscriptions_for(account, self._now - _SEARCH_LAGS)
        except StripeRefusedError as problem:  # Stripe's search is not offered in every country.
            self._log.warning("Stripe's search was refused; only the customer's subscriptions are looked at")
            self._log.debug("search refused", reason=str(problem))
            return ()

    def _is_own(self, subscription: StripeSubscription, account: int) -> bool:
        """Whether it was bought for the account. A customer may also buy something else of the seller."""
        owner = parse_account(subscription.get("metadata"))
        if owner is not None:
            return owner == account
        items = (subscription.get("items") or {}).get("data", [])
        return any((item.get("price") or {}).get("id") in self._prices for item in items)


def _age(session: Session) -> tuple[int, str]:
    return int(session.get("created") or 0), str(session["id"])


def _key(terms: CheckoutTerms, sessions: Sequence[Session]) -> str:
    """Two visitors at once open one session. When that is paid or expired the key is another, and when the
    terms are others too: Stripe repeats its answer to a key for a day, and refuses it with other parameters.
    """
    newest = max(sessions, key=_age, default=None)
    parameters = json.dumps(terms.params(), sort_keys=True)
    return hashlib.sha256(f"{newest['id'] if newest else ''}:{parameters}".encode()).hexdigest()
