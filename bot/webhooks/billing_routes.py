"""Routes of billing: only those exist whose seller is named in the settings."""

from aiohttp import web

from bot.billing.overview_page import BillingOverviewPage
from bot.billing.stripe_port import is_live_key
from bot.services import Services
from bot.webhooks.marketplace_endpoint import MarketplaceWebhookEndpoint
from bot.webhooks.request_bodies import RequestBodies
from storage.jobs import Jobs


def add_billing_routes(app: web.Application, services: Services, bodies: RequestBodies) -> None:
    """Add the routes. They stay when selling is switched off, because purchases that were made go on."""
    settings, jobs = services.settings.billing, Jobs()
    app.router.add_get("/billing", BillingOverviewPage(settings).get)
    if settings.marketplace is not None:
        secrets = [secret.reveal() for secret in settings.marketplace.webhook_secrets]
        marketplace = MarketplaceWebhookEndpoint(services.database, jobs, secrets, bodies)
        app.router.add_post("/webhooks/marketplace", marketplace.handle)
    if settings.stripe is not None:
        # Imported only here, because both load Stripe's library: 6 MB, and 60 ms at the start.
        from bot.billing.checkout_routes import CheckoutRoutes  # noqa: PLC0415
        from bot.webhooks.stripe_endpoint import StripeWebhookEndpoint  # noqa: PLC0415

        secrets = [secret.reveal() for secret in settings.stripe.webhook_secrets]
        is_live = is_live_key(settings.stripe.secret_key.reveal())
        stripe = StripeWebhookEndpoint(
            services.database, jobs, secrets, services.clock, bodies, is_live=is_live
        )
        app.router.add_post("/webhooks/stripe", stripe.handle)
        checkout = CheckoutRoutes(services, settings.stripe, jobs)
        app.router.add_get("/billing/checkout/{ticket}", checkout.open_checkout, allow_head=False)
        app.router.add_post("/billing/checkout/{ticket}", checkout.open_checkout)
        app.router.add_get("/billing/portal/{ticket}", checkout.open_portal, allow_head=False)
        app.router.add_get("/billing/done/{ticket}", checkout.complete_checkout, allow_head=False)
        app.router.add_get("/billing/cancelled/{ticket}", checkout.cancel_checkout)
        app.router.add_get("/billing/returned", checkout.return_from_portal)
        # Earlier versions opened checkouts that lead back to this address, paid or not.
        app.router.add_get("/billing/done", checkout.return_without_link)
        app.on_cleanup.append(checkout.close)
