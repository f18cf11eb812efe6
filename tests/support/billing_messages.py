"""Accounts, subscriptions and links as the messages about billing take them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from marketplace.accounts import Billing
from marketplace.entitlements import PlanChangeLinks, resolve_account_plan
from marketplace.plans import PlanName
from storage.subscriptions import Account, Subscription, tenant_of_account
from tests.support.running import Bot

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


DAY = timedelta(days=1)


LINKS = PlanChangeLinks(
    {PlanName.PRO: "https://github.com/marketplace/agile/upgrade/3/7"}, "https://billing.stripe.com/p/login/x"
)


def make_subscription(
    source: str = "marketplace", status: str = "active", plan: str = "pro", **more: Any
) -> Subscription:
    """Make a subscription, active on the Marketplace by default."""
    return Subscription(source, status, plan, NOW, **more)


def make_billing(*subscriptions: Subscription, people: int = 3, is_sold: bool = True, **more: Any) -> Billing:
    """Make the billing state of an account with subscriptions and people who take seats."""
    standing = resolve_account_plan(subscriptions, NOW, 14 * DAY)
    account = Account(7, "acme", "Organization", standing.name, 100, None)
    who = tuple(f"person-{number}" for number in range(people))
    return Billing(account, standing, is_sold, who, subscriptions=subscriptions, **more)


async def find_owner_tenant(bot: Bot) -> int:
    """Find the id of the tenant that owns the bot's repository."""
    async with bot.base.database.unscoped() as connection:
        return await tenant_of_account(connection, int(bot.repository["owner"]["id"])) or 0
