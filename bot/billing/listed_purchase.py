"""The current Marketplace purchase of an account, read from GitHub before a purchase by card."""

import structlog

from bot.billing.marketplace_sync import GitHubListing
from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from bot.services import Services, open_github
from marketplace.github_purchases import PurchaseError, parse_marketplace_account, read_purchase
from storage.subscriptions import Subscription


async def load_listed_purchase(
    services: Services, account: int, stored: Subscription | None
) -> Subscription | None:
    """Return the Marketplace purchase of a GitHub account id; `stored` is the stored subscription.

    GitHub does not report failed deliveries of the Marketplace's webhook, so without this question a
    purchase whose event was lost is known only after the nightly comparison. None if GitHub lists nothing, or
    cannot be asked: a purchase by card does not fail because of that.
    """
    settings, log = services.settings.billing.marketplace, structlog.get_logger(__name__)
    if settings is None or services.settings.github is None:
        return None
    try:
        async with open_github(services) as github:
            answer = await GitHubListing(github).get_account(account)
        if answer is None:
            return None
        return read_purchase(
            parse_marketplace_account(answer), settings.plan, services.clock(), stored
        ).subscription
    except (GitHubUnavailableError, GitHubRefusedError, PurchaseError) as problem:
        log.warning("the Marketplace was not asked before a checkout", reason=str(problem))
        return None
