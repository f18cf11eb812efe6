"""Instructions for changing a paid plan: the page for it, and the price of one more seat."""

from collections.abc import Iterator
from datetime import datetime

from commands.formatting.money import money
from commands.formatting.wording import code, full_day
from marketplace.accounts import DELETION_AFTER, Billing
from marketplace.entitlements import PlanChangeLinks
from marketplace.github_pages import billing_page, payment_history
from marketplace.notices import is_card_subscription_continuing
from marketplace.plans import PLANS, PlanName
from marketplace.purchase_ways import is_ending
from marketplace.seat_increases import Proration, choose_proration
from marketplace.seat_price import SeatPrice, prorate, resolve_seat_price
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

_FOLLOWS = {
    False: "The number of seats follows the number of people on planned work once a day",
    True: "Seats are added once a day as people join; with fewer people, you pay less after the renewal",
}
_RUNNING = frozenset({"active", "trialing"})


def change_lines(billing: Billing, links: PlanChangeLinks) -> Iterator[str]:
    """A line for each change that a payer may look for, for every present and past seller of the account."""
    cards = [candidate for candidate in billing.subscriptions if candidate.source == STRIPE]
    live = [candidate for candidate in cards if not candidate.has_ended]
    bought = [
        candidate
        for candidate in billing.subscriptions
        if candidate.source == MARKETPLACE and not candidate.has_ended
    ]
    is_both = bool(live) and any(PLANS[PlanName(candidate.plan)].is_paid for candidate in bought)
    if live:
        counting = billing.plan.subscription
        subscription = next((candidate for candidate in live if candidate is counting), live[0])
        yield from _by_card(subscription, billing, links, _plan_label(subscription) if is_both else "")
    elif cards and links.portal:
        yield f"- **Invoices and receipts for earlier card payments:** {_portal(links)}"
    for subscription in bought:
        label = _plan_label(subscription) if is_both else ""
        if PLANS[PlanName(subscription.plan)].is_paid:
            yield from _on_marketplace(subscription, billing, links, label)
        yield from _end_on_marketplace(subscription, billing, links, label)


def _plan_label(subscription: Subscription) -> str:
    """The name that distinguishes a plan from the account's other one."""
    where = "on GitHub" if subscription.source == MARKETPLACE else "by card"
    return f" ({PLANS[PlanName(subscription.plan)].title} {where})"


def _by_card(
    subscription: Subscription, billing: Billing, links: PlanChangeLinks, label: str
) -> Iterator[str]:
    portal, plan = _portal(links), billing.plan
    is_given = subscription.status in _RUNNING or (
        subscription is plan.subscription and plan.grace_ends is not None
    )
    if is_given:
        yield f"- **Change plan or billing period{label}:** {portal}. You see the cost before you confirm."
        yield f"- **Add a seat{label}:** {_one_more_seat(subscription, billing.as_of)}."
    yield f"- **Invoices, receipts, tax ID, and card{label}:** {portal}"
    if subscription.pending is not None:
        yield f"- **Keep the current plan{label}:** {portal}"
    if subscription.pending is None or subscription.pending.plan is not None:
        yield f"- **Cancel{label}:** {portal}. {_cancellation_effect(subscription, is_given=is_given)}."
    if not links.portal:
        link_for = code(f"python -m bot plan --account {billing.account.name} --portal-link")
        yield f"- The billing portal needs a link. The people who run this App can create it with {link_for}."


def _cancellation_effect(subscription: Subscription, *, is_given: bool) -> str:
    if subscription.status == "trialing":
        return "You won't be charged, and no data is deleted"
    if is_given:
        return "You keep the plan until the end of the paid period, and no data is deleted"
    return "No data is deleted"


def _portal(links: PlanChangeLinks) -> str:
    return f"[billing portal]({links.portal})" if links.portal else "billing portal"


def _one_more_seat(subscription: Subscription, now: datetime | None) -> str:
    """The price of a seat added now, in the order of its charges."""
    price, follows = resolve_seat_price(subscription), _FOLLOWS[subscription.is_yearly]
    if subscription.status not in _RUNNING:
        return "no seats are added while a payment is due"
    if price is None:
        return follows
    full = f"{money(price.unit_amount, price.currency)} a {_period(price)}"
    start, end = subscription.period_start, subscription.period_end
    # The price of a plan that ends, or changes to another one, is not charged again.
    then = f"then {full}" if subscription.pending is None else ""
    if subscription.status == "trialing" and subscription.trial_ends is not None:
        cost = [f"nothing until the trial ends on {full_day(subscription.trial_ends.date())}", then]
    elif now is None or start is None or end is None or end <= now:
        cost = [full]
    elif (proration := choose_proration(subscription, now)) is Proration.NONE:
        cost = [f"nothing until the renewal on {full_day(end.date())}", then]
    else:
        rest = money(prorate(price.unit_amount, start, end, now), price.currency)
        is_at_once = proration is Proration.ALWAYS_INVOICE
        charged = "invoiced now" if is_at_once else "on the next invoice"
        return (
            f"about {rest} until {full_day(end.date())}, {charged}{'; ' if then else ''}{then}, "
            "before discounts and tax"
            f"{_by_list(price)}. {follows}"
        )
    return f"{', '.join(filter(None, cost))}, before discounts and tax{_by_list(price)}. {follows}"


def _on_marketplace(
    subscription: Subscription, billing: Billing, links: PlanChangeLinks, label: str
) -> Iterator[str]:
    page = f"[GitHub's billing page]({billing_page(billing.account)})"
    upgrade = links.upgrade.get(PlanName(subscription.plan))
    where = "use the links above" if upgrade else page
    yield f"- **Change plan or billing period{label}:** {where}. GitHub shows the cost before you confirm."
    price = resolve_seat_price(subscription)
    if price is not None and subscription.quantity is not None:
        full = (
            f"{money(price.unit_amount, price.currency)} a {_period(price)} "
            f"before discounts and tax{_by_list(price)}"
        )
        when = "you pay for the rest of this period now"
        if subscription.status == "trialing":
            when = "you pay nothing until the trial ends"
        yield (
            f"- **Add a seat{label}:** {full}; {when}. "
            f"[Add seats on GitHub]({upgrade or billing_page(billing.account)})."
        )
    yield f"- **Receipts{label}:** [payment history on GitHub]({payment_history(billing.account)})"
    yield f"- **Card, tax ID, and billing details{label}:** {page}"


def _end_on_marketplace(
    subscription: Subscription, billing: Billing, links: PlanChangeLinks, label: str
) -> Iterator[str]:
    """Explain how to cancel a Marketplace plan, what that deletes, or how to revoke the cancellation.

    GitHub ends a trial at once, and requires data to be deleted after a cancellation; Free keeps the data.
    """
    page = f"[GitHub's billing page]({billing_page(billing.account)}), under the Marketplace apps"
    is_free = not PLANS[PlanName(subscription.plan)].is_paid
    if is_ending(subscription):
        yield f"- **Keep the current plan{label}:** {page}."
        if subscription.pending is None or subscription.pending.plan is None:
            return
        is_free = True
    days = DELETION_AFTER.days
    if is_card_subscription_continuing(billing):
        when = "" if is_free else f"{_plan_end(subscription)}. "
        yield f"- **Cancel{label}:** {page}. {when}No data is deleted while your card plan continues."
    elif is_free:
        yield (
            f"- **Cancel{label}:** {page}. Free costs nothing and keeps this account's data here. If you "
            f"cancel it, the data is deleted {days} days later."
        )
    else:
        free = links.upgrade.get(PlanName.FREE)
        instead = f"[choose Free]({free})" if free else "choose Free"
        yield (
            f"- **Cancel{label}:** {page}. {_plan_end(subscription)}, and {days} days later this account's "
            f"data here is deleted. To keep the data, {instead} instead."
        )


def _plan_end(subscription: Subscription) -> str:
    if subscription.status == "trialing":
        return "The trial ends immediately"
    return "You keep the plan until the end of the period"


def _period(price: SeatPrice) -> str:
    return "year" if price.is_yearly else "month"


def _by_list(price: SeatPrice) -> str:
    return " (list price)" if price.is_list_price else ""
