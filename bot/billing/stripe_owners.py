"""Whose subscription of Stripe it is: one customer there may pay for several accounts."""

from dataclasses import dataclass

import structlog

from marketplace.stripe_subscriptions import StripeSubscription, SubscriptionHint
from storage.database import Database
from storage.subscriptions import tenant_of_account, tenants_of_stripe


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a subscription is. `is_named`: our books or its metadata say so, and not its customer alone.

    `problem` says what contradicts it, for operators.
    """

    organization_id: int
    is_named: bool = True
    problem: str | None = None


async def owner_of(
    database: Database, subscription: StripeSubscription, about: SubscriptionHint
) -> Owner | None:
    """Whose subscription it is. None, and a line in the log, where that is not clear.

    Our books come first, so that a subscription never counts for two accounts. Then comes the account that
    its own metadata name, then that of our checkout. The customer decides only where none of these do, and
    where it is the customer of one account alone.
    """
    account = subscription.account if subscription.account is not None else about.account
    async with database.unscoped() as connection:
        holders = await tenants_of_stripe(connection, None, subscription.id)
        named = None if account is None else await tenant_of_account(connection, account)
        payers = await tenants_of_stripe(connection, subscription.customer, None)
    if holders:
        return _held(subscription, holders[0], named)
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


def _held(subscription: StripeSubscription, holder: int, named: int | None) -> Owner:
    """Our books hold it. What its metadata say now takes it from nobody."""
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
