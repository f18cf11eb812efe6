"""What an owner hears of money and data, from values."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.cards.billing import plan_card
from commands.cards.notices import issue_text, news_text
from marketplace.accounts import Billing
from marketplace.entitlements import Reason
from marketplace.notices import NoticeKind, notices_of
from marketplace.seat_increases import SeatIncrease
from storage.deadlines import Deadline
from tests.commands.test_agile_plan import DAY, LINKS, NOW, billing, bought

HOUR = timedelta(hours=1)


def kinds(found: Billing) -> list[NoticeKind]:
    return [notice.kind for notice in notices_of(found)]


def test_who_pays_as_agreed_hears_nothing() -> None:
    for found in (billing(), billing(bought(quantity=5)), billing(bought("stripe", quantity=5))):
        assert kinds(replace(found, as_of=NOW)) == []


@pytest.mark.parametrize(
    ("before", "is_told"),
    [(3 * DAY + HOUR, False), (3 * DAY, True), (HOUR, True), (-HOUR, False)],
)
def test_a_trial_is_told_of_in_its_last_three_days(before: timedelta, is_told: bool) -> None:
    found = billing(bought("stripe", "trialing", trial_ends=NOW + before), as_of=NOW)
    assert (NoticeKind.TRIAL_ENDS in kinds(found)) is is_told


def test_a_trial_says_what_is_charged_then() -> None:
    trial = bought("stripe", "trialing", trial_ends=NOW + DAY, quantity=12, unit_amount=600, currency="usd")
    assert (
        "**The trial of Pro ends on 24 Nov 2026.** From then on 12 seats cost $72.00 a month before tax, "
        "unless you [cancel](https://billing.stripe.com/p/login/x) before."
    ) in issue_text(billing(trial, as_of=NOW), LINKS, ())


def test_seats_that_wait_are_told_with_their_price() -> None:
    waiting = SeatIncrease(10, 23, NOW, 600, "usd", is_yearly=False, due_now=4160)
    found = billing(bought("stripe", quantity=10), as_of=NOW, seat_increase=waiting)
    assert (
        "**23 people need a seat, 10 are paid for.** 13 more seats cost $78.00 a month before tax, $41.60 of "
        "it now. Nothing more is charged before an admin agrees: comment `/agile seats`"
    ) in issue_text(found, LINKS, ("alice",))
    approved = replace(waiting, approved_at=NOW, approved_by="alice")
    assert kinds(replace(found, seat_increase=approved)) == []


def test_the_most_pressing_comes_first_and_each_is_a_sentence() -> None:
    late = bought("stripe", "past_due", plan="enterprise", past_due_since=NOW - DAY, reference="sub_1")
    found = billing(late, bought(quantity=3), deadline=Deadline(NOW, NOW + 30 * DAY, is_told=True), as_of=NOW)
    assert kinds(found) == [NoticeKind.DELETION, NoticeKind.PAYMENT_FAILED, NoticeKind.PAID_TWICE]
    text = issue_text(found, LINKS, ("alice", "bob"))
    assert text.startswith("@alice @bob\n\n**This account's data here will be deleted on 23 Dec 2026**")
    assert text.index("**The last payment failed.**") < text.index("pays for more than one plan")


def test_where_nothing_is_sold_only_data_is_spoken_of() -> None:
    late = bought("stripe", "past_due", past_due_since=NOW - DAY)
    deadline = Deadline(NOW, NOW + 30 * DAY, is_told=True)
    assert kinds(billing(late, is_sold=False, as_of=NOW)) == []
    assert kinds(billing(late, is_sold=False, deadline=deadline, as_of=NOW)) == [NoticeKind.DELETION]


def test_news_name_no_amount_and_no_day() -> None:
    late = bought("stripe", "past_due", past_due_since=NOW - DAY)
    for notice in notices_of(billing(late, as_of=NOW)):
        assert not any(character.isdigit() for character in news_text(notice))


@pytest.mark.parametrize(("days", "is_told"), [(1, True), (29, True), (31, False)])
def test_a_subscription_that_stripe_ended_for_want_of_payment_is_bought_again(
    days: int, is_told: bool
) -> None:
    since = NOW - (days + 20) * DAY
    ended = bought("stripe", "ended", past_due_since=since, ended_at=NOW - days * DAY, reference="sub_1")
    found = billing(ended, as_of=NOW)
    found = replace(found, standing=replace(found.standing, reason=Reason.PAYMENT_FAILED))
    assert (NoticeKind.PAYMENT_FAILED in kinds(found)) is is_told
    assert (
        "> **The last payment failed**, and its time is over. To go on, buy the plan again: `/agile plan`"
    ) in plan_card(found, LINKS, lambda _plan, _yearly: None, is_public=False)
