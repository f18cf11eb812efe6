"""How a plan that is paid for is changed: by which page, and what one more seat costs before it is added."""

from collections.abc import Iterator
from datetime import datetime

from commands.cards.money import money
from commands.wording import code, full_day
from marketplace.accounts import Billing
from marketplace.entitlements import Links
from marketplace.github_pages import billing_page, payment_history
from marketplace.plans import PLANS, PlanName
from marketplace.seat_price import SeatPrice, price_of_seat, prorated
from storage.subscriptions import MARKETPLACE, STRIPE, Subscription

_FOLLOWS = {
    False: "Seats follow the people on planned work, once a day",
    True: "Seats are added with the people on planned work, once a day; fewer people cost less after renewal",
}


def how_to_change(billing: Billing, links: Links) -> Iterator[str]:
    """A line for each thing that payers look for, wherever the account pays or has paid by card."""
    cards = [one for one in billing.subscriptions if one.source == STRIPE]
    live = [one for one in cards if not one.has_ended]
    if live:
        counting = billing.standing.subscription
        yield from _by_card(counting if counting in live else live[0], billing, links)
    elif cards and links.portal:
        yield f"- **Invoices and receipts of earlier payments by card:** {_portal(links)}"
    for subscription in billing.subscriptions:
        is_paid = PLANS[PlanName(subscription.plan)].is_paid
        if subscription.source == MARKETPLACE and not subscription.has_ended and is_paid:
            yield from _on_marketplace(subscription, billing, links)


def _by_card(subscription: Subscription, billing: Billing, links: Links) -> Iterator[str]:
    portal = _portal(links)
    yield f"- **Another plan, monthly or yearly:** {portal}, which shows the cost before you confirm"
    yield f"- **One more seat:** {_one_more_seat(subscription, billing.as_of)}"
    yield f"- **Invoices, receipts, tax ID and card:** {portal}"
    if subscription.pending is None:
        yield (
            f"- **Cancel:** {portal}. The plan stays until the end of the period that is paid for, and "
            "nothing is deleted"
        )
    else:
        yield f"- **Keep the plan after all:** {portal}"
    if not links.portal:
        link_for = code(f"python -m bot plan --account {billing.account.name} --portal-link")
        yield f"- The billing portal needs a link, which whoever runs this App makes by {link_for}"


def _portal(links: Links) -> str:
    return f"[billing portal]({links.portal})" if links.portal else "billing portal"


def _one_more_seat(subscription: Subscription, now: datetime | None) -> str:
    """What a seat costs that is added at a moment, in the order in which it is paid."""
    price, follows = price_of_seat(subscription), _FOLLOWS[subscription.is_yearly]
    if price is None:
        return follows
    full = f"{money(price.unit_amount, price.currency)} a {_period(price)}"
    start, end = subscription.period_start, subscription.period_end
    if subscription.status == "trialing" and subscription.trial_ends is not None:
        cost = f"nothing until the trial ends on {full_day(subscription.trial_ends.date())}, then {full}"
    elif now is None or start is None or end is None or end <= now:
        cost = full
    else:
        rest = money(prorated(price.unit_amount, start, end, now), price.currency)
        # Of a plan that ends there is no next invoice.
        is_at_once = price.is_yearly or subscription.pending is not None
        cost = f"about {rest} until {full_day(end.date())}, "
        cost += "invoiced at once" if is_at_once else "on the next invoice"
        cost += f"; then {full}" if subscription.pending is None else ""
    return f"{cost}, before tax{_by_list(price)}. {follows}"


def _on_marketplace(subscription: Subscription, billing: Billing, links: Links) -> Iterator[str]:
    page = f"[GitHub's billing page]({billing_page(billing.account)})"
    upgrade = links.upgrade.get(PlanName(subscription.plan))
    where = "by the links above" if upgrade else page
    yield f"- **Another plan, monthly or yearly:** {where}; GitHub shows the cost before you confirm"
    price = price_of_seat(subscription)
    if price is not None and subscription.quantity is not None:
        full = f"{money(price.unit_amount, price.currency)} a {_period(price)}"
        yield (
            f"- **One more seat:** {full} before tax{_by_list(price)}; the rest of this period is charged at "
            f"once. [Add seats on GitHub]({upgrade or billing_page(billing.account)})"
        )
    yield f"- **Receipts:** [payment history on GitHub]({payment_history(billing.account)})"
    yield f"- **Card, tax ID and billing details:** {page}"
    free = links.upgrade.get(PlanName.FREE)
    instead = f"[choose Free]({free})" if free else "choose Free"
    yield (
        f"- **Cancel:** {page}, under the Marketplace apps. The plan stays until the end of the period; 30 "
        f"days later this account's data here is deleted. To keep it, {instead} instead"
    )


def _period(price: SeatPrice) -> str:
    return "year" if price.is_yearly else "month"


def _by_list(price: SeatPrice) -> str:
    return " (list price)" if price.is_list_price else ""
