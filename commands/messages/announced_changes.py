"""Announced changes of plans: cancellations, switches to another plan, and double payment meanwhile."""

from collections.abc import Iterator

from commands.formatting.wording import counted, full_day
from commands.messages.billing_notices import choose_free_text
from marketplace.accounts import DELETION_AFTER, Billing
from marketplace.entitlements import PlanChangeLinks
from marketplace.notices import is_card_subscription_continuing
from marketplace.plans import PLANS, PlanName
from marketplace.purchase_ways import ending_on_marketplace, paid_until
from storage.subscriptions import MARKETPLACE, STRIPE, PendingChange, Subscription

_BOUGHT = {MARKETPLACE: "on GitHub", STRIPE: "by card"}


def announced_changes(billing: Billing, links: PlanChangeLinks) -> str:
    """The pending changes of the plan that counts, and of others that are paid for beside it."""
    counting = billing.plan.subscription
    others = [
        subscription
        for subscription in billing.subscriptions
        if subscription is not counting and not subscription.has_ended
    ]
    sentences = list[str]()
    if counting is not None and counting.pending is not None:
        sentences.append(_sentence("", counting, counting.pending, billing, links))
    for other in others:
        if other.pending is not None:
            sentences.append(
                _sentence(f"What is paid {_BOUGHT[other.source]}", other, other.pending, billing, links)
            )
    return "\n\n".join(sentences)


def overlap_lines(billing: Billing) -> Iterator[str]:
    """A warning, before the purchase, that a switch from GitHub to a card is paid twice for a while."""
    ending = ending_on_marketplace(billing.subscriptions)
    if ending is not None:
        at = paid_until(ending)
        until = full_day(at.date()) if at else "the end of the period"
        yield f"- A plan by card starts today; GitHub is paid until {until}, so until then both are paid for"


def _sentence(
    subject: str, subscription: Subscription, pending: PendingChange, billing: Billing, links: PlanChangeLinks
) -> str:
    day = full_day(pending.effective_at.date()) if pending.effective_at else "the end of the period"
    if pending.plan is None:
        end_sentence = f"{subject or 'It'} was cancelled and ends on {day}; until then nothing changes."
        if subscription.source != MARKETPLACE or is_card_subscription_continuing(billing):
            return end_sentence
        return f"{end_sentence} {_deletion(pending, links)}"
    plan = PLANS[PlanName(pending.plan)]
    seats = f" with {counted(pending.quantity, 'seat')}" if pending.quantity else ""
    paid = ""
    if pending.is_yearly is not None and plan.is_paid:
        paid = f", paid by the {'year' if pending.is_yearly else 'month'}"
    begin = f"{subject}: from {day} on it" if subject else f"From {day} on it"
    return f"{begin} will be {plan.title}{seats}{paid}; until then nothing changes."


def _deletion(pending: PendingChange, links: PlanChangeLinks) -> str:
    when = f"{DELETION_AFTER.days} days later"
    if pending.effective_at is not None:
        when = f"On {full_day((pending.effective_at + DELETION_AFTER).date())}"
    return (
        f"**{when} this account's data here will be deleted.** To keep it, {choose_free_text(links)} before "
        "then, or pay by card."
    )
