"""Sentences that inform an account's owner about money and data: on `/agile plan`, in the billing issue."""

from collections.abc import Sequence

from charts.reading import whole
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
SOURCES = {MARKETPLACE: "on GitHub Marketplace", STRIPE: "by card through Stripe"}
ISSUE_TITLE = "Agile GitHub Suite: billing"
WITHDRAWN_TITLE = "Agile GitHub Suite: notice withdrawn"
SETTLED = "There is nothing left to do here. To see your plan, comment `/agile plan`."
WITHDRAWN = "This notice was withdrawn."
MOVED = "This notice has moved to another repository of the account."
SWITCHED_OFF = "Billing issues are turned off in the account's settings file."
_FOOTER = (
    "I update this issue when something changes, and close it when there is nothing left to do. To see the "
    "whole plan, comment `/agile plan`. To move this issue to another repository or turn it off, use "
    "`billing` in the account's settings file."
)


# How to buy a plan again, for texts other than `/agile plan`.
_BUY_AGAIN = "buy the plan again with the links that `/agile plan` shows"


def notice_sentence(
    notice: Notice, billing: Billing, links: PlanChangeLinks, buy_again: str = _BUY_AGAIN
) -> str:
    """The event that a notice announces, and the remedy. Empty if it no longer applies."""
    match notice.kind:
        case NoticeKind.DELETION:
            return deletion_sentence(billing, links)
        case NoticeKind.PAYMENT_FAILED:
            return failed_payment_sentence(billing, links, buy_again)
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
    return f"{_NEWS[notice.kind]} See the description of this issue for details."


_NEWS = {
    NoticeKind.DELETION: "This account's data here will be deleted.",
    NoticeKind.PAYMENT_FAILED: "A payment failed.",
    NoticeKind.SEATS: "More people need a seat.",
    NoticeKind.TRIAL_ENDS: "Your trial is about to end.",
    NoticeKind.PAID_TWICE: "You are paying for more than one plan.",
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
        f"Marketplace. To keep the data, {again} before then (Free is enough), or buy a plan by card."
    )


def failed_payment_sentence(billing: Billing, links: PlanChangeLinks, buy_again: str = _BUY_AGAIN) -> str:
    """The day by which a payment has to succeed, or the plan that its failure ended."""
    if (other := find_second_payment(billing)) is not None:
        portal = f" in the [billing portal]({links.portal})" if links.portal else ""
        title = billing.plan.terms.title
        return (
            f"**The last card payment failed.** You keep {title}, which is also paid "
            f"{SOURCES[other.source]}. You can cancel the subscription whose payment failed{portal}."
        )
    to_do = _how_to_pay(billing, links, buy_again)
    if billing.plan.grace_ends is not None:
        day = full_day(billing.plan.grace_ends.date())
        return f"**The last payment failed.** Nothing changes until {day}. Please {to_do} before then."
    if is_lost_to_failed_payment(billing):
        return f"**The last payment failed**, and its grace period is over. To continue, {to_do}."
    return ""


def _how_to_pay(billing: Billing, links: PlanChangeLinks, buy_again: str) -> str:
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
        return buy_again  # Another card does not revive an ended subscription.
    subscription = next((candidate for candidate in due if candidate is billing.plan.subscription), due[0])
    if subscription.status == "past_due":
        return (
            f"[change the card]({links.portal})" if links.portal else "change the card in the billing portal"
        )
    portal = f"[billing portal]({links.portal})" if links.portal else "billing portal"
    return f"pay the open invoice in the {portal} (a new card alone does not pay it)"


def trial_sentence(billing: Billing, links: PlanChangeLinks) -> str:
    """The end of a trial, and the price from then on."""
    subscription = ending_trial(billing)
    if subscription is None or subscription.trial_ends is None:
        return ""
    title, day = PLANS[PlanName(subscription.plan)].title, full_day(subscription.trial_ends.date())
    price = resolve_seat_price(subscription)
    cost = "you pay for the plan"
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
        way_out, effect = choose_free_text(links), _cancelled_trial(billing)
    else:
        way_out = f"[cancel]({links.portal})" if links.portal else "cancel in the billing portal"
        effect = "Cancelling deletes no data."
    return (
        f"**Your {title} trial ends on {day}.** After that, {cost}, unless you {way_out} before then. "
        f"{effect}"
    )


def choose_free_text(links: PlanChangeLinks) -> str:
    """Explain how to end a Marketplace plan and keep the account's data."""
    link = links.upgrade.get(PlanName.FREE)
    return f"[choose Free]({link})" if link else "choose Free on GitHub Marketplace"


def _cancelled_trial(billing: Billing) -> str:
    if is_card_subscription_continuing(billing):
        return "Cancelling ends the trial immediately, and no data is deleted while your card plan continues."
    return (
        "Don't cancel instead: that ends the trial immediately, and this account's data here is deleted "
        f"{DELETION_AFTER.days} days later."
    )


def paid_twice_sentence(billing: Billing) -> str:
    """Say which of several paid plans counts."""
    if not billing.plan.is_paid_twice:
        return ""
    begin = f"**{plain(billing.account.name)} pays for more than one plan.**"
    if find_second_payment(billing) is not None:
        return f"{begin} One payment failed, but your other plan still applies."
    return (
        f"{begin} Everything keeps working, and the plan that includes more applies: "
        f"{_what_counts(billing.plan)}. You can cancel the other one where you bought it."
    )


def _what_counts(plan: AccountPlan) -> str:
    return f"{plan.terms.title}, paid {SOURCES[plan.source or MARKETPLACE]}"


def _seats(increase: SeatIncrease, billing: Billing) -> str:
    more = increase.after - increase.before
    cost = ""
    if increase.unit_amount is not None and increase.currency:
        period = "year" if increase.is_yearly else "month"
        total = money(increase.unit_amount * more, increase.currency)
        verb = "costs" if more == 1 else "cost"
        cost = f" {counted(more, 'more seat')} {verb} {total} a {period} before discounts and tax"
        if increase.due_now:
            cost += f", {money(increase.due_now, increase.currency)} of it now."
        else:
            cost += f". {due_text(increase, billing)}"
    return (
        f"**{whole(increase.after)} people need a seat, but only {counted(increase.before, 'seat')} "
        f"{'is' if increase.before == 1 else 'are'} paid for.**{cost} "
        "You pay nothing more until an admin approves it: to review and approve, comment `/agile seats`. "
        f"Until then, everyone keeps their access.{f' {WHAT_IS_DUE}' if increase.due_now else ''}"
    )
