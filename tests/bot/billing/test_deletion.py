"""Deletion spares accounts that pay by card, also while Stripe cannot be reached."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.billing.card_purchases import CardPurchases
from bot.billing.deletion import Deletion
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_sync import StripeSync
from bot.github.client import GitHub
from bot.publishing.pictures import ChartRenderer
from bot.settings import GitHubSettings, Secret, Settings
from bot.settings.billing import BillingSettings
from github_standin.github import StandInGitHub
from storage.billing_jobs import DELETE_DUE
from storage.jobs import OTHERS, Jobs
from storage.subscriptions import Subscription, Subscriptions
from tests.support.clock import Clock
from tests.support.marketplace import (
    BUYER_ACCOUNT,
    add_lapsed_subscription,
    find_buyer_tenant,
    latest_deadline,
    list_subscriptions,
    make_billing_syncs,
)
from tests.support.running import Bot, running_bot
from tests.support.stripe.selling import card_billing_settings, stripe_settings
from tests.support.stripe.server import StandInStripe
from tests.support.stripe.world import DAY


@pytest.fixture
async def deletion(bot_without_worker: Bot, stripe_server: StandInStripe) -> AsyncIterator[Deletion]:
    """Deletion where both the Marketplace and Stripe are set up, of an account whose deadline has passed."""
    await add_lapsed_subscription(bot_without_worker)
    base, settings = bot_without_worker.base, card_billing_settings(stripe_server)
    app = GitHubSettings(str(bot_without_worker.github.app_id), Secret(bot_without_worker.github.private_key))
    listing = GitHubListing(
        GitHub(bot_without_worker.session, app, bot_without_worker.github.url, base.clock)
    )
    sync = MarketplaceSync(base.database, listing, settings, Jobs(), base.clock)
    client = RealStripe(stripe_settings(stripe_server))
    card = CardPurchases(
        base.database, client, StripeSync(base.database, client, settings, base.clock), base.clock
    )
    yield Deletion(base.database, listing, sync, base.clock, settings.grace, card)
    await client.close()


@pytest.mark.parametrize("status", ["active", "trialing", "past_due"])
@pytest.mark.parametrize("page_size", [1, 100])
async def test_unknown_card_subscription_stops_the_deletion(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe, status: str, page_size: int
) -> None:
    stripe_server.page_size = page_size
    for _ in range(2):
        stripe_server.subscribe(BUYER_ACCOUNT, status="canceled")
    stripe_server.subscribe(BUYER_ACCOUNT, status=status)
    stripe_server.subscribe(4711)
    assert await deletion.run() == 0
    assert ("pro", status, 1) in await list_subscriptions(bot_without_worker)
    assert await latest_deadline(bot_without_worker) is None


@pytest.mark.parametrize("has_search", [True, False], ids=["search is behind", "there is no search"])
async def test_what_the_search_does_not_find_is_found(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe, has_search: bool
) -> None:
    subscription = stripe_server.subscribe(BUYER_ACCOUNT)
    stripe_server.checkout.has_search = has_search
    if has_search:
        stripe_server.unsearchable.add(subscription["id"])
    else:
        subscription["created"] -= 400 * 86400
    assert await deletion.run() == 0
    assert ("pro", "active", 1) in await list_subscriptions(bot_without_worker)


async def test_known_customer_who_pays_again_stops_the_deletion(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe
) -> None:
    """Its new subscription was made in Stripe's dashboard, and names no account."""
    at = datetime.now(UTC) - 60 * DAY
    subscription = stripe_server.subscribe(None)
    subscription["created"] -= 30 * 86400
    async with bot_without_worker.base.database.tenant(
        await find_buyer_tenant(bot_without_worker) or 0
    ) as tenant:
        await Subscriptions(tenant).store(
            Subscription(
                *("stripe", "ended", "pro", at),
                reference="sub_old",
                customer=subscription["customer"],
                ended_at=at,
            )
        )
    assert await deletion.run() == 0
    assert await latest_deadline(bot_without_worker) is None


@pytest.mark.parametrize("odd", [{"price": "price_of_next_year"}, {"items": {"object": "list", "data": []}}])
async def test_what_is_paid_and_not_understood_stops_the_deletion(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe, odd: dict[str, Any]
) -> None:
    stripe_server.subscribe(BUYER_ACCOUNT, **odd)
    assert await deletion.run() == 0
    assert await find_buyer_tenant(bot_without_worker) is not None


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_while_stripe_cannot_be_asked_nothing_is_deleted(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe, status: int
) -> None:
    stripe_server.fail_with = status
    assert await deletion.run() == 0
    assert await find_buyer_tenant(bot_without_worker) is not None
    stripe_server.fail_with = None
    assert await deletion.run() == 1


@pytest.mark.parametrize("status", ["canceled", "incomplete", "incomplete_expired", "unpaid"])
async def test_account_without_payment_is_deleted(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe, status: str
) -> None:
    stripe_server.subscribe(BUYER_ACCOUNT, status=status)
    stripe_server.subscribe(4711)
    assert await deletion.run() == 1
    assert await find_buyer_tenant(bot_without_worker) is None


async def test_another_account_s_card_under_the_same_customer_stops_nothing(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe
) -> None:
    other = stripe_server.subscribe(4711)
    at = datetime.now(UTC) - 60 * DAY
    async with bot_without_worker.base.database.tenant(
        await find_buyer_tenant(bot_without_worker) or 0
    ) as tenant:
        await Subscriptions(tenant).store(
            Subscription(
                "stripe", "ended", "pro", at, reference="sub_old", customer=other["customer"], ended_at=at
            )
        )
    assert await deletion.run() == 1


async def test_a_customer_that_our_key_does_not_know_stops_nothing(
    deletion: Deletion, bot_without_worker: Bot, stripe_server: StandInStripe
) -> None:
    at = datetime.now(UTC) - 60 * DAY
    async with bot_without_worker.base.database.tenant(
        await find_buyer_tenant(bot_without_worker) or 0
    ) as tenant:
        await Subscriptions(tenant).store(
            Subscription(
                "stripe", "ended", "pro", at, reference="sub_old", customer="cus_of_test_mode", ended_at=at
            )
        )
    assert await deletion.run() == 1
    assert stripe_server.requests


async def test_without_stripe_it_is_deleted(bot_without_worker: Bot) -> None:
    await add_lapsed_subscription(bot_without_worker)
    assert await make_billing_syncs(bot_without_worker)[1].run() == 1


@pytest.mark.parametrize("with_stripe", [True, False])
async def test_a_deadline_is_kept_where_the_marketplace_is_not_set_up_any_more(
    github: StandInGitHub,
    stripe_server: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
    with_stripe: bool,
) -> None:
    billing = (
        replace(card_billing_settings(stripe_server), marketplace=None) if with_stripe else BillingSettings()
    )
    async with running_bot(github, replace(settings, billing=billing), clock, drawing) as running:
        await add_lapsed_subscription(running)
        # The bot's own clock may have been faster.
        await running.base.queue.configure_task(DELETE_DUE, queue=OTHERS).defer_async(timestamp=0)
        await running.rest()
        assert await find_buyer_tenant(running) is None
