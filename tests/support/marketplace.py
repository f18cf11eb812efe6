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
from tests.support.running import Bot, let_deadlines_be_read, signature
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
    body = json.dumps(payload).encode()
    told = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "guid-1",
        "X-Hub-Signature-256": signature(body, secret),
    }
    async with bot.session.post(
        f"{bot.url}/webhooks/marketplace", data=body, headers=told | headers
    ) as response:
        message = (await response.json())["message"]
    await bot.rest()
    return response.status, message


async def find_buyer_tenant(bot: Bot, account: int = BUYER_ACCOUNT) -> int | None:
    async with bot.base.database.unscoped() as connection:
        return await tenant_of_account(connection, account)


async def list_subscriptions(bot: Bot, account: int = BUYER_ACCOUNT) -> list[tuple[str, str, int | None]]:
    tenant_id = await find_buyer_tenant(bot, account)
    if tenant_id is None:
        return []
    async with bot.base.database.tenant(tenant_id) as tenant:
        return [(one.plan, one.status, one.quantity) for one in await Subscriptions(tenant).all()]


async def latest_deadline(bot: Bot, account: int = BUYER_ACCOUNT) -> Deadline | None:
    async with bot.base.database.tenant(await find_buyer_tenant(bot, account) or 0) as tenant:
        return await Deadlines(tenant).latest()


@pytest.fixture
async def bot_without_worker(github: StandInGitHub, base: Services) -> AsyncIterator[Bot]:
    """Database and GitHub, while no worker runs that could do by the clock what the test does."""
    github.marketplace.accounts.clear()
    github.clear_faults()
    async with aiohttp.ClientSession() as session:
        yield Bot(base, github, session, "", {})
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


def make_billing_syncs(bot: Bot) -> tuple[MarketplaceSync, Deletion]:
    app = GitHubSettings(str(bot.github.app_id), Secret(bot.github.private_key))
    listing = GitHubListing(GitHub(bot.session, app, bot.github.url, bot.base.clock))
    jobs, base = Jobs(bot.base.queue), bot.base
    found = MarketplaceSync(base.database, listing, SETTINGS, jobs, base.clock)
    return found, Deletion(base.database, listing, found, base.clock, SETTINGS.grace)


async def add_lapsed_subscription(bot_without_worker: Bot) -> None:
    """Somebody who cancelled 31 days ago."""
    async with bot_without_worker.base.database.unscoped() as connection:
        tenant_id = await tenant_of_buyer(connection, BUYER_ACCOUNT, "octo", "Organization")
    at = datetime.now(UTC) - 31 * DAY
    async with bot_without_worker.base.database.tenant(tenant_id) as tenant:
        ended = Subscription("marketplace", "ended", "pro", at, ended_at=at)
        await Subscriptions(tenant).put(ended)
        await Deadlines(tenant).record(Deadline(at, at + 30 * DAY, is_announced=True))
    let_deadlines_be_read(bot_without_worker.base)
