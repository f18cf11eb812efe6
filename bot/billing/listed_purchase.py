"""What GitHub Marketplace lists for an account right now, for who is about to buy by card."""

import structlog

from bot.billing.marketplace_sync import GitHubListing
from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from bot.services import Services, github_of
from marketplace.github_purchases import PurchaseError, parse_marketplace_account, read_purchase
from storage.subscriptions import Subscription


async def listed_purchase(base: Services, account: int, known: Subscription | None) -> Subscription | None:
    """Return what an account has bought on the Marketplace, by GitHub's id; `known` is what our books hold.

    GitHub does not tell which deliveries of the Marketplace's webhook failed, so a purchase of which the
    event was lost is known only after the nightly comparison, unless GitHub is asked. None if it lists
    nothing, or cannot be asked: a purchase by card does not fail because of that.
    """
    settings, log = base.settings.billing.marketplace, structlog.get_logger(__name__)
    if settings is None or base.settings.github is None:
        return None
    try:
        async with github_of(base) as github:
            answer = await GitHubListing(github).account(account)
        if answer is None:
            return None
        return read_purchase(
            parse_marketplace_account(answer), settings.plan, base.clock(), known
        ).subscription
    except (GitHubUnavailableError, GitHubRefusedError, PurchaseError) as problem:
        log.warning("the Marketplace was not asked before a checkout", reason=str(problem))
        return None
