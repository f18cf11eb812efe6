"""Customers without the App are listed by `doctor` and still reach the portal."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession
from sqlalchemy import text

from bot.billing.signed_links import SignedLinks
from bot.cli.account import plan
from bot.cli.doctor import examine
from bot.cli.serve import web_server
from bot.services import Services
from bot.settings import Settings
from bot.settings.billing import BillingSettings
from storage.subscriptions import PendingChange, Subscription, Subscriptions, tenant_of_buyer
from tests.support.running import Bot
from tests.support.stripe.selling import card_billing_settings, deliver_stripe_event
from tests.support.stripe.server import StandInStripe
from tests.support.stripe.world import SETTINGS as MARKETPLACE

NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def account(base: Services, *subscriptions: Subscription, **columns: Any) -> int:
    async with base.database.unscoped() as connection:
        organization_id = await tenant_of_buyer(connection, 7, "acme", "Organization")
    async with base.database.tenant(organization_id) as tenant:
        for subscription in subscriptions:
            await Subscriptions(tenant).store(subscription)
        for column, value in columns.items():
            query = text(f"update organizations set {column} = :value")
            await tenant.connection.execute(query, {"value": value})
    return organization_id


def by_card(status: str = "active", number: int = 1, **more: Any) -> Subscription:
    return Subscription(
        "stripe", status, "pro", NOW, reference=f"sub_{number}", customer=f"cus_{number}", **more
    )


MARKET = Subscription("marketplace", "active", "pro", NOW, quantity=3)


async def paid_without_the_app(base: Services) -> list[str]:
    return [finding for finding in await examine(base) if " pays for " in finding]


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid"])
async def test_who_pays_by_card_without_the_app_is_named(base: Services, status: str) -> None:
    await account(base, by_card(status))
    (finding,) = await paid_without_the_app(base)
    assert "acme pays for Pro by card, but the App is not installed there" in finding
    assert "python -m bot plan --account acme --portal-link" in finding


async def test_who_pays_on_the_marketplace_without_the_app_is_named(base: Services) -> None:
    await account(base, MARKET)
    (finding,) = await paid_without_the_app(base)
    assert "acme pays for Pro on GitHub Marketplace, but the App is not installed there" in finding


async def test_who_pays_while_the_app_is_suspended_is_named(base: Services) -> None:
    await account(base, MARKET, by_card(), github_installation_id=5, suspended_at=NOW)
    assert ["suspended there" in finding for finding in await paid_without_the_app(base)] == [True, True]


@pytest.mark.parametrize(
    ("subscriptions", "columns"),
    [
        ([by_card(), MARKET], {"github_installation_id": 5}),
        ([by_card("ended"), by_card("paused", 2), by_card("incomplete", 3)], {}),
        ([replace(MARKET, plan="free")], {}),
        ([replace(MARKET, status="ended")], {}),
        ([by_card(pending=PendingChange(None, None, NOW))], {}),
        ([by_card(missing_since=NOW)], {}),
    ],
)
async def test_who_pays_nothing_or_has_the_app_is_not_named(
    base: Services, subscriptions: list[Subscription], columns: dict[str, Any]
) -> None:
    await account(base, *subscriptions, **columns)
    assert await paid_without_the_app(base) == []


async def test_uninstalling_is_noticed(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    number = int(selling_bot.repository["owner"]["id"])
    await selling_bot.github.create_issue(selling_bot.repo, "Before")
    await selling_bot.rest()
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", stripe_server.subscribe(number))
    )
    assert await paid_without_the_app(selling_bot.base) == []
    await selling_bot.github.trigger("installation", "deleted")
    await selling_bot.rest()
    assert len(await paid_without_the_app(selling_bot.base)) == 1
    await selling_bot.github.trigger("installation", "created")


# The way to the portal


class _Options:
    account = "Acme"
    portal_link = True
    json = False


async def portal_link(
    base: Services, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """What the command prints; it has an event loop of its own."""
    status = await asyncio.to_thread(plan, settings, _Options())  # type: ignore[arg-type]
    printed = capsys.readouterr()
    return status, printed.out.strip(), printed.err.strip()


@pytest.mark.parametrize(
    ("statuses", "customer"),
    [
        (["ended", "active"], "cus_1"),
        (["active", "ended"], "cus_0"),
        (["active", "paused"], "cus_0"),
        (["paused", "past_due", "ended"], "cus_1"),
        (["ended", "ended"], "cus_1"),
    ],
)
async def test_the_portal_link_opens_the_customer_who_is_live(
    base: Services,
    settings: Settings,
    stripe_server: StandInStripe,
    capsys: pytest.CaptureFixture[str],
    statuses: list[str],
    customer: str,
) -> None:
    await account(base, *(by_card(status, number) for number, status in enumerate(statuses)))
    status, out, _ = await portal_link(
        base, replace(settings, billing=card_billing_settings(stripe_server)), capsys
    )
    assert status == 0
    ticket = SignedLinks(base.cipher).read(out.rpartition("/")[2], "portal", datetime.now(UTC))
    assert ticket["customer"] == customer


async def test_who_has_no_customer_any_more_gets_no_link(
    base: Services, settings: Settings, stripe_server: StandInStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    organization_id = await account(base, by_card("ended"))
    billing = replace(settings, billing=card_billing_settings(stripe_server))
    assert (await portal_link(base, billing, capsys))[0] == 0
    async with base.database.tenant(organization_id) as tenant:
        await Subscriptions(tenant).set_customer_deleted("cus_1")
        # Whatever is read of the subscription later brings nobody back.
        await Subscriptions(tenant).store(by_card("ended"))
    assert await portal_link(base, billing, capsys) == (1, "", "acme no longer has a customer at Stripe")


# The page


async def test_the_page_leads_to_each_way_of_paying(
    settings: Settings, base: Services, stripe_server: StandInStripe
) -> None:
    only_market, both = MARKETPLACE, card_billing_settings(stripe_server)
    no_login = replace(both, stripe=replace(both.stripe, portal_login_url=None)) if both.stripe else both
    github, sign_in = "https://github.com/settings/billing", "https://billing.stripe.com/p/login/x"
    for billing, has_github, has_sign_in in (
        (BillingSettings(), False, False),
        (only_market, True, False),
        (both, True, True),
        (no_login, True, False),
        (replace(both, marketplace=None), False, True),
    ):
        page = await get_page(replace(base, settings=replace(settings, billing=billing)))
        assert (github in page, sign_in in page) == (has_github, has_sign_in)
        assert ("Billing is off here" in page) == (billing == BillingSettings())
        assert "color-scheme: light dark" in page


async def get_page(base: Services) -> str:
    async with (
        web_server(base, "127.0.0.1", 0) as port,
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/billing") as response,
    ):
        assert response.status == 200
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        return await response.text()


async def test_the_page_looks_like_those_of_the_checkout(selling_bot: Bot) -> None:
    pages = list[str]()
    for path in ("/billing", "/billing/returned"):
        async with selling_bot.session.get(selling_bot.url + path) as response:
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
            pages.append(await response.text())
    style, other_style = (page.partition("<style>")[2].partition("</style>")[0] for page in pages)
    assert style == other_style != ""


async def test_the_page_names_no_account_and_takes_no_words(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", stripe_server.subscribe(7))
    )
    async with selling_bot.session.get(
        f"{selling_bot.url}/billing?account=octo&next=%3Cscript%3E"
    ) as response:
        page = await response.text()
    assert response.status == 200
    assert "<script" not in page
    assert "octo" not in page
    async with selling_bot.session.post(f"{selling_bot.url}/billing") as response:
        assert response.status == 405
