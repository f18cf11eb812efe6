"""Links to the checkout and back: nobody pays twice, and only buyers are thanked."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.billing import pages
from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinks
from github_standin.rest.marketplace import FREE, PRO
from marketplace.plans import PlanName
from storage.stripe_customers import StripeCustomers
from storage.subscriptions import (
    PendingChange,
    Subscription,
    Subscriptions,
    tenant_of_account,
    tenant_of_buyer,
)
from tests.support.running import Bot
from tests.support.stripe.selling import (
    CARD_ACCOUNT,
    checkout_link,
    deliver_stripe_event,
    list_stripe_subscriptions,
    open_link,
    read_billing,
)
from tests.support.stripe.server import StandInStripe

DAY = timedelta(days=1)
OTHER = 8


async def yearly_link(selling_bot: Bot) -> str:
    url = PurchaseLinks(selling_bot.base.settings.billing, selling_bot.url, selling_bot.base.cipher).checkout(
        CARD_ACCOUNT, PlanName.PRO, selling_bot.base.clock(), is_yearly=True
    )
    assert url
    return url


async def led_back(selling_bot: Bot, url: str) -> tuple[int, str]:
    """Where Stripe leads a visitor back to, which a proxy would bring to us."""
    assert url.startswith(f"{selling_bot.base.settings.public_url}/billing/")
    return await open_link(
        selling_bot, selling_bot.url + url.removeprefix(selling_bot.base.settings.public_url)
    )


async def put(selling_bot: Bot, source: str, status: str, account: int = CARD_ACCOUNT, **more: Any) -> None:
    """What our books say, whether it holds or not."""
    async with selling_bot.base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, account, f"octo-{account}", "Organization")
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        subscription = Subscription(source, status, "pro", selling_bot.base.clock(), **more)
        await Subscriptions(tenant).store(subscription)


async def kept_customer(selling_bot: Bot) -> str | None:
    async with selling_bot.base.database.unscoped() as connection:
        tenant_id = await tenant_of_account(connection, CARD_ACCOUNT)
    assert tenant_id
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        return await StripeCustomers(tenant).customer()


def only(stripe_server: StandInStripe) -> dict[str, Any]:
    (session,) = stripe_server.checkout.open_sessions()
    return session


def posted(stripe_server: StandInStripe, path: str) -> list[dict[str, Any]]:
    return [data for method, asked, data in stripe_server.requests if (method, asked) == ("POST", path)]


# Back from Stripe


async def test_who_backs_out_is_reported_that_nothing_was_bought(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    url = await checkout_link(selling_bot)
    await open_link(selling_bot, url)
    status, text = await led_back(selling_bot, only(stripe_server)["cancel_url"])
    assert status == 200
    assert "Thank you" not in text
    assert "were not charged" in text
    assert f'href="{selling_bot.base.settings.public_url}{url.removeprefix(selling_bot.url)}"' in text
    assert await open_link(selling_bot, url) == (303, only(stripe_server)["url"])


async def test_the_way_back_is_not_offered_when_the_link_is_too_old(
    selling_bot: Bot, stripe_server: StandInStripe, clock: Any
) -> None:
    await open_link(selling_bot, await checkout_link(selling_bot))
    clock.now = clock() + 2 * DAY
    status, text = await led_back(selling_bot, only(stripe_server)["cancel_url"])
    assert (status, "Nothing was bought" in text, "href" in text) == (200, True, False)


async def test_only_buyers_are_thanked_without_waiting_for_an_event(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await open_link(selling_bot, await checkout_link(selling_bot))
    session = only(stripe_server)
    assert "Thank you" not in (await led_back(selling_bot, session["success_url"]))[1]
    stripe_server.checkout.pay(session)
    assert "Thank you" in (await led_back(selling_bot, session["success_url"]))[1]
    await selling_bot.rest()
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "active", 1)]


async def test_leaving_the_portal_is_not_thanked_as_a_purchase(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    ticket = SignedLinks(selling_bot.base.cipher).issue(
        "portal", selling_bot.base.clock() + DAY, customer="cus_1"
    )
    await open_link(selling_bot, f"{selling_bot.url}/billing/portal/{ticket}")
    (data,) = posted(stripe_server, "billing_portal/sessions")
    status, text = await led_back(selling_bot, data["return_url"])
    assert (status, "Thank you" in text, "You left the billing portal" in text) == (200, False, True)


@pytest.mark.parametrize("path", ["done", "done/forged", "cancelled/forged", "returned"])
async def test_who_comes_without_having_bought_is_not_thanked(
    selling_bot: Bot, stripe_server: StandInStripe, path: str
) -> None:
    status, text = await open_link(selling_bot, f"{selling_bot.url}/billing/{path}")
    assert (status, "Thank you" in text) == (200, False)
    assert not stripe_server.requests


# A link that has done its work


async def test_a_completed_session_is_not_opened_again(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    url = await checkout_link(selling_bot)
    await open_link(selling_bot, url)
    stripe_server.checkout.pay(only(stripe_server))
    status, text = await open_link(selling_bot, url)  # No event has come yet.
    assert (status, "already pays by card" in text) == (409, True)
    assert len(stripe_server.checkout.sessions) == 1
    await selling_bot.rest()
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "active", 1)]


async def test_expired_session_is_replaced(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    url = await checkout_link(selling_bot)
    first = await open_link(selling_bot, url)
    stripe_server.checkout.lapse(only(stripe_server))
    second = await open_link(selling_bot, url)
    assert (second[0], second != first) == (303, True)
    stripe_server.checkout.lapse(only(stripe_server))
    assert await open_link(selling_bot, url) not in (first, second)


@pytest.mark.parametrize("setting", ["automatic_tax", "tax_ids", "promotion_codes"])
async def test_other_settings_open_another_session(
    selling_bot: Bot, stripe_server: StandInStripe, setting: str
) -> None:
    url = await checkout_link(selling_bot)
    first = await open_link(selling_bot, url)
    stripe = selling_bot.base.settings.billing.stripe
    assert stripe
    object.__setattr__(stripe, setting, True)
    second = await open_link(selling_bot, url)
    assert (second[0], second != first, second[1]) == (303, True, only(stripe_server)["url"])


# Two at once


async def pressed(selling_bot: Bot, url: str) -> tuple[int, str]:
    """The button of the page that a link has opened."""
    async with selling_bot.session.post(url, allow_redirects=False) as response:
        return response.status, response.headers.get("Location") or await response.text()


async def test_a_link_that_is_only_looked_at_closes_no_other_checkout(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    """A mail scanner or a preview may open it, while somebody is paying."""
    monthly, yearly = await checkout_link(selling_bot), await yearly_link(selling_bot)
    await open_link(selling_bot, monthly)
    session = only(stripe_server)
    async with selling_bot.session.get(yearly, allow_redirects=False) as response:
        text, policy = await response.text(), response.headers["Content-Security-Policy"]
    assert (response.status, "Another checkout is open" in text) == (409, True)
    assert "Pro, monthly, with 1 seat. This link is for Pro, yearly, with 1 seat" in text
    assert (f'href="{session["url"]}"' in text, '<form method="post">' in text) == (True, True)
    assert "form-action 'self' https://checkout.stripe.com" in policy
    async with selling_bot.session.head(yearly, allow_redirects=False) as response:
        assert response.status == 405
    assert only(stripe_server) is session
    assert await open_link(selling_bot, monthly) == (303, session["url"])


async def test_a_monthly_and_a_yearly_checkout_cannot_both_be_paid(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await open_link(selling_bot, await checkout_link(selling_bot))
    monthly = only(stripe_server)
    assert await pressed(selling_bot, await yearly_link(selling_bot)) == (303, only(stripe_server)["url"])
    assert only(stripe_server)["line_items"]["data"][0]["price"] == {"id": "price_year"}
    assert monthly["status"] == "expired"


def meeting(paths: tuple[str, str], visitors: int) -> Any:
    """Everybody who asks for it waits for the others."""
    barrier = asyncio.Barrier(visitors)

    async def before(method: str, path: str) -> None:
        if (method, path) == paths and not barrier.broken:
            async with asyncio.timeout(5):
                await barrier.wait()
            await barrier.abort()

    return before


@pytest.mark.parametrize("path", ["checkout/sessions", "customers"])
async def test_concurrent_visitors_share_one_session(
    selling_bot: Bot, stripe_server: StandInStripe, path: str
) -> None:
    url = await checkout_link(selling_bot)
    if path == "checkout/sessions":  # The customer is there.
        await open_link(selling_bot, url)
        stripe_server.checkout.lapse(only(stripe_server))
    stripe_server.checkout.before = meeting(("POST", path), 2)
    first, second = await asyncio.gather(open_link(selling_bot, url), open_link(selling_bot, url))
    assert first == second == (303, only(stripe_server)["url"])
    assert len(stripe_server.checkout.customers) == 1


async def test_two_visitors_at_once_who_want_something_else_cannot_both_pay(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    monthly, yearly = await checkout_link(selling_bot), await yearly_link(selling_bot)
    stripe_server.checkout.before = meeting(("POST", "checkout/sessions"), 2)
    answers = await asyncio.gather(open_link(selling_bot, monthly), open_link(selling_bot, yearly))
    statuses = [status for status, _ in answers]
    assert 303 in statuses
    assert set(statuses) <= {303, 409}
    assert only(stripe_server)["url"] in [where for _, where in answers]


async def test_who_pays_while_another_checkout_is_being_opened_comes_first(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await open_link(selling_bot, await checkout_link(selling_bot))
    session, yearly = only(stripe_server), await yearly_link(selling_bot)

    async def before(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/expire") and session["status"] == "open":
            stripe_server.checkout.pay(session)

    stripe_server.checkout.before = before
    status, text = await pressed(selling_bot, yearly)
    assert (status, "already pays by card" in text) == (409, True)
    assert not stripe_server.checkout.open_sessions()


# Who pays already


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": "past_due"}, "A payment is due"),
        ({"status": "unpaid"}, "A payment is due"),
        ({"status": "paused"}, "Your subscription is paused"),
        ({"pause_collection": {"behavior": "void"}}, "Your subscription is paused"),
        ({"cancel_at_period_end": True}, "Renew your subscription"),
        ({"cancel_at": 1_797_000_000}, "until its subscription ends on 11 Dec 2026"),
        ({"status": "trialing"}, "You have a plan already"),
    ],
)
async def test_card_subscriber_is_sent_to_the_portal(
    selling_bot: Bot, stripe_server: StandInStripe, changes: dict[str, Any], expected: str
) -> None:
    url = await checkout_link(selling_bot)
    await deliver_stripe_event(
        selling_bot,
        stripe_server.event(
            "customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT, **changes)
        ),
    )
    status, text = await open_link(selling_bot, url)
    assert (status, expected in text) == (409, True)
    assert 'href="https://billing.stripe.com/p/login/x"' in text
    assert not stripe_server.checkout.sessions


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pause_collection": {"behavior": "void"}}, "Only the people who run this App can resume it"),
        (
            {"status": "paused", "trial_end": 1_700_000_000},
            "If the trial ended without a card, add one in the",
        ),
        ({"status": "paused"}, "Only the people who run this App can resume it"),
        (
            {
                "status": "paused",
                "status_details": {"paused": {"subscription": {"type": "final_payment_failure"}}},
            },
            "its last payment is due. Pay it in the billing portal",
        ),
    ],
)
def test_a_paused_subscription_is_resumed_by_who_can(changes: dict[str, Any], expected: str) -> None:
    page = pages.already_paid_by_card({"status": "active"} | changes, "https://billing.stripe.com/p/login/x")
    assert expected in page.text
    assert "Resume it in the billing portal" not in page.text


async def test_missed_purchase_is_found_by_its_metadata(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe_server.subscribe(CARD_ACCOUNT)
    status, text = await open_link(selling_bot, await checkout_link(selling_bot))
    assert (status, "already pays by card" in text) == (409, True)
    await selling_bot.rest()
    assert await list_stripe_subscriptions(selling_bot) == [("pro", "active", 1)]


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_subscription_that_stripe_does_not_collect_for_blocks_nothing(
    selling_bot: Bot, stripe_server: StandInStripe, is_gone: bool
) -> None:
    subscription = stripe_server.subscribe(CARD_ACCOUNT)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    subscription["status"] = "canceled"
    if is_gone:  # As with another key.
        del stripe_server.subscriptions[subscription["id"]]
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == 303


@pytest.mark.parametrize(
    ("pending", "status"),
    [
        (None, 409),
        (PendingChange("pro", 2, None), 409),
        (PendingChange("enterprise", None, None), 409),
        (PendingChange("free", None, None), 303),
        (PendingChange(None, None, None), 303),
    ],
)
async def test_on_the_marketplace_only_what_ends_opens_a_checkout(
    selling_bot: Bot, stripe_server: StandInStripe, pending: PendingChange | None, status: int
) -> None:
    await put(selling_bot, "marketplace", "active", quantity=5, pending=pending)
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == status
    assert bool(stripe_server.checkout.sessions) is (status == 303)


async def test_the_checkout_says_what_is_paid_twice_after_a_cancellation(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    at = datetime(2026, 12, 2, tzinfo=UTC)
    await put(selling_bot, "marketplace", "active", quantity=5, pending=PendingChange(None, None, at))
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == 303
    assert only(stripe_server)["custom_text"]["submit"]["message"] == (
        "This plan starts today. GitHub Marketplace is paid until 2 Dec 2026, so you pay for both until then."
    )


@pytest.mark.parametrize(("plan", "status"), [(PRO, 409), (FREE, 303)])
async def test_marketplace_purchase_with_a_lost_event_counts(
    selling_bot: Bot, stripe_server: StandInStripe, plan: int, status: int
) -> None:
    """The free plan is not one of these settings, but GitHub gives it away: it keeps nobody from buying."""
    selling_bot.github.marketplace.purchase(CARD_ACCOUNT, "octo", plan)
    try:
        assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == status
        await selling_bot.rest()
    finally:
        selling_bot.github.marketplace.accounts.clear()
    assert [plan for plan, _, _ in await list_stripe_subscriptions(selling_bot)] == [
        "pro" if plan == PRO else "free"
    ]
    assert bool(stripe_server.checkout.sessions) is (status == 303)


async def test_where_selling_is_switched_off_a_link_sells_nothing(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    url = await checkout_link(selling_bot)
    object.__setattr__(selling_bot.base.settings.billing, "is_on", False)
    assert (await open_link(selling_bot, url))[0] == 410
    assert not stripe_server.checkout.sessions


async def test_two_that_were_paid_nevertheless_are_reported_and_cut_nothing_off(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    for _ in range(2):
        await deliver_stripe_event(
            selling_bot,
            stripe_server.event("customer.subscription.created", stripe_server.subscribe(CARD_ACCOUNT)),
        )
    standing = (await read_billing(selling_bot.base)).plan
    assert (standing.name, standing.is_paid_twice, standing.ways.checkout) == ("pro", True, False)


# One customer


async def test_an_account_buys_again_as_the_same_customer(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await open_link(selling_bot, await checkout_link(selling_bot))
    (customer,) = stripe_server.checkout.customers.values()
    assert (customer["metadata"], customer["email"]) == ({"account": str(CARD_ACCOUNT)}, None)
    subscription = stripe_server.checkout.pay(only(stripe_server), "money@example.com")
    subscription["status"] = "canceled"
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.deleted", subscription)
    )
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == 303
    assert only(stripe_server)["customer"] == customer["id"]
    assert (list(stripe_server.checkout.customers), customer["email"]) == (
        [customer["id"]],
        "money@example.com",
    )


async def test_the_customer_of_an_earlier_subscription_is_used_again(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe_server.checkout.add_customer("cus_old", email="old@example.com")
    await put(selling_bot, "stripe", "ended", reference="sub_old", customer="cus_old")
    await open_link(selling_bot, await checkout_link(selling_bot))
    assert only(stripe_server)["customer"] == await kept_customer(selling_bot) == "cus_old"


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_customer_who_is_deleted_or_of_another_key_is_replaced(
    selling_bot: Bot, stripe_server: StandInStripe, is_gone: bool
) -> None:
    url = await checkout_link(selling_bot)
    await open_link(selling_bot, url)
    first = await kept_customer(selling_bot)
    assert first
    stripe_server.checkout.lapse(only(stripe_server))
    stripe_server.checkout.delete_customer(first)
    if is_gone:
        del stripe_server.checkout.customers[first]
    assert (await open_link(selling_bot, url))[0] == 303
    assert only(stripe_server)["customer"] == await kept_customer(selling_bot) != first


async def test_a_customer_that_we_have_forgotten_is_found_again(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe_server.checkout.add_customer("cus_before", metadata={"account": str(CARD_ACCOUNT)})
    stripe_server.checkout.add_customer("cus_other", metadata={"account": str(OTHER)})
    await open_link(selling_bot, await checkout_link(selling_bot))
    assert only(stripe_server)["customer"] == "cus_before"


async def test_without_stripe_s_search_a_customer_is_made(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe_server.checkout.has_search = False
    assert (await open_link(selling_bot, await checkout_link(selling_bot)))[0] == 303
    assert len(stripe_server.checkout.customers) == 1


@pytest.mark.parametrize("metadata", [{"account": str(OTHER)}, {}])
async def test_no_account_buys_as_another_account_s_customer(
    selling_bot: Bot, stripe_server: StandInStripe, metadata: dict[str, str]
) -> None:
    """Checkout would show its e-mail address. An operator may have put both under one customer by hand."""
    stripe_server.checkout.add_customer("cus_shared", email="other@example.com", metadata=metadata)
    await put(selling_bot, "stripe", "active", OTHER, reference="sub_other", customer="cus_shared")
    await put(selling_bot, "stripe", "ended", reference="sub_ours", customer="cus_shared")
    await open_link(selling_bot, await checkout_link(selling_bot))
    assert only(stripe_server)["customer"] not in {None, "cus_shared"}


# Tax


async def test_what_checkout_is_asked_for_by_the_settings(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    stripe = selling_bot.base.settings.billing.stripe
    assert stripe
    await open_link(selling_bot, await checkout_link(selling_bot))
    for setting in ("automatic_tax", "tax_ids", "promotion_codes"):
        object.__setattr__(stripe, setting, True)
    await open_link(selling_bot, await checkout_link(selling_bot))
    plain, taxed = posted(stripe_server, "checkout/sessions")
    for data, switch, address in ((plain, "false", "auto"), (taxed, "true", "required")):
        assert data["automatic_tax"] == data["tax_id_collection"] == {"enabled": switch}
        assert data["allow_promotion_codes"] == switch
        assert data["billing_address_collection"] == address
        assert data["customer_update"] == {"address": "auto", "name": "auto"}
