"""What `doctor` asks of Stripe: whether its portal, prices, taxes and webhook endpoints fit the settings."""

import asyncio
from collections.abc import Awaitable, Mapping

from bot.billing.portal_check import portal_findings, price_findings, tax_findings
from bot.billing.stripe_answers import StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_checkout import StripeCheckout
from bot.billing.stripe_client import RealStripe
from bot.billing.webhook_check import endpoint_findings, public_url_findings
from bot.settings.billing import StripeSettings


async def stripe_findings(settings: StripeSettings, public_url: str) -> list[str]:
    """Return what an operator has to mend at Stripe, or that Stripe could not be asked.

    `public_url` is where Stripe finds us.
    """
    findings = public_url_findings(public_url)
    is_reached = not findings
    stripe = RealStripe(settings)
    questions = {
        "its billing portal": _portal(stripe, settings),
        "its prices": _prices(stripe, settings),
    }
    if settings.automatic_tax:
        questions["its tax settings"] = _taxes(stripe, settings)
    if is_reached:  # Else no endpoint could be right.
        questions["its webhook endpoints"] = _endpoints(stripe, public_url)
    try:
        return findings + await _ask_each(questions)
    finally:
        await stripe.close()


async def _ask_each(questions: Mapping[str, Awaitable[list[str]]]) -> list[str]:
    """Ask one by one: a restricted key may not read everything, and the rest is told all the same."""
    findings, reasons = list[str](), dict[str, list[str]]()
    answers = await asyncio.gather(*questions.values(), return_exceptions=True)
    for what, answer in zip(questions, answers, strict=True):
        if isinstance(answer, StripeUnavailableError | StripeRefusedError):
            reasons.setdefault(str(answer), []).append(what)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            findings += answer
    for reason, unread in reasons.items():
        findings.append(f"Stripe could not be asked about {', '.join(unread)}: {reason}")
    return findings


async def _portal(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    return portal_findings(await stripe.get_portal_configuration(), settings)


async def _prices(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    prices = await asyncio.gather(*map(stripe.get_price, settings.prices))
    return price_findings(dict(zip(settings.prices, prices, strict=True)), settings)


async def _taxes(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    return tax_findings(await stripe.get_tax_settings(), settings)


async def _endpoints(stripe: StripeCheckout, public_url: str) -> list[str]:
    return endpoint_findings(await stripe.list_webhook_endpoints(), public_url)
