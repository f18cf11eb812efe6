"""Findings of `doctor` about the account at Stripe: portal, prices, taxes and webhook endpoints."""

import asyncio
from collections.abc import Awaitable, Mapping

from bot.billing.portal_check import portal_findings, price_findings, tax_findings
from bot.billing.stripe_checkout import StripeCheckout
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_errors import StripeRefusedError, StripeUnavailableError
from bot.billing.webhook_check import endpoint_findings, public_url_findings
from bot.settings.billing import StripeSettings


async def stripe_findings(settings: StripeSettings, public_url: str) -> list[str]:
    """Return the problems that an operator has to correct at Stripe, or that Stripe was unreachable.

    `public_url` is the address to which Stripe sends its events.
    """
    findings = public_url_findings(public_url)
    is_public = not findings
    stripe = RealStripe(settings)
    questions = {
        "its billing portal": _check_portal(stripe, settings),
        "its prices": _check_prices(stripe, settings),
    }
    if settings.automatic_tax:
        questions["its tax settings"] = _check_taxes(stripe, settings)
    if is_public:  # Otherwise no endpoint could be right.
        questions["its webhook endpoints"] = _check_endpoints(stripe, public_url)
    try:
        return findings + await _ask_each(questions)
    finally:
        await stripe.close()


async def _ask_each(questions: Mapping[str, Awaitable[list[str]]]) -> list[str]:
    """Ask each question on its own: a restricted key may read only some of the answers."""
    findings, reasons = list[str](), dict[str, list[str]]()
    answers = await asyncio.gather(*questions.values(), return_exceptions=True)
    for subject, answer in zip(questions, answers, strict=True):
        if isinstance(answer, StripeUnavailableError | StripeRefusedError):
            reasons.setdefault(str(answer), []).append(subject)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            findings += answer
    for reason, unread in reasons.items():
        findings.append(f"Stripe could not be asked about {', '.join(unread)}: {reason}")
    return findings


async def _check_portal(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    return portal_findings(await stripe.get_portal_configuration(), settings)


async def _check_prices(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    prices = await asyncio.gather(*map(stripe.get_price, settings.prices))
    return price_findings(dict(zip(settings.prices, prices, strict=True)), settings)


async def _check_taxes(stripe: StripeCheckout, settings: StripeSettings) -> list[str]:
    return tax_findings(await stripe.get_tax_settings(), settings)


async def _check_endpoints(stripe: StripeCheckout, public_url: str) -> list[str]:
    return endpoint_findings(await stripe.list_webhook_endpoints(), public_url)
