"""A bot that sells by card against the stand-in Stripe."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.billing.purchase_links import PurchaseLinks
from bot.publishing.pictures import ChartRenderer
from bot.services import Services
from bot.settings import Secret, Settings
from bot.settings.billing import BillingSettings, StripeSettings
from github_standin.github import StandInGitHub
from marketplace.accounts import Billing, load_billing
from marketplace.plans import PlanName
from storage.subscriptions import tenant_of_buyer
from tests.support.billing import BILLING_SETTINGS as BOTH
from tests.support.clock import Clock
from tests.support.running import Bot, running_bot
from tests.support.stripe.server import SECRET, StandInStripe, signed

CARD_ACCOUNT = 7


STRIPE_PRICES = {
    "price_pro": (PlanName.PRO, False),
    "price_year": (PlanName.PRO, True),
    "price_big": (PlanName.ENTERPRISE, False),
}


def stripe_settings(server: StandInStripe) -> StripeSettings:
    """Settings that point to a stand-in Stripe."""
    return StripeSettings(
        Secret("sk_test_stand_in"),
        (Secret("whsec_old"), Secret(SECRET)),
        STRIPE_PRICES,
        api_url=server.url,
        portal_login_url="https://billing.stripe.com/p/login/x",
        meter_prefix="agile",
    )


def card_billing_settings(server: StandInStripe) -> BillingSettings:
    """Settings that sell by Marketplace and by card."""
    return BillingSettings(is_on=True, marketplace=BOTH.marketplace, stripe=stripe_settings(server))


@pytest.fixture
async def selling_bot(
    github: StandInGitHub,
    stripe_server: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
) -> AsyncIterator[Bot]:
    """The bot that sells by card, and an account that it knows."""
    async with running_bot(
        github, replace(settings, billing=card_billing_settings(stripe_server)), clock, drawing
    ) as running:
        async with running.base.database.unscoped() as connection:
            await tenant_of_buyer(connection, CARD_ACCOUNT, "octo", "Organization")
        yield running


@pytest.fixture
async def stripe_server() -> AsyncIterator[StandInStripe]:
    """A running stand-in Stripe."""
    async with StandInStripe().running() as running:
        yield running


async def deliver_stripe_event(selling_bot: Bot, event: Any, **how: Any) -> tuple[int, str]:
    """Deliver a signed Stripe event and wait for its jobs. Returns status and message."""
    body, headers = signed(event, **how)
    return await post_stripe_event(selling_bot, body, headers)


async def post_stripe_event(selling_bot: Bot, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Post a raw body to the Stripe endpoint and wait for its jobs. Returns status and message."""
    async with selling_bot.session.post(
        f"{selling_bot.url}/webhooks/stripe", data=body, headers=headers
    ) as response:
        message = (await response.json())["message"]
    await selling_bot.rest()
    return response.status, message


async def read_billing(base: Services, account: int = CARD_ACCOUNT) -> Billing:
    """Read the billing state of an account."""
    async with base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, account, "octo", "Organization")
    async with base.database.tenant(tenant_id) as tenant:
        billing = await load_billing(tenant, base.clock(), PurchaseLinks(BOTH, "http://x", base.cipher))
    assert billing
    return billing


async def list_stripe_subscriptions(selling_bot: Bot) -> list[tuple[str, str, int | None]]:
    """List plan, status and quantity of the subscriptions."""
    return [
        (subscription.plan, subscription.status, subscription.quantity)
        for subscription in (await read_billing(selling_bot.base)).subscriptions
    ]


async def checkout_link(selling_bot: Bot, plan: PlanName = PlanName.PRO, account: int = CARD_ACCOUNT) -> str:
    """Make a signed link to a checkout."""
    checkout = PurchaseLinks(
        selling_bot.base.settings.billing, selling_bot.url, selling_bot.base.cipher
    ).checkout(account, plan, selling_bot.base.clock(), is_yearly=False)
    assert checkout
    return checkout


async def open_link(selling_bot: Bot, url: str) -> tuple[int, str]:
    """Open a link without following redirects. Returns the status, and the target or the page."""
    async with selling_bot.session.get(url, allow_redirects=False) as response:
        assert response.headers["Referrer-Policy"] == "no-referrer"
        return response.status, response.headers.get("Location") or await response.text()


def _change_subscription(**changes: Any) -> Any:
    """Return a function that applies changes to a Stripe subscription."""

    def act(entry: dict[str, Any]) -> None:
        quantity = changes.get("quantity")
        price = changes.get("price")
        item = entry["items"]["data"][0]
        item.update({"quantity": quantity} if quantity else {})
        item.update({"price": {"id": price, "object": "price"}} if price else {})
        entry.update({key: value for key, value in changes.items() if key not in {"quantity", "price"}})

    return act


SUBSCRIPTION_STORIES = {
    "trial to paid": (
        ["created", _change_subscription(status="trialing")],
        ["updated", _change_subscription(status="active")],
    ),
    "trial to nothing": (
        ["created", _change_subscription(status="trialing")],
        ["deleted", _change_subscription(status="canceled")],
    ),
    "up and down": (
        ["created", _change_subscription(quantity=2)],
        ["updated", _change_subscription(price="price_big")],
        ["updated", _change_subscription(price="price_pro", quantity=1)],
    ),
    "yearly": (
        ["created", _change_subscription(quantity=2)],
        ["updated", _change_subscription(price="price_year")],
    ),
    "cancel at the end": (
        ["created", _change_subscription()],
        ["updated", _change_subscription(cancel_at_period_end=True)],
        ["deleted", _change_subscription(status="canceled")],
    ),
    "cancel called off": (
        ["created", _change_subscription()],
        ["updated", _change_subscription(cancel_at_period_end=True)],
        ["updated", _change_subscription(cancel_at_period_end=False)],
    ),
    "card fails and recovers": (
        ["created", _change_subscription()],
        ["updated", _change_subscription(status="past_due")],
        ["updated", _change_subscription(status="active")],
    ),
    "card fails for good": (
        ["created", _change_subscription()],
        ["updated", _change_subscription(status="past_due")],
        ["updated", _change_subscription(status="unpaid")],
        ["deleted", _change_subscription(status="canceled")],
    ),
    "paused and resumed": (
        ["created", _change_subscription()],
        ["paused", _change_subscription(status="paused")],
        ["resumed", _change_subscription(status="active")],
    ),
    "incomplete that came through": (
        ["created", _change_subscription(status="incomplete")],
        ["updated", _change_subscription(status="active")],
    ),
}
