"""From a link to a checkout and back: nobody pays twice, and nobody is thanked who has not bought."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.billing import pages
from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinks
from github_standin.marketplace import FREE, PRO
from marketplace.plans import PlanName
from storage.stripe_customers import StripeCustomers
from storage.subscriptions import (
    PendingChange,
    Subscription,
    Subscriptions,
    tenant_of_account,
    tenant_of_buyer,
)
from tests.bot.billing.test_stripe import ACCOUNT, billing, deliver, kept, link, opened, shop, stand_in
from tests.support.running import Bot
from tests.support.stripe.server import StandInStripe

__all__ = ["shop", "stand_in"]
DAY = timedelta(days=1)
OTHER = 8


async def yearly_link(shop: Bot) -> str:
    url = PurchaseLinks(shop.base.settings.billing, shop.url, shop.base.cipher).checkout(
        ACCOUNT, PlanName.PRO, shop.base.clock(), is_yearly=True
    )
    assert url
    return url


async def led_back(shop: Bot, url: str) -> tuple[int, str]:
    """Where Stripe leads a visitor back to, which a proxy would bring to us."""
    assert url.startswith(f"{shop.base.settings.public_url}/billing/")
    return await opened(shop, shop.url + url.removeprefix(shop.base.settings.public_url))


async def put(shop: Bot, source: str, status: str, account: int = ACCOUNT, **more: Any) -> None:
    """What our books say, whether it holds or not."""
    async with shop.base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, account, f"octo-{account}", "Organization")
    async with shop.base.database.tenant(tenant_id) as tenant:
        subscription = Subscription(source, status, "pro", shop.base.clock(), **more)
        await Subscriptions(tenant).put(subscription)


async def kept_customer(shop: Bot) -> str | None:
    async with shop.base.database.unscoped() as connection:
        tenant_id = await tenant_of_account(connection, ACCOUNT)
    assert tenant_id
    async with shop.base.database.tenant(tenant_id) as tenant:
        return await StripeCustomers(tenant).customer()


def only(stand_in: StandInStripe) -> dict[str, Any]:
    (session,) = stand_in.checkout.open_sessions()
    return session


def posted(stand_in: StandInStripe, path: str) -> list[dict[str, Any]]:
    return [told for method, asked, told in stand_in.requests if (method, asked) == ("POST", path)]


# Back from Stripe


async def test_who_backs_out_is_told_that_nothing_was_bought(shop: Bot, stand_in: StandInStripe) -> None:
    url = await link(shop)
    await opened(shop, url)
    status, text = await led_back(shop, only(stand_in)["cancel_url"])
    assert status == 200
    assert "Thank you" not in text
    assert "you were not charged" in text
    assert f'href="{shop.base.settings.public_url}{url.removeprefix(shop.url)}"' in text
    assert await opened(shop, url) == (303, only(stand_in)["url"])


async def test_the_way_back_is_not_offered_when_the_link_is_too_old(
    shop: Bot, stand_in: StandInStripe, clock: Any
) -> None:
    await opened(shop, await link(shop))
    clock.now = clock() + 2 * DAY
    status, text = await led_back(shop, only(stand_in)["cancel_url"])
    assert (status, "Nothing was bought" in text, "href" in text) == (200, True, False)


async def test_only_who_has_bought_is_thanked_and_need_not_wait_for_an_event(
    shop: Bot, stand_in: StandInStripe
) -> None:
    await opened(shop, await link(shop))
    session = only(stand_in)
    assert "Thank you" not in (await led_back(shop, session["success_url"]))[1]
    stand_in.checkout.pay(session)
    assert "Thank you" in (await led_back(shop, session["success_url"]))[1]
    await shop.rest()
    assert await kept(shop) == [("pro", "active", 1)]


async def test_who_leaves_the_portal_is_not_thanked_for_a_purchase(
    shop: Bot, stand_in: StandInStripe
) -> None:
    ticket = SignedLinks(shop.base.cipher).issue("portal", shop.base.clock() + DAY, customer="cus_1")
    await opened(shop, f"{shop.url}/billing/portal/{ticket}")
    (told,) = posted(stand_in, "billing_portal/sessions")
    status, text = await led_back(shop, told["return_url"])
    assert (status, "Thank you" in text, "You left the billing portal" in text) == (200, False, True)


@pytest.mark.parametrize("path", ["done", "done/forged", "cancelled/forged", "returned"])
async def test_who_comes_without_having_bought_is_not_thanked(
    shop: Bot, stand_in: StandInStripe, path: str
) -> None:
    status, text = await opened(shop, f"{shop.url}/billing/{path}")
    assert (status, "Thank you" in text) == (200, False)
    assert not stand_in.requests


# A link that has done its work


async def test_a_completed_session_is_not_opened_again(shop: Bot, stand_in: StandInStripe) -> None:
    url = await link(shop)
    await opened(shop, url)
    stand_in.checkout.pay(only(stand_in))
    status, text = await opened(shop, url)  # No event has come yet.
    assert (status, "pays by card already" in text) == (409, True)
    assert len(stand_in.checkout.sessions) == 1
    await shop.rest()
    assert await kept(shop) == [("pro", "active", 1)]


async def test_a_session_that_lapsed_is_followed_by_a_new_one(shop: Bot, stand_in: StandInStripe) -> None:
    url = await link(shop)
    first = await opened(shop, url)
    stand_in.checkout.lapse(only(stand_in))
    second = await opened(shop, url)
    assert (second[0], second != first) == (303, True)
    stand_in.checkout.lapse(only(stand_in))
    assert await opened(shop, url) not in (first, second)


@pytest.mark.parametrize("setting", ["automatic_tax", "tax_ids", "promotion_codes"])
async def test_other_settings_open_another_session(shop: Bot, stand_in: StandInStripe, setting: str) -> None:
    url = await link(shop)
    first = await opened(shop, url)
    stripe = shop.base.settings.billing.stripe
    assert stripe
    object.__setattr__(stripe, setting, True)
    second = await opened(shop, url)
    assert (second[0], second != first, second[1]) == (303, True, only(stand_in)["url"])


# Two at once


async def pressed(shop: Bot, url: str) -> tuple[int, str]:
    """The button of the page that a link has opened."""
    async with shop.session.post(url, allow_redirects=False) as response:
        return response.status, response.headers.get("Location") or await response.text()


async def test_a_link_that_is_only_looked_at_closes_no_other_checkout(
    shop: Bot, stand_in: StandInStripe
) -> None:
    """A mail scanner or a preview may open it, while somebody is paying."""
    monthly, yearly = await link(shop), await yearly_link(shop)
    await opened(shop, monthly)
    session = only(stand_in)
    async with shop.session.get(yearly, allow_redirects=False) as response:
        text, policy = await response.text(), response.headers["Content-Security-Policy"]
    assert (response.status, "Another checkout is open" in text) == (409, True)
    assert "Pro, monthly, with 1 seat. This link is for Pro, yearly, with 1 seat" in text
    assert (f'href="{session["url"]}"' in text, '<form method="post">' in text) == (True, True)
    assert "form-action 'self' https://checkout.stripe.com" in policy
    async with shop.session.head(yearly, allow_redirects=False) as response:
        assert response.status == 405
    assert only(stand_in) is session
    assert await opened(shop, monthly) == (303, session["url"])


async def test_a_monthly_and_a_yearly_checkout_cannot_both_be_paid(
    shop: Bot, stand_in: StandInStripe
) -> None:
    await opened(shop, await link(shop))
    monthly = only(stand_in)
    assert await pressed(shop, await yearly_link(shop)) == (303, only(stand_in)["url"])
    assert only(stand_in)["line_items"]["data"][0]["price"] == {"id": "price_year"}
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
async def test_two_visitors_at_once_get_one_session(shop: Bot, stand_in: StandInStripe, path: str) -> None:
    url = await link(shop)
    if path == "checkout/sessions":  # The customer is there.
        await opened(shop, url)
        stand_in.checkout.lapse(only(stand_in))
    stand_in.checkout.before = meeting(("POST", path), 2)
    first, second = await asyncio.gather(opened(shop, url), opened(shop, url))
    assert first == second == (303, only(stand_in)["url"])
    assert len(stand_in.checkout.customers) == 1


async def test_two_visitors_at_once_who_want_something_else_cannot_both_pay(
    shop: Bot, stand_in: StandInStripe
) -> None:
    monthly, yearly = await link(shop), await yearly_link(shop)
    stand_in.checkout.before = meeting(("POST", "checkout/sessions"), 2)
    answers = await asyncio.gather(opened(shop, monthly), opened(shop, yearly))
    statuses = [status for status, _ in answers]
    assert 303 in statuses
    assert set(statuses) <= {303, 409}
    assert only(stand_in)["url"] in [where for _, where in answers]


async def test_who_pays_while_another_checkout_is_being_opened_comes_first(
    shop: Bot, stand_in: StandInStripe
) -> None:
    await opened(shop, await link(shop))
    session, yearly = only(stand_in), await yearly_link(shop)

    async def before(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/expire") and session["status"] == "open":
            stand_in.checkout.pay(session)

    stand_in.checkout.before = before
    status, text = await pressed(shop, yearly)
    assert (status, "pays by card already" in text) == (409, True)
    assert not stand_in.checkout.open_sessions()


# Who pays already


@pytest.mark.parametrize(
    ("changes", "said"),
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
async def test_who_has_a_card_subscription_is_led_to_the_portal(
    shop: Bot, stand_in: StandInStripe, changes: dict[str, Any], said: str
) -> None:
    url = await link(shop)
    await deliver(
        shop, stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT, **changes))
    )
    status, text = await opened(shop, url)
    assert (status, said in text) == (409, True)
    assert 'href="https://billing.stripe.com/p/login/x"' in text
    assert not stand_in.checkout.sessions


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pause_collection": {"behavior": "void"}}, "Only whoever sells it can resume it"),
        (
            {"status": "paused", "trial_end": 1_700_000_000},
            "If its trial ended without a card, add one in the",
        ),
        ({"status": "paused"}, "Only whoever sells it can resume it"),
        (
            {
                "status": "paused",
                "status_details": {"paused": {"subscription": {"type": "final_payment_failure"}}},
            },
            "its last payment is due. Pay it in the billing portal",
        ),
    ],
)
def test_a_paused_subscription_is_resumed_by_who_can(changes: dict[str, Any], said: str) -> None:
    page = pages.already_paid_by_card({"status": "active"} | changes, "https://billing.stripe.com/p/login/x")
    assert said in page.text
    assert "Resume it in the billing portal" not in page.text


async def test_a_purchase_that_we_never_heard_of_is_found_by_its_metadata(
    shop: Bot, stand_in: StandInStripe
) -> None:
    stand_in.subscribe(ACCOUNT)
    status, text = await opened(shop, await link(shop))
    assert (status, "pays by card already" in text) == (409, True)
    await shop.rest()
    assert await kept(shop) == [("pro", "active", 1)]


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_subscription_that_stripe_does_not_collect_for_blocks_nothing(
    shop: Bot, stand_in: StandInStripe, is_gone: bool
) -> None:
    subscription = stand_in.subscribe(ACCOUNT)
    await deliver(shop, stand_in.event("customer.subscription.created", subscription))
    subscription["status"] = "canceled"
    if is_gone:  # As with another key.
        del stand_in.subscriptions[subscription["id"]]
    assert (await opened(shop, await link(shop)))[0] == 303


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
    shop: Bot, stand_in: StandInStripe, pending: PendingChange | None, status: int
) -> None:
    await put(shop, "marketplace", "active", quantity=5, pending=pending)
    assert (await opened(shop, await link(shop)))[0] == status
    assert bool(stand_in.checkout.sessions) is (status == 303)


async def test_the_checkout_says_what_is_paid_twice_after_a_cancellation(
    shop: Bot, stand_in: StandInStripe
) -> None:
    at = datetime(2026, 12, 2, tzinfo=UTC)
    await put(shop, "marketplace", "active", quantity=5, pending=PendingChange(None, None, at))
    assert (await opened(shop, await link(shop)))[0] == 303
    assert only(stand_in)["custom_text"]["submit"]["message"] == (
        "This plan starts today. GitHub Marketplace is paid until 2 Dec 2026, so until then both are paid for."
    )


@pytest.mark.parametrize(("plan", "status"), [(PRO, 409), (FREE, 303)])
async def test_a_purchase_on_the_marketplace_of_which_the_event_was_lost_counts(
    shop: Bot, stand_in: StandInStripe, plan: int, status: int
) -> None:
    """The free plan is not one of these settings, but GitHub gives it away: it keeps nobody from buying."""
    shop.github.marketplace.purchase(ACCOUNT, "octo", plan)
    try:
        assert (await opened(shop, await link(shop)))[0] == status
        await shop.rest()
    finally:
        shop.github.marketplace.accounts.clear()
    assert [plan for plan, _, _ in await kept(shop)] == ["pro" if plan == PRO else "free"]
    assert bool(stand_in.checkout.sessions) is (status == 303)


async def test_where_selling_is_switched_off_a_link_sells_nothing(shop: Bot, stand_in: StandInStripe) -> None:
    url = await link(shop)
    object.__setattr__(shop.base.settings.billing, "is_on", False)
    assert (await opened(shop, url))[0] == 410
    assert not stand_in.checkout.sessions


async def test_two_that_were_paid_all_the_same_are_told_and_cut_nothing_off(
    shop: Bot, stand_in: StandInStripe
) -> None:
    for _ in range(2):
        await deliver(shop, stand_in.event("customer.subscription.created", stand_in.subscribe(ACCOUNT)))
    standing = (await billing(shop.base)).standing
    assert (standing.plan, standing.is_paid_twice, standing.ways.checkout) == ("pro", True, False)


# One customer


async def test_an_account_buys_again_as_the_same_customer(shop: Bot, stand_in: StandInStripe) -> None:
    await opened(shop, await link(shop))
    (customer,) = stand_in.checkout.customers.values()
    assert (customer["metadata"], customer["email"]) == ({"account": str(ACCOUNT)}, None)
    subscription = stand_in.checkout.pay(only(stand_in), "money@example.com")
    subscription["status"] = "canceled"
    await deliver(shop, stand_in.event("customer.subscription.deleted", subscription))
    assert (await opened(shop, await link(shop)))[0] == 303
    assert only(stand_in)["customer"] == customer["id"]
    assert (list(stand_in.checkout.customers), customer["email"]) == ([customer["id"]], "money@example.com")


async def test_the_customer_of_an_earlier_subscription_is_used_again(
    shop: Bot, stand_in: StandInStripe
) -> None:
    stand_in.checkout.add_customer("cus_old", email="old@example.com")
    await put(shop, "stripe", "ended", reference="sub_old", customer="cus_old")
    await opened(shop, await link(shop))
    assert only(stand_in)["customer"] == await kept_customer(shop) == "cus_old"


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_customer_who_is_deleted_or_of_another_key_is_replaced(
    shop: Bot, stand_in: StandInStripe, is_gone: bool
) -> None:
    url = await link(shop)
    await opened(shop, url)
    first = await kept_customer(shop)
    assert first
    stand_in.checkout.lapse(only(stand_in))
    stand_in.checkout.delete_customer(first)
    if is_gone:
        del stand_in.checkout.customers[first]
    assert (await opened(shop, url))[0] == 303
    assert only(stand_in)["customer"] == await kept_customer(shop) != first


async def test_a_customer_that_we_have_forgotten_is_found_again(shop: Bot, stand_in: StandInStripe) -> None:
    stand_in.checkout.add_customer("cus_before", metadata={"account": str(ACCOUNT)})
    stand_in.checkout.add_customer("cus_other", metadata={"account": str(OTHER)})
    await opened(shop, await link(shop))
    assert only(stand_in)["customer"] == "cus_before"


async def test_without_stripe_s_search_a_customer_is_made(shop: Bot, stand_in: StandInStripe) -> None:
    stand_in.checkout.has_search = False
    assert (await opened(shop, await link(shop)))[0] == 303
    assert len(stand_in.checkout.customers) == 1


@pytest.mark.parametrize("metadata", [{"account": str(OTHER)}, {}])
async def test_no_account_buys_as_another_account_s_customer(
    shop: Bot, stand_in: StandInStripe, metadata: dict[str, str]
) -> None:
    """Checkout would show its e-mail address. An operator may have put both under one customer by hand."""
    stand_in.checkout.add_customer("cus_shared", email="other@example.com", metadata=metadata)
    await put(shop, "stripe", "active", OTHER, reference="sub_other", customer="cus_shared")
    await put(shop, "stripe", "ended", reference="sub_ours", customer="cus_shared")
    await opened(shop, await link(shop))
    assert only(stand_in)["customer"] not in {None, "cus_shared"}


# Tax


async def test_what_checkout_is_asked_for_by_the_settings(shop: Bot, stand_in: StandInStripe) -> None:
    stripe = shop.base.settings.billing.stripe
    assert stripe
    await opened(shop, await link(shop))
    for setting in ("automatic_tax", "tax_ids", "promotion_codes"):
        object.__setattr__(stripe, setting, True)
    await opened(shop, await link(shop))
    plain, taxed = posted(stand_in, "checkout/sessions")
    for told, switch, address in ((plain, "false", "auto"), (taxed, "true", "required")):
        assert told["automatic_tax"] == told["tax_id_collection"] == {"enabled": switch}
        assert told["allow_promotion_codes"] == switch
        assert told["billing_address_collection"] == address
        assert told["customer_update"] == {"address": "auto", "name": "auto"}
