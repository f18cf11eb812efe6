"""Routes of signed links: redirects to Stripe's checkout or portal, or pages that explain a refusal."""

import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from bot.billing import pages
from bot.billing.checkout import (
    AlreadyPaidError,
    Checkouts,
    CheckoutSession,
    OpenCheckoutError,
    OtherCheckoutError,
    StripeSubscriptionAnswer,
    is_collected,
)
from bot.billing.listed_purchase import load_listed_purchase
from bot.billing.marketplace_sync import RECONCILED
from bot.billing.pages import Page
from bot.billing.signed_links import SignedLinkError, SignedLinks
from bot.billing.stripe_checkout import CheckoutTerms, parse_line_items
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_customers import AccountCustomers
from bot.billing.stripe_port import Stripe, StripeRefusedError, StripeUnavailableError
from bot.services import Services
from bot.settings.billing import StripeSettings
from commands.formatting.wording import counted
from marketplace.plans import PLANS, SEAT_DAYS, PlanName
from marketplace.purchase_ways import is_collected_by_card, purchase_ways
from storage.billing_jobs import FollowPurchaseJob, FollowStripeJob
from storage.jobs import Jobs
from storage.seats import Seats
from storage.stripe_customers import StripeCustomers
from storage.subscriptions import (
    MARKETPLACE,
    Account,
    Subscription,
    Subscriptions,
    tenant_of_account,
)

# A checkout session lasts a day, and may be opened when its link is a day old.
_SESSION_DURATION = timedelta(days=1)
# The kind of a job that no event of Stripe has caused.
_CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True)
class _Order:
    """The order of a checkout link: GitHub's id of the account, and the plan with its period."""

    account: int
    plan: PlanName
    is_yearly: bool


@dataclass(frozen=True, slots=True)
class _Buyer:
    """The account that a checkout link was made for, its subscriptions, and the number of seats it needs."""

    organization_id: int
    account: Account
    subscriptions: tuple[Subscription, ...]
    seat_count: int


class CheckoutRoutes:
    """Handlers of checkout, billing portal, and the addresses that Stripe leads back to."""

    def __init__(self, services: Services, settings: StripeSettings, jobs: Jobs) -> None:
        self._services = services
        self._settings = settings
        self._jobs = jobs
        self._opened_stripe: Stripe | None = None
        self._links = SignedLinks(services.cipher)
        self._log = structlog.get_logger(__name__)

    async def open_checkout(self, request: web.Request) -> web.Response:
        """Redirect to a checkout for the account that the link was made for.

        Mail scanners and previews open links as well. So GET leaves a checkout of another price open,
        because a payment may be under way there, and asks; POST, sent by the button of that page, closes it.
        """
        ticket, now = request.match_info["ticket"], self._services.clock()
        try:
            order = self._read_order(ticket, now)
        except SignedLinkError as problem:
            return pages.invalid_link(str(problem)).response(410)
        price = self._settings.price(order.plan, is_yearly=order.is_yearly)
        if price is None or not self._services.settings.billing.is_on:
            return pages.plan_not_sold().response(410)
        buyer = await self._load_buyer(order.account, now)
        if buyer is None:
            return pages.unknown_account().response(409)
        is_confirmed = request.method == "POST"
        return await self._handle_failures(
            self._redirect_to_checkout(buyer, price, ticket, replaces_others=is_confirmed)
        )

    async def open_portal(self, request: web.Request) -> web.Response:
        """Redirect to the billing portal of the customer that an operator made the link for."""
        try:
            content = self._links.read(request.match_info["ticket"], "portal", self._services.clock())
        except SignedLinkError as problem:
            return pages.invalid_link(str(problem)).response(410)
        return await self._handle_failures(self._redirect_to_portal(str(content["customer"])))

    async def complete_checkout(self, request: web.Request) -> web.Response:
        """Answer a visitor who returns from a checkout; thank only if Stripe has a subscription."""
        try:
            order = self._read_order(request.match_info["ticket"], self._services.clock() - _SESSION_DURATION)
        except SignedLinkError:
            return pages.purchase_not_confirmed().response()
        return await self._handle_failures(self._confirm_purchase(order.account))

    async def cancel_checkout(self, request: web.Request) -> web.Response:
        """Answer a visitor who left a checkout without buying."""
        ticket = request.match_info["ticket"]
        with contextlib.suppress(SignedLinkError):
            self._read_order(ticket, self._services.clock())
            return pages.checkout_cancelled(
                f"{self._services.settings.public_url}/billing/checkout/{ticket}"
            ).response()
        return pages.checkout_cancelled(None).response()

    async def return_from_portal(self, _: web.Request) -> web.Response:
        """Answer a visitor who returns from the billing portal."""
        return pages.portal_left().response()

    async def return_without_link(self, _: web.Request) -> web.Response:
        """Answer a visitor who returns from a checkout at an address that names no account."""
        return pages.purchase_not_confirmed().response()

    async def close(self, _: web.Application) -> None:
        """Close the connections to Stripe."""
        if self._opened_stripe is not None:
            await self._opened_stripe.close()

    async def _redirect_to_portal(self, customer: str) -> web.Response:
        return _redirect(
            await self._stripe.open_portal(customer, f"{self._services.settings.public_url}/billing/returned")
        )

    async def _confirm_purchase(self, account: int) -> web.Response:
        async with self._services.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        customer = None
        if organization_id is not None:
            async with self._services.database.tenant(organization_id) as tenant:
                customer = await StripeCustomers(tenant).customer()
        subscription = await self._checkouts.find_subscription(account, customer) if customer else None
        if subscription is None:
            return pages.purchase_not_confirmed().response()
        await self._queue_answered(subscription, account)
        return pages.purchase_confirmed().response()

    async def _redirect_to_checkout(
        self, buyer: _Buyer, price: str, ticket: str, *, replaces_others: bool
    ) -> web.Response:
        if page := await self._find_refusal(buyer):
            return page.response(409)
        public_url = self._services.settings.public_url
        terms = CheckoutTerms(
            account=buyer.account.github_id,
            customer=await self._customers.ensure(buyer.organization_id, buyer.account, buyer.subscriptions),
            price=price,
            quantity=buyer.seat_count,
            success_url=f"{public_url}/billing/done/{ticket}",
            cancel_url=f"{public_url}/billing/cancelled/{ticket}",
            automatic_tax=self._settings.automatic_tax,
            tax_ids=self._settings.tax_ids,
            promotion_codes=self._settings.promotion_codes,
            plan=self._settings.prices[price][0],
            notice=pages.make_overlap_notice(buyer.subscriptions),
        )
        try:
            return _redirect(await self._checkouts.open(terms, replaces_others=replaces_others))
        except AlreadyPaidError as problem:
            await self._queue_answered(problem.subscription, terms.account)
            return pages.already_paid_by_card(problem.subscription, self._settings.portal_login_url).response(
                409
            )
        except OpenCheckoutError as problem:
            other = self._describe_session(problem.session)
            requested = self._describe_item(terms.price, terms.quantity)
            page = pages.checkout_in_progress(other, requested, str(problem.session["url"]))
            return page.response(409)
        except OtherCheckoutError:
            return pages.checkout_superseded().response(409)

    def _describe_session(self, session: CheckoutSession) -> str:
        """Describe in words what a checkout session sells."""
        return " and ".join(
            self._describe_item(price or "", quantity or 1) for price, quantity in parse_line_items(session)
        )

    def _describe_item(self, price: str, quantity: int) -> str:
        seats = counted(quantity, "seat")
        if price not in self._settings.prices:
            return seats
        plan, is_yearly = self._settings.prices[price]
        return f"{PLANS[plan].title}, {'yearly' if is_yearly else 'monthly'}, with {seats}"

    async def _find_refusal(self, buyer: _Buyer) -> Page | None:
        """Return why the account cannot buy by card, after asking Stripe and GitHub. None if it can."""
        subscriptions = list(buyer.subscriptions)
        for subscription in filter(is_collected_by_card, buyer.subscriptions):
            answer = await self._stripe.get_subscription(subscription.reference)
            if answer is not None and is_collected(answer):
                return pages.already_paid_by_card(answer, self._settings.portal_login_url)
            subscriptions.remove(subscription)
            self._log.warning("subscription has ended or is gone at Stripe; it does not stop a new one")
            await self._queue_known(subscription, buyer.account.github_id)
        subscriptions = await self._add_listed_purchase(subscriptions, buyer.account.github_id)
        ways = purchase_ways(subscriptions)
        if ways.checkout or ways.blocking is None:
            return None
        marketplace = self._services.settings.billing.marketplace
        links = marketplace.upgrade_links(buyer.account.github_id) if marketplace else {}
        return pages.already_paid_on_marketplace(links.get(PlanName(ways.blocking.plan)))

    async def _add_listed_purchase(
        self, subscriptions: list[Subscription], account: int
    ) -> list[Subscription]:
        """Replace the Marketplace's subscription by what GitHub lists now; unchanged if it lists none."""
        stored = next(
            (subscription for subscription in subscriptions if subscription.source == MARKETPLACE), None
        )
        purchase = await load_listed_purchase(self._services, account, stored)
        if purchase is None:
            return subscriptions
        async with self._services.database.unscoped() as connection:
            job = FollowPurchaseJob(account=account, action=RECONCILED, effective_at=None, delivery="")
            await self._jobs.defer(connection, job)
        others = [subscription for subscription in subscriptions if subscription.source != MARKETPLACE]
        return [*others, purchase]

    def _read_order(self, ticket: str, now: datetime) -> _Order:
        """Read the order of a checkout link. Raises SignedLinkError."""
        content = self._links.read(ticket, "checkout", now)
        plan = PlanName(str(content["plan"]))
        return _Order(int(str(content["account"])), plan, bool(content["yearly"]))

    async def _load_buyer(self, account: int, now: datetime) -> _Buyer | None:
        async with self._services.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        if organization_id is None:
            return None
        async with self._services.database.tenant(organization_id) as tenant:
            rows = Subscriptions(tenant)
            stored_account = await rows.account()
            subscriptions = tuple(await rows.all())
            people = await Seats(tenant).active_people(now, SEAT_DAYS)
        if stored_account is None:
            return None
        return _Buyer(organization_id, stored_account, subscriptions, max(1, len(people)))

    async def _queue_answered(self, subscription: StripeSubscriptionAnswer, account: int) -> None:
        """Queue the reading of a subscription, because its event may be late or lost."""
        customer = subscription.get("customer")
        await self._queue(str(subscription["id"]), str(customer) if customer else None, account)

    async def _queue_known(self, subscription: Subscription, account: int) -> None:
        await self._queue(subscription.reference, subscription.customer, account)

    async def _queue(self, reference: str, customer: str | None, account: int) -> None:
        job = FollowStripeJob(
            event_id="", kind=_CHECKOUT, customer=customer, subscription=reference, account=account
        )
        async with self._services.database.unscoped() as connection:
            await self._jobs.defer(connection, job)

    async def _handle_failures(self, response: Awaitable[web.Response]) -> web.Response:
        """Return the response, or a page for the visitor when Stripe is unavailable or refuses."""
        try:
            return await response
        except StripeUnavailableError as problem:
            self._log.warning("a page of Stripe could not be opened", reason=str(problem))
            return pages.stripe_unavailable().response(503)
        except StripeRefusedError as problem:
            self._log.error("a page of Stripe could not be opened", reason=str(problem))
            return pages.stripe_refused().response(502)

    @property
    def _stripe(self) -> Stripe:
        if self._opened_stripe is None:  # Opened at the first use, when the event loop is running.
            self._opened_stripe = RealStripe(self._settings, self._services.instruments)
        return self._opened_stripe

    @property
    def _customers(self) -> AccountCustomers:
        return AccountCustomers(self._services.database, self._stripe)

    @property
    def _checkouts(self) -> Checkouts:
        price_ids = {*self._settings.prices, *self._settings.earlier_prices}
        return Checkouts(self._stripe, price_ids, self._services.clock())


def _redirect(url: str) -> web.Response:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)
