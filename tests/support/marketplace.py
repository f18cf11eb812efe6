"""Purchases in the GitHub Marketplace: webhooks, the resulting subscriptions and a bot without a worker."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.billing.deletion import Deletion
from bot.billing.marketplace_sync import GitHubListing, MarketplaceSync
from bot.github.client import GitHub
from bot.services import Services
from bot.settings import GitHubSettings, Secret
from github_standin.github import StandInGitHub
from storage.deadlines import Deadline, Deadlines
from storage.jobs import Jobs
from storage.subscriptions import Subscription, Subscriptions, tenant_of_account, tenant_of_buyer
from tests.support.running import Bot, age_deadlines, signature
from tests.support.stripe.world import DAY, SETTINGS

BUYER_ACCOUNT = 18404719


MARKETPLACE_SECRET = "marketplace-secret"


async def deliver_marketplace_event(
    bot: Bot,
    payload: dict[str, Any],
    *,
    secret: str = MARKETPLACE_SECRET,
    event: str = "marketplace_purchase",
    **headers: str,
) -> tuple[int, str]:
    """Deliver a signed Marketplace webhook and wait for its jobs. Returns status and message."""
    body = json.dumps(payload).encode()
    data = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "guid-1",
        "X-Hub-Signature-256": signature(body, secret),
    }
    async with bot.session.post(
        f"{bot.url}/webhooks/marketplace", data=body, headers=data | headers
    ) as response:
        message = (await response.json())["message"]
    await bot.rest()
    return response.status, message


async def find_buyer_tenant(bot: Bot, account: int = BUYER_ACCOUNT) -> int | None:
    """Find the id of the tenant of a buying account, if there is one."""
    async with bot.base.database.unscoped() as connection:
        return await tenant_of_account(connection, account)


async def list_subscriptions(bot: Bot, account: int = BUYER_ACCOUNT) -> list[tuple[str, str, int | None]]:
    """List plan, status and quantity of an account's subscriptions."""
    tenant_id = await find_buyer_tenant(bot, account)
    if tenant_id is None:
        return []
    async with bot.base.database.tenant(tenant_id) as tenant:
        return [
            (subscription.plan, subscription.status, subscription.quantity)
            for subscription in await Subscriptions(tenant).all()
        ]


async def latest_deadline(bot: Bot, account: int = BUYER_ACCOUNT) -> Deadline | None:
    """Return the latest deadline for deleting an account's data."""
    async with bot.base.database.tenant(await find_buyer_tenant(bot, account) or 0) as tenant:
        return await Deadlines(tenant).latest()


@pytest.fixture
async def bot_without_worker(github: StandInGitHub, base: Services) -> AsyncIterator[Bot]:
    """Database and GitHub without a worker, which could do by the clock what the test does."""
    github.marketplace.accounts.clear()
    github.clear_faults()
    async with aiohttp.ClientSession() as session:
        yield Bot(base, github, session, "", {})
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


def make_billing_syncs(bot: Bot) -> tuple[MarketplaceSync, Deletion]:
    """Make the sync with the Marketplace and the deletion."""
    app = GitHubSettings(str(bot.github.app_id), Secret(bot.github.private_key))
    listing = GitHubListing(GitHub(bot.session, app, bot.github.url, bot.base.clock))
    jobs, base = Jobs(), bot.base
    marketplace_sync = MarketplaceSync(base.database, listing, SETTINGS, jobs, base.clock)
    return marketplace_sync, Deletion(base.database, listing, marketplace_sync, base.clock, SETTINGS.grace)


async def add_lapsed_subscription(bot_without_worker: Bot) -> None:
    """Add a subscription that was cancelled 31 days ago, with its passed deadline."""
    async with bot_without_worker.base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, BUYER_ACCOUNT, "octo", "Organization")
    at = datetime.now(UTC) - 31 * DAY
    async with bot_without_worker.base.database.tenant(tenant_id) as tenant:
        ended = Subscription("marketplace", "ended", "pro", at, ended_at=at)
        await Subscriptions(tenant).store(ended)
        await Deadlines(tenant).record(Deadline(at, at + 30 * DAY, is_announced=True))
    age_deadlines(bot_without_worker.base)
