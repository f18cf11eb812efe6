"""Where our signed links lead: on to Stripe, or to a page that says why not."""

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
    OpenCheckoutError,
    OtherCheckoutError,
    Session,
    StripeSubscription,
    is_collected,
)
from bot.billing.listed_purchase import listed_purchase
from bot.billing.marketplace_sync import RECONCILED
from bot.billing.pages import Page
from bot.billing.signed_links import SignedLinkError, SignedLinks
from bot.billing.stripe_checkout import CheckoutTerms, items_of
from bot.billing.stripe_client import RealStripe, Stripe, StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_customers import AccountCustomers
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

# A checkout session lives for a day, and may be opened when its link is a day old.
_SESSION_LASTS = timedelta(days=1)
# What is said of a job that no event of Stripe has brought.
_CHECKOUT = "checkout"


@dataclass(frozen=True, slots=True)
class _Order:
    """What a link was made for: GitHub's id of the account, and Stripe's price."""

    account: int
    plan: PlanName
    is_yearly: bool


@dataclass(frozen=True, slots=True)
class _Buyer:
    """The account that a link was made for, with what it has bought and how many seats it needs."""

    organization_id: int
    account: Account
    subscriptions: tuple[Subscription, ...]
    seat_count: int


class BillingPages:
    """The pages of buying: checkout, billing portal, and where Stripe leads back to."""

    def __init__(self, base: Services, settings: StripeSettings, jobs: Jobs, stripe: Stripe | None) -> None:
        self._base = base
        self._settings = settings
        self._jobs = jobs
        self._made_stripe = stripe
        self._tickets = SignedLinks(base.cipher)
        self._log = structlog.get_logger(__name__)

    async def checkout(self, request: web.Request) -> web.Response:
        """Open a checkout for the account that the link was made for.

        A link may be opened by a mail scanner or a preview as well. So GET leaves a checkout of another price
        open, in which somebody may be paying, and asks; POST, by the button of that page, closes it.
        """
        ticket, now = request.match_info["ticket"], self._base.clock()
        try:
            order = self._order(ticket, now)
        except SignedLinkError as problem:
            return pages.bad_link(str(problem)).response(410)
        price = self._settings.price(order.plan, is_yearly=order.is_yearly)
        if price is None or not self._base.settings.billing.is_on:
            return pages.not_sold().response(410)
        buyer = await self._buyer(order.account, now)
        if buyer is None:
            return pages.unknown_account().response(409)
        return await self._answer(self._open(buyer, price, ticket, replaces_others=request.method == "POST"))

    async def portal(self, request: web.Request) -> web.Response:
        """Open the portal for the customer that an operator made the link for."""
        try:
            content = self._tickets.read(request.match_info["ticket"], "portal", self._base.clock())
        except SignedLinkError as problem:
            return pages.bad_link(str(problem)).response(410)
        return await self._answer(self._open_portal(str(content["customer"])))

    async def done(self, request: web.Request) -> web.Response:
        """Where Stripe leads back to from a checkout: thanks only who has bought, as Stripe says."""
        try:
            order = self._order(request.match_info["ticket"], self._base.clock() - _SESSION_LASTS)
        except SignedLinkError:
            return pages.not_bought_yet().response()
        return await self._answer(self._thank(order.account))

    async def cancelled(self, request: web.Request) -> web.Response:
        """Where Stripe leads back to who did not buy."""
        ticket = request.match_info["ticket"]
        with contextlib.suppress(SignedLinkError):
            self._order(ticket, self._base.clock())
            return pages.cancelled(f"{self._base.settings.public_url}/billing/checkout/{ticket}").response()
        return pages.cancelled(None).response()

    async def returned(self, _: web.Request) -> web.Response:
        """Where Stripe leads back to from the billing portal."""
        return pages.returned().response()

    async def left(self, _: web.Request) -> web.Response:
        """Where Stripe leads back to when nothing tells who comes."""
        return pages.not_bought_yet().response()

    async def close(self, _: web.Application) -> None:
        """End the connections to Stripe."""
        if self._made_stripe is not None:
            await self._made_stripe.close()

    async def _open_portal(self, customer: str) -> web.Response:
        return _lead_to(
            await self._stripe.open_portal(customer, f"{self._base.settings.public_url}/billing/returned")
        )

    async def _thank(self, account: int) -> web.Response:
        async with self._base.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        customer = None
        if organization_id is not None:
            async with self._base.database.tenant(organization_id) as tenant:
                customer = await StripeCustomers(tenant).customer()
        subscription = await self._checkouts.subscription(account, customer) if customer else None
        if subscription is None:
            return pages.not_bought_yet().response()
        await self._follow(subscription, account)
        return pages.bought().response()

    async def _open(self, buyer: _Buyer, price: str, ticket: str, *, replaces_others: bool) -> web.Response:
        if page := await self._refusal(buyer):
            return page.response(409)
        public_url = self._base.settings.public_url
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
            notice=pages.overlap_notice(buyer.subscriptions),
        )
        try:
            return _lead_to(await self._checkouts.open(terms, replaces_others=replaces_others))
        except AlreadyPaidError as problem:
            await self._follow(problem.subscription, terms.account)
            return pages.pays_by_card(problem.subscription, self._settings.portal_login_url).response(409)
        except OpenCheckoutError as problem:
            shown = self._described(problem.session), self._item_text(terms.price, terms.quantity)
            return pages.open_checkout(*shown, str(problem.session["url"])).response(409)
        except OtherCheckoutError:
            return pages.other_checkout().response(409)

    def _described(self, session: Session) -> str:
        """What a session sells, in words."""
        return " and ".join(
            self._item_text(price or "", quantity or 1) for price, quantity in items_of(session)
        )

    def _item_text(self, price: str, quantity: int) -> str:
        seats = counted(quantity, "seat")
        if price not in self._settings.prices:
            return seats
        plan, is_yearly = self._settings.prices[price]
        return f"{PLANS[plan].title}, {'yearly' if is_yearly else 'monthly'}, with {seats}"

    async def _refusal(self, buyer: _Buyer) -> Page | None:
        """Why the account is not sold anything by card. Stripe is asked whether what we know still holds."""
        subscriptions = list(buyer.subscriptions)
        for subscription in filter(is_collected_by_card, buyer.subscriptions):
            answer = await self._stripe.subscription(subscription.reference)
            if answer is not None and is_collected(answer):
                return pages.pays_by_card(answer, self._settings.portal_login_url)
            subscriptions.remove(subscription)
            self._log.warning("subscription has ended or is gone at Stripe; it does not stop a new one")
            await self._follow_known(subscription, buyer.account.github_id)
        subscriptions = await self._with_listed_purchase(subscriptions, buyer.account.github_id)
        ways = purchase_ways(subscriptions)
        if ways.checkout or ways.blocking is None:
            return None
        marketplace = self._base.settings.billing.marketplace
        links = marketplace.upgrade_links(buyer.account.github_id) if marketplace else {}
        return pages.pays_on_marketplace(links.get(PlanName(ways.blocking.plan)))

    async def _with_listed_purchase(
        self, subscriptions: list[Subscription], account: int
    ) -> list[Subscription]:
        """The subscriptions, with the Marketplace's as GitHub lists it now, if it lists one."""
        known = next((one for one in subscriptions if one.source == MARKETPLACE), None)
        purchase = await listed_purchase(self._base, account, known)
        if purchase is None:
            return subscriptions
        async with self._base.database.unscoped() as connection:
            job = FollowPurchaseJob(account=account, action=RECONCILED, effective_at=None, delivery="")
            await self._jobs.defer(connection, job)
        others = [subscription for subscription in subscriptions if subscription.source != MARKETPLACE]
        return [*others, purchase]

    def _order(self, ticket: str, now: datetime) -> _Order:
        """Raises TicketError."""
        content = self._tickets.read(ticket, "checkout", now)
        plan = PlanName(str(content["plan"]))
        return _Order(int(str(content["account"])), plan, bool(content["yearly"]))

    async def _buyer(self, account: int, now: datetime) -> _Buyer | None:
        async with self._base.database.unscoped() as connection:
            organization_id = await tenant_of_account(connection, account)
        if organization_id is None:
            return None
        async with self._base.database.tenant(organization_id) as tenant:
            books = Subscriptions(tenant)
            known_account = await books.account()
            subscriptions = tuple(await books.all())
            people = await Seats(tenant).active_people(now, SEAT_DAYS)
        if known_account is None:
            return None
        return _Buyer(organization_id, known_account, subscriptions, max(1, len(people)))

    async def _follow(self, subscription: StripeSubscription, account: int) -> None:
        """Read the subscription into our books, also where its event is late or was lost."""
        reference, customer = str(subscription["id"]), subscription.get("customer")
        await self._follow_reference(reference, str(customer) if customer else None, account)

    async def _follow_known(self, subscription: Subscription, account: int) -> None:
        await self._follow_reference(subscription.reference, subscription.customer, account)

    async def _follow_reference(self, reference: str, customer: str | None, account: int) -> None:
        async with self._base.database.unscoped() as connection:
            job = FollowStripeJob(
                event_id="",
                kind=_CHECKOUT,
                customer=customer,
                subscription=reference,
                account=account,
            )
            await self._jobs.defer(connection, job)

    async def _answer(self, opening: Awaitable[web.Response]) -> web.Response:
        """What it opens, or what the visitor reads when Stripe is away or refuses."""
        try:
            return await opening
        except StripeUnavailableError as problem:
            self._log.warning("a page of Stripe could not be opened", reason=str(problem))
            return pages.unavailable().response(503)
        except StripeRefusedError as problem:
            self._log.error("a page of Stripe could not be opened", reason=str(problem))
            return pages.refused().response(502)

    @property
    def _stripe(self) -> Stripe:
        if self._made_stripe is None:  # Made here, where the event loop runs.
            self._made_stripe = RealStripe(self._settings)
        return self._made_stripe

    @property
    def _customers(self) -> AccountCustomers:
        return AccountCustomers(self._base.database, self._stripe)

    @property
    def _checkouts(self) -> Checkouts:
        ours = {*self._settings.prices, *self._settings.earlier_prices}
        return Checkouts(self._stripe, ours, self._base.clock())


def _lead_to(url: str) -> web.Response:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)
