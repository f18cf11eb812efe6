"""Sentences that inform an account's owner about money and data: on `/agile plan`, in the billing issue."""

from collections.abc import Sequence

from commands.formatting.money import money
from commands.formatting.wording import counted, full_day, plain
from commands.messages.seats import WHAT_IS_DUE, due_text
from marketplace.accounts import DELETION_AFTER, Billing
from marketplace.entitlements import AccountPlan, PlanChangeLinks
from marketplace.notices import (
    Notice,
    NoticeKind,
    collect_notices,
    ending_trial,
    find_second_payment,
    is_card_subscription_continuing,
    is_lost_to_failed_payment,
)
from marketplace.plans import PLANS, PlanName
from marketplace.seat_increases import SeatIncrease
from marketplace.seat_price import resolve_seat_price
from storage.subscriptions import MARKETPLACE, STRIPE

# The statuses of a subscription by card whose payment may be due.
_DUE = frozenset({"past_due", "unpaid", "paused"})
SOURCES = {MARKETPLACE: "on GitHub Marketplace", STRIPE: "by card (Stripe)"}
ISSUE_TITLE = "Agile GitHub Suite: billing"
WITHDRAWN_TITLE = "Agile GitHub Suite: note withdrawn"
SETTLED = "Nothing is due: what stood here is settled. `/agile plan` in a comment shows the plan."
WITHDRAWN = "This note has been withdrawn."
MOVED = "This note stands in another repository of the account now."
SWITCHED_OFF = "This issue is switched off in the account's settings file."
_FOOTER = (
    "This issue is edited when something changes, and closed when nothing is due. `/agile plan` in a comment "
    "shows everything about the plan. Another repository, or no such issue: `billing` in the account's "
    "settings file."
)


# How to buy a plan, for texts other than `/agile plan`.
_HOW_TO_BUY = "`/agile plan` shows how"


def notice_sentence(
    notice: Notice, billing: Billing, links: PlanChangeLinks, how_to_buy: str = _HOW_TO_BUY
) -> str:
    """The event that a notice announces, and the remedy. Empty if it no longer applies."""
    match notice.kind:
        case NoticeKind.DELETION:
            return deletion_sentence(billing, links)
        case NoticeKind.PAYMENT_FAILED:
            return failed_payment_sentence(billing, links, how_to_buy)
        case NoticeKind.SEATS:
            return _seats(billing.seat_increase, billing) if billing.seat_increase else ""
        case NoticeKind.TRIAL_ENDS:
            return trial_sentence(billing, links)
        case NoticeKind.PAID_TWICE:
            return paid_twice_sentence(billing)


def issue_text(billing: Billing, links: PlanChangeLinks, people: Sequence[str]) -> str:
    """The text of the billing issue. It mentions `people` (GitHub logins), so that they are notified."""
    called = " ".join(f"@{login}" for login in people)
    sentences = [notice_sentence(notice, billing, links) for notice in collect_notices(billing)]
    return "\n\n".join(part for part in [called, *sentences, f"<sub>{_FOOTER}</sub>"] if part)


def news_text(notice: Notice) -> str:
    """A comment on a new notice in the billing issue, because GitHub sends no notifications for edits."""
    return f"{_NEWS[notice.kind]} The description of this issue says what that means."


_NEWS = {
    NoticeKind.DELETION: "This account's data here will be deleted.",
    NoticeKind.PAYMENT_FAILED: "A payment failed.",
    NoticeKind.SEATS: "More people need a seat.",
    NoticeKind.TRIAL_ENDS: "The trial is about to end.",
    NoticeKind.PAID_TWICE: "More than one plan is paid for.",
}


def deletion_sentence(billing: Billing, links: PlanChangeLinks) -> str:
    """The day on which the account's data will be deleted, and how to keep it."""
    if billing.deadline is None:
        return ""
    day = full_day(billing.deadline.due_at.date())
    where = links.upgrade.get(PlanName.FREE) or next(iter(links.upgrade.values()), None)
    again = (
        f"[choose a plan on GitHub Marketplace]({where})" if where else "choose a plan on GitHub Marketplace"
    )
    return (
        f"**This account's data here will be deleted on {day}**, because its plan was cancelled on GitHub "
        f"Marketplace. To keep it, {again} before then; the free one will do, or a plan paid by card."
    )


def failed_payment_sentence(billing: Billing, links: PlanChangeLinks, how_to_buy: str = _HOW_TO_BUY) -> str:
    """The day by which a payment has to succeed, or the plan that its failure ended."""
    if (other := find_second_payment(billing)) is not None:
        portal = f" in the [billing portal]({links.portal})" if links.portal else ""
        title = billing.plan.terms.title
        return (
            f"**The last payment by card failed.** Nothing is lost by that: {title} is "
            f"paid {SOURCES[other.source]} as well. The subscription whose payment failed can be "
            f"cancelled{portal}."
        )
    to_do = _how_to_pay(billing, links, how_to_buy)
    if billing.plan.grace_ends is not None:
        day = full_day(billing.plan.grace_ends.date())
        return f"**The last payment failed.** Nothing changes before {day}: until then, please {to_do}."
    if is_lost_to_failed_payment(billing):
        return f"**The last payment failed**, and its time is over. To go on, {to_do}."
    return ""


def _how_to_pay(billing: Billing, links: PlanChangeLinks, how_to_buy: str) -> str:
    """Explain how to settle a failed payment.

    Stripe retries the card only while the subscription is past due. The invoices of an unpaid or paused one
    are left to the customer.
    """
    due = [
        candidate
        for candidate in billing.subscriptions
        if candidate.source == STRIPE and candidate.status in _DUE
    ]
    if not due:
        return f"buy the plan again: {how_to_buy}"  # Another card does not revive an ended subscription.
    subscription = next((candidate for candidate in due if candidate is billing.plan.subscription), due[0])
    if subscription.status == "past_due":
        return f"[change the card]({links.portal})" if links.portal else "change the card where you pay"
    portal = f"[billing portal]({links.portal})" if links.portal else "billing portal"
    return f"pay the open invoice in the {portal} (another card alone does not pay it)"


def trial_sentence(billing: Billing, links: PlanChangeLinks) -> str:
    """The end of a trial, and the price from then on."""
    subscription = ending_trial(billing)
    if subscription is None or subscription.trial_ends is None:
        return ""
    title, day = PLANS[PlanName(subscription.plan)].title, full_day(subscription.trial_ends.date())
    price = resolve_seat_price(subscription)
    cost = "it is paid for"
    if price is not None and subscription.quantity is not None:
        total = money(price.unit_amount * subscription.quantity, price.currency)
        period = "year" if price.is_yearly else "month"
        verb = "costs" if subscription.quantity == 1 else "cost"
        by_list = " (list price)" if price.is_list_price else ""
        cost = (
            f"{counted(subscription.quantity, 'seat')} {verb} {total} a {period} "
            f"before discounts and tax{by_list}"
        )
    if subscription.source == MARKETPLACE:
        where = f"{choose_free_text(links)} before. {_cancelled_trial(billing)}"
    else:
        where = f"[cancel]({links.portal}) before" if links.portal else "cancel before"
        where += ". Nothing is deleted by that"
    return f"**The trial of {title} ends on {day}.** From then on {cost}, unless you {where}."


def choose_free_text(links: PlanChangeLinks) -> str:
    """Explain how to end a Marketplace plan and keep the account's data."""
    link = links.upgrade.get(PlanName.FREE)
    return f"[choose Free]({link})" if link else "choose Free on GitHub Marketplace"


def _cancelled_trial(billing: Billing) -> str:
    if is_card_subscription_continuing(billing):
        return "Cancelling ends the trial at once, and deletes nothing while the plan by card goes on"
    return (
        "Do not cancel instead: that ends the trial at once, and this account's data here is deleted "
        f"{DELETION_AFTER.days} days later"
    )


def paid_twice_sentence(billing: Billing) -> str:
    """Say which of several paid plans counts."""
    if not billing.plan.is_paid_twice:
        return ""
    begin = f"**{plain(billing.account.name)} pays for more than one plan.** Nothing is cut off"
    if find_second_payment(billing) is not None:
        return f"{begin}, also without the one whose payment failed."
    return (
        f"{begin}: what includes "
        f"more counts, which is {_what_counts(billing.plan)}. The other can be cancelled where it was "
        "bought."
    )


def _what_counts(plan: AccountPlan) -> str:
    return f"{plan.terms.title}, paid {SOURCES[plan.source or MARKETPLACE]}"


def _seats(increase: SeatIncrease, billing: Billing) -> str:
    more = increase.after - increase.before
    cost = ""
    if increase.unit_amount is not None and increase.currency:
        period = "year" if increase.is_yearly else "month"
        total = money(increase.unit_amount * more, increase.currency)
        cost = f" {counted(more, 'more seat')} cost {total} a {period} before discounts and tax"
        if increase.due_now:
            cost += f", {money(increase.due_now, increase.currency)} of it now."
        else:
            cost += f". {due_text(increase, billing)}"
    return (
        f"**{increase.after:,} people need a seat, {increase.before:,} are paid for.**{cost} Nothing more is "
        "charged before an admin agrees: comment `/agile seats` to see it and to agree. Until then nobody "
        f"loses anything.{f' {WHAT_IS_DUE}' if increase.due_now else ''}"
    )
