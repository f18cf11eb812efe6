"""Findings of `doctor` about Stripe subscriptions that are unclear or belong to no account here."""

from collections.abc import Iterator, Sequence

from storage.stripe_comparison import UnclearSubscription
from storage.subscriptions import Account, Subscription, SubscriptionProblem


def describe_unclear_subscription(unclear: UnclearSubscription) -> str:
    """Describe a subscription that the nightly comparison could not assign, and the remedy."""
    subscription = f"{unclear.subscription} ({unclear.customer or 'no customer'})"
    if unclear.has_failed:
        account = f" of the account {unclear.account}" if unclear.account is not None else ""
        return (
            f"Stripe's subscription {subscription}{account} could not be compared with our books: "
            f"{unclear.reason}. It is tried again each night, and nothing changes for it until then"
        )
    if unclear.account is None:
        to_do = "write GitHub's id of the account that pays into its metadata as `account`, or cancel it"
    else:
        to_do = (
            "correct the id, have the App installed there, or cancel and refund it; once the account is "
            "known, its plan is taken up by the next comparison"
        )
    return f"Stripe charges for a subscription of no account here, {subscription}: {unclear.reason}; {to_do}"


def describe_subscription_problems(
    account: Account, subscriptions: Sequence[Subscription], problems: Sequence[SubscriptionProblem]
) -> Iterator[str]:
    """Describe what is unclear about an account's subscriptions, and the effect until that is corrected."""
    stored = {subscription.reference for subscription in subscriptions}
    for problem in problems:
        if problem.subscription_id in stored:
            effect = "All else of it applies, and what is not understood stays as it was"
        else:
            effect = f"{account.name} is charged for it and gets nothing, so do not leave it"
        yield (
            f"Stripe's subscription of {account.name} is not understood, as of "
            f"{problem.noted_at:%Y-%m-%d}: {problem.problem}. {effect}; it is read again each night, and at "
            "once when Stripe tells of a change"
        )
