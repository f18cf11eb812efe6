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
            f"Stripe's subscription {subscription}{account} could not be compared with the stored one: "
            f"{unclear.reason}. This is tried again every night, and nothing changes for it until then"
        )
    if unclear.account is None:
        to_do = "write GitHub's id of the account that pays into its metadata as `account`, or cancel it"
    else:
        to_do = (
            "correct the id, have the App installed there, or cancel and refund it; once the account is "
            "known, the next comparison applies the plan"
        )
    return f"Stripe charges for a subscription of no account here, {subscription}: {unclear.reason}; {to_do}"


def describe_subscription_problems(
    account: Account, subscriptions: Sequence[Subscription], problems: Sequence[SubscriptionProblem]
) -> Iterator[str]:
    """Describe what is unclear about an account's subscriptions, and the effect until that is corrected."""
    stored = {subscription.reference for subscription in subscriptions}
    for problem in problems:
        if problem.subscription_id in stored:
            effect = "The rest of it applies, and what is unclear stays as it was"
        else:
            effect = f"{account.name} is charged for it and gets nothing, so act on it"
        yield (
            f"Stripe's subscription of {account.name} has been unclear since "
            f"{problem.noted_at:%Y-%m-%d}: {problem.problem}. {effect}; it is read again every night, and as "
            "soon as Stripe reports a change"
        )
