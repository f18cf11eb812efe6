"""Resolves the account of a Stripe subscription: one customer may pay for several accounts."""

from dataclasses import dataclass

import structlog

from marketplace.stripe_subscriptions import StripeSubscription, SubscriptionHint
from storage.database import Database
from storage.subscriptions import tenant_of_account, tenants_of_stripe


@dataclass(frozen=True, slots=True)
class Owner:
    """The tenant of a subscription.

    `is_named`: the stored rows or its metadata name the tenant, and not its customer alone. `problem`
    describes, for operators, the facts that contradict the tenant.
    """

    organization_id: int
    is_named: bool = True
    problem: str | None = None


async def resolve_owner(
    database: Database, subscription: StripeSubscription, hint: SubscriptionHint
) -> Owner | None:
    """Return the owner of a subscription. None, with a log line, if that is not clear.

    The stored rows come first, so that a subscription never counts for two accounts. Then comes the account
    in its own metadata, then that of the App's checkout. The customer decides only if none of these do, and
    if it is the customer of a single account.
    """
    account = subscription.account if subscription.account is not None else hint.account
    async with database.unscoped() as connection:
        holders = await tenants_of_stripe(connection, None, subscription.id)
        named = None if account is None else await tenant_of_account(connection, account)
        payers = await tenants_of_stripe(connection, subscription.customer, None)
    if holders:
        return _confirm_holder(subscription, holders[0], named)
    log = structlog.get_logger(__name__)
    if account is not None:
        if named is None:
            log.error("subscription of an account that we do not know; nothing is changed")
        return None if named is None else Owner(named)
    if len(payers) == 1:
        return Owner(payers[0], is_named=False)
    if payers:
        log.error("subscription without an account, of a customer of several; nothing is changed")
    else:
        log.error("subscription without an account of ours; nothing is changed")
    return None


def _confirm_holder(subscription: StripeSubscription, holder: int, named: int | None) -> Owner:
    """Return the owner on record. Different metadata do not move the subscription, but are a problem."""
    if subscription.account is None or named == holder:
        return Owner(holder)
    structlog.get_logger(__name__).error(
        "subscription claimed for another account; nothing is changed but its status and dates",
        claimed_for=subscription.account,
    )
    problem = (
        f"the subscription {subscription.id} was bought for this account, but its metadata at Stripe name "
        f"another one ({subscription.account})"
    )
    return Owner(holder, problem=problem)
