"""The addresses of billing: only those of what the settings name exist."""

import hashlib
from datetime import datetime
from html import escape

import structlog
from aiohttp import web

from bot.billing.billing_page import BillingPage
from bot.billing.settings import StripeSettings
from bot.billing.stripe_client import (
    RealStripe,
    Stripe,
    StripeRefusedError,
    StripeUnavailableError,
    is_live_key,
)
from bot.billing.tickets import TicketError, Tickets
from bot.billing.webhooks import MarketplaceDoor, StripeDoor
from bot.bodies import Bodies
from bot.services import Services
from marketplace.entitlements import standing_of
from marketplace.plans import SEAT_DAYS, PlanName
from storage.billing_jobs import BillingJobs
from storage.seats import Seats
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription, Subscriptions, tenant_of_account


def add_billing(app: web.Application, base: Services, bodies: Bodies, stripe: Stripe | None = None) -> None:
    """Adds the doors. They stay open when selling is switched off: what was bought is still bought."""
    settings, jobs = base.settings.billing, BillingJobs(base.queue)
    app.router.add_get("/billing", BillingPage(settings).get)
    if settings.marketplace is not None:
        secrets = [secret.reveal() for secret in settings.marketplace.webhook_secrets]
        marketplace_door = MarketplaceDoor(base.database, jobs, secrets, bodies)
        app.router.add_post("/webhooks/marketplace", marketplace_door.receive)
    if settings.stripe is not None:
        secrets = [secret.reveal() for secret in settings.stripe.webhook_secrets]
        is_live = is_live_key(settings.stripe.secret_key.reveal())
        stripe_door = StripeDoor(base.database, jobs, secrets, base.clock, bodies, is_live=is_live)
        app.router.add_post("/webhooks/stripe", stripe_door.receive)
        pages = BillingPages(base, settings.stripe, stripe)
        app.router.add_get("/billing/checkout/{ticket}", pages.checkout, allow_head=False)
        app.router.add_get("/billing/portal/{ticket}", pages.portal, allow_head=False)
        app.router.add_get("/billing/done", pages.done)
        app.on_cleanup.append(pages.close)


class BillingPages:
    """Where our signed links lead: on to Stripe, or to a sentence that says why not."""

    def __init__(self, base: Services, settings: StripeSettings, stripe: Stripe | None) -> None:
        self._base = base
        self._settings = settings
        self._stripe = stripe
        self._tickets = Tickets(base.cipher)
        self._log = structlog.get_logger(__name__)

    async def checkout(self, request: web.Request) -> web.StreamResponse:
        """Opens a checkout for the account that the link was made for."""
        ticket, now = request.match_info["ticket"], self._base.clock()
        try:
            told = self._tickets.read(ticket, "checkout", now)
            account = int(str(told["account"]))
            is_yearly = bool(told["yearly"])
            price = self._settings.price(PlanName(str(told["plan"])), is_yearly=is_yearly)
        except TicketError as problem:
            return _page(410, str(problem))
        if price is None:
            return _page(410, "This plan is not sold any more. `/agile plan` shows those that are.")
        seats = await self._seats(account, now)
        if isinstance(seats, str):
            return _page(409, seats)
        key = hashlib.sha256(f"{ticket}:{seats}".encode()).hexdigest()
        return await self._lead_to("checkout", account, price=price, seats=seats, key=key)

    async def portal(self, request: web.Request) -> web.StreamResponse:
        """Opens the portal for the customer that an operator made the link for."""
        try:
            told = self._tickets.read(request.match_info["ticket"], "portal", self._base.clock())
        except TicketError as problem:
            return _page(410, str(problem))
        return await self._lead_to("portal", 0, customer=str(told["customer"]))

    async def done(self, _: web.Request) -> web.StreamResponse:
        """Where Stripe leads back to."""
        return _page(200, "Thank you. `/agile plan` shows what holds now, usually within a minute.")

    async def close(self, _: web.Application) -> None:
        if self._stripe is not None:
            await self._stripe.close()

    async def _seats(self, account: int, now: datetime) -> int | str:
        """How many seats to begin with, or why nothing is to be bought."""
        async with self._base.database.nobody() as connection:
            organization_id = await tenant_of_account(connection, account)
        if organization_id is None:
            return "This account is not known any more."
        async with self._base.database.tenant(organization_id) as tenant:
            every = await Subscriptions(tenant).all()
            people = await Seats(tenant).used(now, SEAT_DAYS)
        if any(_is_running(one) for one in every):
            return "This account pays by card already. Change it where you pay: `/agile plan` leads there."
        standing = standing_of(every, now, self._base.settings.billing.grace)
        counting = standing.subscription
        if standing.terms.is_paid and standing.source == MARKETPLACE and not (counting and counting.pending):
            return (
                "This account pays on GitHub Marketplace already, and would pay twice. Cancel there first; "
                "while that is pending, this link works."
            )
        return max(1, len(people))

    async def _lead_to(self, what: str, account: int, **told: object) -> web.StreamResponse:
        try:
            url = await self._open(what, account, told)
        except StripeUnavailableError as problem:
            self._log.warning("a page of Stripe could not be opened", what=what, reason=str(problem))
            return _page(503, "Stripe cannot be reached now. Please try again in a minute.")
        except StripeRefusedError as problem:
            self._log.error("a page of Stripe could not be opened", what=what, reason=str(problem))
            return _page(502, "Stripe would not open this page; it has been noted.")
        headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return web.Response(status=303, headers=headers)

    async def _open(self, what: str, account: int, told: dict[str, object]) -> str:
        if self._stripe is None:  # Made here, where the event loop runs.
            self._stripe = RealStripe(self._settings)
        back = f"{self._base.settings.public_url}/billing/done"
        if what == "portal":
            return await self._stripe.open_portal(str(told["customer"]), back)
        return await self._stripe.open_checkout(
            account=account,
            price=str(told["price"]),
            seats=int(str(told["seats"])),
            return_url=back,
            key=str(told["key"]),
        )


def _is_running(one: Subscription) -> bool:
    # One that Stripe does not know any more, as after a change of the key, must not block a new purchase.
    if one.missing_since is not None:
        return False
    return one.source == STRIPE and one.status in {"active", "trialing", "past_due", "unpaid", "paused"}


def _page(status: int, sentence: str) -> web.Response:
    text = escape(sentence).replace("`/agile plan`", "<code>/agile plan</code>")
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width"><title>Agile GitHub Suite</title><body style="font: 1.1rem/1.5 '
        f'system-ui, sans-serif; max-width: 32rem; margin: 20vh auto; padding: 1rem"><p>{text}</p></html>'
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=status, text=page, content_type="text/html", headers=headers)
