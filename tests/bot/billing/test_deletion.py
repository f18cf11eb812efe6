"""Nothing is deleted that is paid for by card, nor while Stripe cannot be asked."""

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
from bot.publishing.pictures import Drawing
from bot.settings import GitHubSettings, Secret, Settings
from bot.settings.billing import BillingSettings
from github_standin.github import StandInGitHub
from storage.billing_jobs import DELETE_DUE, BillingJobs
from storage.jobs import OTHERS
from storage.subscriptions import Subscription, Subscriptions
from tests.bot.billing.test_marketplace import (
    ACCOUNT,
    bought,
    by_the_clock,
    deadline,
    past_deadline,
    still,
    tenant_of,
)
from tests.bot.billing.test_stripe import sold, stand_in, stripe_settings
from tests.conftest import Clock, running_bot
from tests.support.running import Bot
from tests.support.stripe.server import StandInStripe
from tests.support.stripe.world import DAY

__all__ = ["stand_in", "still"]


@pytest.fixture
async def deletion(still: Bot, stand_in: StandInStripe) -> AsyncIterator[Deletion]:
    """Deletion where both the Marketplace and Stripe are set up, of an account whose deadline has passed."""
    await past_deadline(still)
    base, settings = still.base, sold(stand_in)
    app = GitHubSettings(str(still.github.app_id), Secret(still.github.private_key))
    listing = GitHubListing(GitHub(still.session, app, still.github.url, base.clock))
    sync = MarketplaceSync(base.database, listing, settings, BillingJobs(base.queue), base.clock)
    client = RealStripe(stripe_settings(stand_in))
    card = CardPurchases(
        base.database, client, StripeSync(base.database, client, settings, base.clock), base.clock
    )
    yield Deletion(base.database, listing, sync, base.clock, settings.grace, card)
    await client.close()


@pytest.mark.parametrize("status", ["active", "trialing", "past_due"])
@pytest.mark.parametrize("page_size", [1, 100])
async def test_a_card_that_nobody_told_us_of_stops_the_deletion(
    deletion: Deletion, still: Bot, stand_in: StandInStripe, status: str, page_size: int
) -> None:
    stand_in.page_size = page_size
    for _ in range(2):
        stand_in.subscribe(ACCOUNT, status="canceled")
    stand_in.subscribe(ACCOUNT, status=status)
    stand_in.subscribe(4711)
    assert await deletion.run() == 0
    assert ("pro", status, 1) in await bought(still)
    assert await deadline(still) is None


@pytest.mark.parametrize("has_search", [True, False], ids=["search is behind", "there is no search"])
async def test_what_the_search_does_not_find_is_found(
    deletion: Deletion, still: Bot, stand_in: StandInStripe, has_search: bool
) -> None:
    subscription = stand_in.subscribe(ACCOUNT)
    stand_in.checkout.has_search = has_search
    if has_search:
        stand_in.unsearchable.add(subscription["id"])
    else:
        subscription["created"] -= 400 * 86400
    assert await deletion.run() == 0
    assert ("pro", "active", 1) in await bought(still)


async def test_a_customer_of_our_books_who_pays_again_stops_the_deletion(
    deletion: Deletion, still: Bot, stand_in: StandInStripe
) -> None:
    """Its new subscription was made in Stripe's dashboard, and names no account."""
    at = datetime.now(UTC) - 60 * DAY
    subscription = stand_in.subscribe(None)
    subscription["created"] -= 30 * 86400
    async with still.base.database.tenant(await tenant_of(still) or 0) as tenant:
        await Subscriptions(tenant).put(
            Subscription(
                *("stripe", "ended", "pro", at),
                reference="sub_old",
                customer=subscription["customer"],
                ended_at=at,
            )
        )
    assert await deletion.run() == 0
    assert await deadline(still) is None


@pytest.mark.parametrize("odd", [{"price": "price_of_next_year"}, {"items": {"object": "list", "data": []}}])
async def test_what_is_paid_and_not_understood_stops_the_deletion(
    deletion: Deletion, still: Bot, stand_in: StandInStripe, odd: dict[str, Any]
) -> None:
    stand_in.subscribe(ACCOUNT, **odd)
    assert await deletion.run() == 0
    assert await tenant_of(still) is not None


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_while_stripe_cannot_be_asked_nothing_is_deleted(
    deletion: Deletion, still: Bot, stand_in: StandInStripe, status: int
) -> None:
    stand_in.fail_with = status
    assert await deletion.run() == 0
    assert await tenant_of(still) is not None
    stand_in.fail_with = None
    assert await deletion.run() == 1


@pytest.mark.parametrize("status", ["canceled", "incomplete", "incomplete_expired", "unpaid"])
async def test_who_pays_nothing_is_deleted(
    deletion: Deletion, still: Bot, stand_in: StandInStripe, status: str
) -> None:
    stand_in.subscribe(ACCOUNT, status=status)
    stand_in.subscribe(4711)
    assert await deletion.run() == 1
    assert await tenant_of(still) is None


async def test_another_account_s_card_under_the_same_customer_stops_nothing(
    deletion: Deletion, still: Bot, stand_in: StandInStripe
) -> None:
    other = stand_in.subscribe(4711)
    at = datetime.now(UTC) - 60 * DAY
    async with still.base.database.tenant(await tenant_of(still) or 0) as tenant:
        await Subscriptions(tenant).put(
            Subscription(
                "stripe", "ended", "pro", at, reference="sub_old", customer=other["customer"], ended_at=at
            )
        )
    assert await deletion.run() == 1


async def test_a_customer_that_our_key_does_not_know_stops_nothing(
    deletion: Deletion, still: Bot, stand_in: StandInStripe
) -> None:
    at = datetime.now(UTC) - 60 * DAY
    async with still.base.database.tenant(await tenant_of(still) or 0) as tenant:
        await Subscriptions(tenant).put(
            Subscription(
                "stripe", "ended", "pro", at, reference="sub_old", customer="cus_of_test_mode", ended_at=at
            )
        )
    assert await deletion.run() == 1
    assert stand_in.requests


async def test_without_stripe_it_is_deleted(still: Bot) -> None:
    await past_deadline(still)
    assert await by_the_clock(still)[1].run() == 1


@pytest.mark.parametrize("with_stripe", [True, False])
async def test_a_deadline_is_kept_where_the_marketplace_is_not_set_up_any_more(
    github: StandInGitHub,
    stand_in: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: Drawing,
    with_stripe: bool,
) -> None:
    billing = replace(sold(stand_in), marketplace=None) if with_stripe else BillingSettings()
    async with running_bot(github, replace(settings, billing=billing), clock, drawing) as running:
        await past_deadline(running)
        # The bot's own clock may have been faster.
        await running.base.queue.configure_task(DELETE_DUE, queue=OTHERS).defer_async(timestamp=0)
        await running.rest()
        assert await tenant_of(running) is None
