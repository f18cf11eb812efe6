"""The addresses of billing: only those of what the settings name exist."""

from aiohttp import web

from bot.billing_webhooks import MarketplaceDoor
from bot.services import Services
from storage.billing_jobs import BillingJobs


def add_billing(app: web.Application, base: Services) -> None:
    """Adds the doors. They stay open when selling is switched off: what was bought is still bought."""
    settings, jobs = base.settings.billing, BillingJobs(base.queue)
    if settings.marketplace is not None:
        secrets = [secret.reveal() for secret in settings.marketplace.webhook_secrets]
        door = MarketplaceDoor(base.database, jobs, secrets)
        app.router.add_post("/webhooks/marketplace", door.receive)
