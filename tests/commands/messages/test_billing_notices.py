"""Notices on money and data for owners."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands.messages.billing import plan_card
from commands.messages.billing_notices import issue_text, news_text
from marketplace.accounts import Billing
from marketplace.entitlements import PlanChangeLinks, Reason
from marketplace.notices import NoticeKind, collect_notices
from marketplace.plans import PlanName
from marketplace.seat_increases import SeatIncrease
from storage.deadlines import Deadline
from storage.subscriptions import PendingChange
from tests.support.billing_messages import DAY, LINKS, NOW, make_billing, make_subscription

HOUR = timedelta(hours=1)


def kinds(billing: Billing) -> list[NoticeKind]:
    return [notice.kind for notice in collect_notices(billing)]


def test_who_pays_as_agreed_hears_nothing() -> None:
    for result in (
        make_billing(),
        make_billing(make_subscription(quantity=5)),
        make_billing(make_subscription("stripe", quantity=5)),
    ):
        assert kinds(replace(result, as_of=NOW)) == []


@pytest.mark.parametrize(
    ("before", "is_told"),
    [(3 * DAY + HOUR, False), (3 * DAY, True), (HOUR, True), (-HOUR, False)],
)
def test_a_trial_is_announced_in_its_last_three_days(before: timedelta, is_told: bool) -> None:
    billing = make_billing(make_subscription("stripe", "trialing", trial_ends=NOW + before), as_of=NOW)
    assert (NoticeKind.TRIAL_ENDS in kinds(billing)) is is_told


def test_a_trial_says_what_is_charged_then() -> None:
    trial = make_subscription(
        "stripe", "trialing", trial_ends=NOW + DAY, quantity=12, unit_amount=600, currency="usd"
    )
    assert (
        "**Your Pro trial ends on 24 Nov 2026.** After that, 12 seats cost $72.00 a month before discounts and tax, unless you [cancel](https://billing.stripe.com/p/login/x) before then."
    ) in issue_text(make_billing(trial, as_of=NOW), LINKS, ())


def test_seats_that_wait_are_reported_with_their_price() -> None:
    waiting = SeatIncrease(10, 23, NOW, 600, "usd", is_yearly=False, due_now=4160)
    billing = make_billing(make_subscription("stripe", quantity=10), as_of=NOW, seat_increase=waiting)
    assert (
        "**23 people need a seat, but only 10 seats are paid for.** 13 more seats cost $78.00 a month "
        "before discounts and tax, $41.60 of "
        "it now. You pay nothing more until an admin approves it: to review and approve, comment `/agile seats`"
    ) in issue_text(billing, LINKS, ("alice",))
    approved = replace(waiting, approved_at=NOW, approved_by="alice")
    assert kinds(replace(billing, seat_increase=approved)) == []


def test_the_most_pressing_comes_first_and_each_is_a_sentence() -> None:
    late = make_subscription(
        "stripe", "past_due", plan="enterprise", past_due_since=NOW - DAY, reference="sub_1"
    )
    billing = make_billing(
        late,
        make_subscription(quantity=3),
        deadline=Deadline(NOW, NOW + 30 * DAY, is_announced=True),
        as_of=NOW,
    )
    assert kinds(billing) == [NoticeKind.DELETION, NoticeKind.PAYMENT_FAILED, NoticeKind.PAID_TWICE]
    text = issue_text(billing, LINKS, ("alice", "bob"))
    assert text.startswith("@alice @bob\n\n**This account's data here will be deleted on 23 Dec 2026**")
    assert text.index("**The last payment failed.**") < text.index("pays for more than one plan")


def test_where_nothing_is_sold_only_data_is_spoken_of() -> None:
    late = make_subscription("stripe", "past_due", past_due_since=NOW - DAY)
    deadline = Deadline(NOW, NOW + 30 * DAY, is_announced=True)
    assert kinds(make_billing(late, is_sold=False, as_of=NOW)) == []
    assert kinds(make_billing(late, is_sold=False, deadline=deadline, as_of=NOW)) == [NoticeKind.DELETION]


def test_news_name_no_amount_and_no_day() -> None:
    late = make_subscription("stripe", "past_due", past_due_since=NOW - DAY)
    for notice in collect_notices(make_billing(late, as_of=NOW)):
        assert not any(character.isdigit() for character in news_text(notice))


@pytest.mark.parametrize(("days", "is_told"), [(1, True), (29, True), (31, False)])
def test_a_subscription_that_stripe_ended_for_want_of_payment_is_bought_again(
    days: int, is_told: bool
) -> None:
    since = NOW - (days + 20) * DAY
    ended = make_subscription(
        "stripe", "ended", past_due_since=since, ended_at=NOW - days * DAY, reference="sub_1"
    )
    billing = make_billing(ended, as_of=NOW)
    billing = replace(billing, plan=replace(billing.plan, reason=Reason.PAYMENT_FAILED))
    assert (NoticeKind.PAYMENT_FAILED in kinds(billing)) is is_told
    assert (
        "> **The last payment failed**, and its grace period is over. To continue, buy the plan again with the links below"
    ) in plan_card(billing, LINKS, lambda _plan, _yearly: None, is_public=False)
    if is_told:
        assert "buy the plan again with the links that `/agile plan` shows." in issue_text(billing, LINKS, ())


PAID: dict[str, Any] = {"quantity": 5, "unit_amount": 600, "currency": "usd"}
FREE = PlanChangeLinks({PlanName.FREE: "https://github.com/marketplace/agile/upgrade/1/7"})


def test_a_marketplace_trial_names_its_price_and_what_cancelling_deletes() -> None:
    billing = make_billing(
        make_subscription(status="trialing", trial_ends=NOW + 2 * DAY, quantity=5), as_of=NOW
    )
    assert (
        "After that, 5 seats cost $30.00 a month before discounts and tax (list price), unless you [choose Free]"
        "(https://github.com/marketplace/agile/upgrade/1/7) before then. Don't cancel instead: that ends the "
        "trial immediately, and this account's data here is deleted 30 days later."
    ) in issue_text(billing, FREE, ["alice"])


def test_a_marketplace_trial_beside_a_card_threatens_no_deletion() -> None:
    trial = make_subscription(plan="enterprise", status="trialing", trial_ends=NOW + 2 * DAY, quantity=5)
    billing = make_billing(trial, make_subscription("stripe", reference="sub_1", **PAID), as_of=NOW)
    assert "data here is deleted" not in issue_text(billing, FREE, ["alice"])


@pytest.mark.parametrize(
    ("status", "to_do"),
    [
        ("past_due", "Please [change the card](https://billing.stripe.com/p/login/x)"),
        (
            "unpaid",
            "Please pay the open invoice in the [billing portal](https://billing.stripe.com/p/login/x)",
        ),
        (
            "paused",
            "Please pay the open invoice in the [billing portal](https://billing.stripe.com/p/login/x)",
        ),
        ("ended", "Please buy the plan again"),
    ],
)
def test_what_brings_a_failed_payment_about_depends_on_whether_stripe_tries_again(
    status: str, to_do: str
) -> None:
    failed = make_subscription("stripe", status, past_due_since=NOW - 8 * DAY, **PAID)
    assert to_do in issue_text(make_billing(failed, as_of=NOW), LINKS, [])


@pytest.mark.parametrize(("seats", "is_urged"), [(9, False), (3, False), (2, True)])
def test_who_has_the_same_plan_elsewhere_is_not_urged_to_pay_a_second_one(
    seats: int | None, is_urged: bool
) -> None:
    failed = make_subscription("stripe", "past_due", past_due_since=NOW - DAY, reference="sub_1", **PAID)
    billing = make_billing(failed, make_subscription(quantity=seats), people=3, as_of=NOW)
    text = issue_text(billing, LINKS, [])
    assert ("Please [change the card]" in text) is is_urged
    assert ("You keep Pro, which is also paid on GitHub Marketplace" in text) is not is_urged
    assert ("your other plan still applies" in text) is not is_urged
    assert kinds(billing) == [NoticeKind.PAYMENT_FAILED, NoticeKind.PAID_TWICE]


def test_who_has_a_plan_for_anybody_elsewhere_hears_only_that_both_are_paid_for() -> None:
    failed = make_subscription("stripe", "past_due", past_due_since=NOW - DAY, reference="sub_1", **PAID)
    billing = make_billing(failed, make_subscription(), as_of=NOW)
    assert kinds(billing) == [NoticeKind.PAID_TWICE]
    assert "applies: Pro, paid on GitHub Marketplace. You can cancel the other one" in issue_text(
        billing, LINKS, []
    )


def test_a_lesser_plan_elsewhere_and_one_that_ends_do_not_replace_the_payment() -> None:
    failed = make_subscription(
        "stripe", "past_due", "enterprise", past_due_since=NOW - DAY, reference="sub_1", **PAID
    )
    ending = make_subscription(plan="enterprise", pending=PendingChange(None, None, NOW + 9 * DAY))
    for other in (make_subscription(), ending):
        assert "Please [change the card]" in issue_text(make_billing(failed, other, as_of=NOW), LINKS, [])


def test_a_plan_that_was_cancelled_already_is_not_called_paid_twice() -> None:
    card = make_subscription("stripe", reference="sub_1", **PAID)
    for pending in (PendingChange(None, None, NOW + 9 * DAY), PendingChange("free", None, NOW + 9 * DAY)):
        assert kinds(make_billing(card, make_subscription(pending=pending), as_of=NOW)) == []
    fewer = PendingChange("pro", 2, NOW + 9 * DAY)
    assert kinds(make_billing(card, make_subscription(pending=fewer), as_of=NOW)) == [NoticeKind.PAID_TWICE]


@pytest.mark.parametrize(
    ("is_yearly", "due_now", "expected"),
    [
        (
            False,
            0,
            (
                "cost $42.00 a month "
                "before discounts and tax. The amount for the rest of this period goes on your next invoice."
            ),
        ),
        (
            False,
            None,
            (
                "cost $42.00 a month "
                "before discounts and tax. The amount for the rest of this period goes on your next invoice."
            ),
        ),
        (True, 4160, "$41.60 of it now."),
        (True, 4160, "with tax and less your account balance."),
    ],
)
def test_seats_on_the_next_invoice_are_not_said_to_cost_nothing_now(
    is_yearly: bool, due_now: int | None, expected: str
) -> None:
    increase = SeatIncrease(5, 12, NOW, 600, "usd", is_yearly=is_yearly, due_now=due_now, reference="sub_1")
    period: dict[str, Any] = {"period_start": NOW - 14 * DAY, "period_end": NOW + 16 * DAY}
    subscription = make_subscription("stripe", reference="sub_1", is_yearly=is_yearly, **PAID, **period)
    text = issue_text(make_billing(subscription, seat_increase=increase, as_of=NOW), LINKS, [])
    assert expected in text
    assert "$0.00" not in text
