"""`plan` and `usage`: an account's plan, seats and usage, for operators."""

import argparse
import asyncio
import json
import sys
from datetime import timedelta

from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinks
from bot.services import open_services, wall_clock
from bot.settings import Settings, encryption_keys
from marketplace.accounts import Billing, load_billing
from marketplace.customers import choose_customer
from marketplace.plans import METRICS
from storage.cipher import PayloadCipher
from storage.subscriptions import STRIPE, PendingChange, tenants_named

_PORTAL_LASTS = timedelta(hours=1)


class _NotFoundError(Exception):
    """The account does not exist; the message names it."""


def plan(settings: Settings, options: argparse.Namespace) -> int:
    """Print the plan. Exit status 1 for an unknown account."""
    return _print(settings, options, with_usage=False)


def usage(settings: Settings, options: argparse.Namespace) -> int:
    """Print the plan and this month's usage."""
    return _print(settings, options, with_usage=True)


def _print(settings: Settings, options: argparse.Namespace, *, with_usage: bool) -> int:
    try:
        billing = asyncio.run(_read(settings, options.account))
    except _NotFoundError as problem:
        print(problem, file=sys.stderr)
        return 1
    if getattr(options, "portal_link", False):
        return _portal_link(settings, billing)
    values = billing.as_json() | ({"usage": dict(billing.usage)} if with_usage else {})
    if options.json:
        print(json.dumps(values, indent=1))
    else:
        lines = plan_lines(billing)
        if with_usage:
            lines += [f"{text}, this month: {billing.usage[metric]}" for metric, text in METRICS.items()]
        print("\n".join(lines))
    return 0


def _portal_link(settings: Settings, billing: Billing) -> int:
    """Print a link to Stripe's portal, where the owner changes a subscription. It needs no sign-in."""
    customer = choose_customer(billing.subscriptions)
    if customer is None:
        has_paid = any(subscription.source == STRIPE for subscription in billing.subscriptions)
        reason = "no longer has a customer at Stripe" if has_paid else "has never paid by card"
        print(f"{billing.account.name} {reason}", file=sys.stderr)
        return 1
    if settings.billing.stripe is None:
        print("Stripe is not set up, so there is no billing portal; set STRIPE_SECRET_KEY", file=sys.stderr)
        return 1
    links = SignedLinks(PayloadCipher(encryption_keys(settings)))
    ticket = links.issue("portal", wall_clock() + _PORTAL_LASTS, customer=customer)
    print(f"{settings.public_url}/billing/portal/{ticket}")
    return 0


async def _read(settings: Settings, name: str) -> Billing:
    async with open_services(settings, has_worker=False) as base:
        purchase_links = PurchaseLinks(settings.billing, settings.public_url, base.cipher)
        async with base.database.unscoped() as connection:
            tenants = await tenants_named(connection, name)
        for organization_id in tenants:
            async with base.database.tenant(organization_id) as tenant:
                if billing := await load_billing(tenant, base.clock(), purchase_links):
                    return billing
    raise _NotFoundError(f"there is no data for the account {name}")


def plan_lines(billing: Billing) -> list[str]:
    """Format the plan as lines of text."""
    plan = billing.plan
    status = None if plan.status == "none" else plan.status
    source = f"by {plan.source}" if plan.source else None
    seats = f"seats: {len(billing.people)} used"
    if plan.terms.is_paid:
        seats += f", {'any number' if plan.seats is None else plan.seats} paid for"
    lines = [f"{billing.account.name}: {', '.join(filter(None, [plan.terms.title, status, source]))}", seats]
    subscription = plan.subscription
    if subscription is not None and subscription.status == "trialing" and subscription.trial_ends:
        lines.append(f"trial ends: {subscription.trial_ends.isoformat()}")
    if subscription is not None and subscription.period_end:
        lines.append(f"period ends: {subscription.period_end.isoformat()}")
    if plan.grace_ends:
        lines.append(f"payment due; grace period ends: {plan.grace_ends.isoformat()}")
    if billing.pending:
        lines.append(_pending_line(billing.pending))
    if billing.deadline:
        lines.append(f"data will be deleted: {billing.deadline.due_at.isoformat()}")
    return lines


def _pending_line(pending: PendingChange) -> str:
    at = f", from {pending.effective_at.isoformat()}" if pending.effective_at else ""
    if pending.plan is None:
        return f"pending: cancelled{at}"
    seats = f", {pending.quantity} {'seat' if pending.quantity == 1 else 'seats'}" if pending.quantity else ""
    interval = {True: ", yearly", False: ", monthly", None: ""}[pending.is_yearly]
    return f"pending: {pending.plan}{seats}{interval}{at}"
