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

_PLANS_BY_SELLER = {MARKETPLACE: "The plan on GitHub", STRIPE: "The plan paid by card"}


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
        sentences.append(_sentence("The plan", counting, counting.pending, billing, links))
    for other in others:
        if other.pending is not None:
            sentences.append(_sentence(_PLANS_BY_SELLER[other.source], other, other.pending, billing, links))
    return "\n\n".join(sentences)


def overlap_lines(billing: Billing) -> Iterator[str]:
    """A warning, before the purchase, that a switch from GitHub to a card is paid twice for a while."""
    ending = ending_on_marketplace(billing.subscriptions)
    if ending is not None:
        at = paid_until(ending)
        until = full_day(at.date()) if at else "the end of the period"
        yield (
            "- The plan paid by card starts today. The plan on GitHub is paid until "
            f"{until}, so you pay for both until then."
        )


def _sentence(
    subject: str, subscription: Subscription, pending: PendingChange, billing: Billing, links: PlanChangeLinks
) -> str:
    when = (
        f"on {full_day(pending.effective_at.date())}" if pending.effective_at else "at the end of the period"
    )
    if pending.plan is None:
        end_sentence = f"{subject} was cancelled and ends {when}. Nothing changes until then."
        if subscription.source != MARKETPLACE or is_card_subscription_continuing(billing):
            return end_sentence
        return f"{end_sentence} {_deletion(pending, links)}"
    plan = PLANS[PlanName(pending.plan)]
    seats = f" with {counted(pending.quantity, 'seat')}" if pending.quantity else ""
    paid = ""
    if pending.is_yearly is not None and plan.is_paid:
        paid = f" ({'yearly' if pending.is_yearly else 'monthly'} billing)"
    return f"{subject} changes to {plan.title}{seats}{paid} {when}. Nothing changes until then."


def _deletion(pending: PendingChange, links: PlanChangeLinks) -> str:
    when = f"{DELETION_AFTER.days} days later"
    if pending.effective_at is not None:
        when = f"On {full_day((pending.effective_at + DELETION_AFTER).date())}"
    return (
        f"**{when}, this account's data here will be deleted.** To keep the data, {choose_free_text(links)} "
        "before then, or buy a plan by card."
    )
