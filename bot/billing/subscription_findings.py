"""What `doctor` says of Stripe subscriptions that are not understood, or that belong to no account here."""

from collections.abc import Iterator, Sequence

from storage.stripe_comparison import UnclearSubscription
from storage.subscriptions import Account, Subscription, SubscriptionProblem


def about_unclear(unclear: UnclearSubscription) -> str:
    """What the nightly comparison could not assign to an account, with what to do."""
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


def about_problems(
    account: Account, subscriptions: Sequence[Subscription], problems: Sequence[SubscriptionProblem]
) -> Iterator[str]:
    """What of an account's subscriptions is not understood, and what that means until it is mended."""
    kept = {subscription.reference for subscription in subscriptions}
    for problem in problems:
        if problem.subscription_id in kept:
            effect = "All else of it applies, and what is not understood stays as it was"
        else:
            effect = f"{account.name} is charged for it and gets nothing, so do not leave it"
        yield (
            f"Stripe's subscription of {account.name} is not understood, as of "
            f"{problem.noted_at:%Y-%m-%d}: {problem.problem}. {effect}; it is read again each night, and at "
            "once when Stripe tells of a change"
        )
