"""What `doctor` asks of Stripe: whether its portal, prices and taxes fit the settings."""

import asyncio

from bot.billing.portal_check import portal_findings, price_findings, tax_findings
from bot.billing.settings import StripeSettings
from bot.billing.stripe_answers import StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_checkout import StripeCheckout
from bot.billing.stripe_client import RealStripe


async def stripe_findings(settings: StripeSettings) -> list[str]:
    """Return what an operator has to mend at Stripe, or that Stripe could not be asked."""
    stripe = RealStripe(settings)
    try:
        return await _findings(stripe, settings)
    except (StripeUnavailableError, StripeRefusedError) as problem:
        return [f"Stripe could not be asked about its billing portal and prices: {problem}"]
    finally:
        await stripe.close()


async def _findings(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    prices = dict(
        zip(settings.prices, await asyncio.gather(*map(stripe.price, settings.prices)), strict=True)
    )
    findings = [
        *portal_findings(await stripe.portal_configuration(), settings),
        *price_findings(prices, settings),
    ]
    if settings.automatic_tax:
        findings += tax_findings(await stripe.tax_settings(), settings)
    return findings
