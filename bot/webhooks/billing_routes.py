"""The addresses of billing: only those of what the settings name exist."""

from aiohttp import web

from bot.billing.billing_page import BillingPage
from bot.billing.checkout_pages import BillingPages
from bot.billing.stripe_client import Stripe, is_live_key
from bot.services import Services
from bot.webhooks.billing_endpoints import MarketplaceDoor, StripeDoor
from bot.webhooks.request_bodies import Bodies
from storage.jobs import Jobs


def add_billing(app: web.Application, base: Services, bodies: Bodies, stripe: Stripe | None = None) -> None:
    """Adds the doors. They stay open when selling is switched off: what was bought is still bought."""
    settings, jobs = base.settings.billing, Jobs(base.queue)
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
        pages = BillingPages(base, settings.stripe, jobs, stripe)
        app.router.add_get("/billing/checkout/{ticket}", pages.checkout, allow_head=False)
        app.router.add_post("/billing/checkout/{ticket}", pages.checkout)
        app.router.add_get("/billing/portal/{ticket}", pages.portal, allow_head=False)
        app.router.add_get("/billing/done/{ticket}", pages.done, allow_head=False)
        app.router.add_get("/billing/cancelled/{ticket}", pages.cancelled)
        app.router.add_get("/billing/returned", pages.returned)
        # Where checkouts that were opened by an earlier version lead back to, paid or not.
        app.router.add_get("/billing/done", pages.left)
        app.on_cleanup.append(pages.close)
