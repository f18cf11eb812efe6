"""Entitlements computed from values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.entitlements import (
    LONGEST_COURTESY,
    AccountPlan,
    Allowed,
    Denied,
    EntitlementQuestion,
    PlanChangeLinks,
    Reason,
    SprintSpan,
    decide,
    resolve_account_plan,
)
from marketplace.plans import PLANS, Feature, PlanName
from storage.subscriptions import MARKETPLACE, STRIPE, PreviousPlan, Subscription

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GRACE = 14 * DAY
LINKS = PlanChangeLinks(
    {PlanName.PRO: "https://github.com/marketplace/agile/upgrade/3/7"}, "https://billing.stripe.com/p/login/x"
)
PRIVATE = EntitlementQuestion(Feature.FORECASTS, "bob", "acme", is_public=False, asked_at=NOW)


def bought(source: str = MARKETPLACE, status: str = "active", plan: str = "pro", **more: Any) -> Subscription:
    return Subscription(source, status, plan, NOW, **more)


def ask(
    *subscriptions: Subscription, question: EntitlementQuestion = PRIVATE, now: datetime = NOW, **more: Any
) -> Allowed | Denied:
    standing = resolve_account_plan(subscriptions, now, GRACE)
    return decide(replace(question, asked_at=now), standing, links=LINKS, **more)


def why(decision: Allowed | Denied) -> Reason | None:
    return decision.reason if isinstance(decision, Denied) else None


@pytest.mark.parametrize(
    ("subscription", "reason"),
    [
        (bought(), None),
        (bought(plan="enterprise"), None),
        (bought(plan="free"), Reason.NOT_IN_PLAN),
        (bought(status="trialing", trial_ends=NOW + DAY), None),
        (bought(status="trialing", trial_ends=NOW - DAY / 2), None),
        (bought(status="trialing", trial_ends=NOW - 2 * DAY), Reason.TRIAL_OVER),
        (bought(status="trialing"), None),
        (bought(STRIPE, "past_due", past_due_since=NOW - 13 * DAY), None),
        (bought(STRIPE, "past_due", past_due_since=NOW - 14 * DAY), Reason.PAYMENT_FAILED),
        (bought(STRIPE, "unpaid"), Reason.PAYMENT_FAILED),
        (bought(STRIPE, "paused"), Reason.SUSPENDED),
        (bought(STRIPE, "incomplete"), Reason.NOT_IN_PLAN),
        (bought(status="ended", ended_at=NOW), Reason.NOT_IN_PLAN),
        (bought(status="ended", ended_at=NOW, trial_ends=NOW), Reason.TRIAL_OVER),
        (bought(status="ended", ended_at=NOW, trial_ends=NOW - 90 * DAY), Reason.NOT_IN_PLAN),
    ],
)
def test_what_a_subscription_gives(subscription: Subscription, reason: Reason | None) -> None:
    assert why(ask(subscription)) == reason


def test_without_any_subscription_nothing_that_is_paid_for() -> None:
    decision = ask()
    assert isinstance(decision, Denied)
    assert decision.text == (
        "This needs the Pro plan, and acme is on Free. Sprints, estimates, burndowns, and reports keep working. "
        "[An owner can change the plan here](https://github.com/marketplace/agile/upgrade/3/7)."
    )


def test_a_failed_payment_leads_to_where_the_card_is_changed() -> None:
    decision = ask(bought(STRIPE, "unpaid"))
    assert isinstance(decision, Denied)
    assert "the last payment of acme failed. " in decision.text
    assert decision.link == "https://billing.stripe.com/p/login/x"


def test_without_links_the_command_is_named() -> None:
    decision = decide(PRIVATE, AccountPlan())
    assert isinstance(decision, Denied)
    assert decision.text.endswith("An owner can see and change the plan with `/agile plan`.")


def test_in_a_public_repository_everything_of_pro_is_free() -> None:
    public = replace(PRIVATE, is_public=True)
    assert why(ask(question=public)) is None
    assert why(ask(bought(STRIPE, "unpaid"), question=public)) is None
    assert why(ask(bought(quantity=1), question=public, people=["alice", "bob"])) is None
    assert why(ask(question=replace(public, feature=Feature.AUDIT))) is Reason.NOT_IN_PLAN


# Seats


@pytest.mark.parametrize(
    ("login", "reason"),
    [("alice", None), ("Bob", None), ("carol", Reason.SEATS_EXCEEDED), ("somebody-who-reads", None)],
)
def test_only_those_above_the_seats_are_affected(login: str, reason: Reason | None) -> None:
    decision = ask(
        bought(quantity=2), question=replace(PRIVATE, login=login), people=["alice", "bob", "carol"]
    )
    assert why(decision) == reason
    if isinstance(decision, Denied):
        assert "acme has 2 seats for 3 people on planned work" in decision.text


@pytest.mark.parametrize(
    "subscription", [bought(quantity=None), bought(STRIPE, quantity=1), bought(STRIPE, quantity=0)]
)
def test_a_flat_plan_and_stripe_s_seats_stop_nobody(subscription: Subscription) -> None:
    assert why(ask(subscription, people=["alice", "bob", "carol"])) is None


# In the middle of a sprint

SPRINT = SprintSpan(NOW - 7 * DAY, NOW + 7 * DAY)


@pytest.mark.parametrize(
    ("sprint", "is_kept"),
    [
        (SPRINT, True),
        (SprintSpan(NOW - 14 * DAY, NOW), False),
        (SprintSpan(NOW, NOW + 14 * DAY), False),
        (None, False),
    ],
)
def test_what_is_lost_in_a_sprint_stays_until_its_end(sprint: SprintSpan | None, is_kept: bool) -> None:
    gone = bought(status="ended", ended_at=NOW - DAY, previous_plan=PreviousPlan("pro", None, NOW - DAY))
    decision = ask(gone, sprints=[sprint] if sprint else [])
    assert isinstance(decision, Allowed) is is_kept


def test_a_sprint_of_a_year_is_not_kept_for() -> None:
    gone = bought(status="ended", previous_plan=PreviousPlan("pro", None, NOW - LONGEST_COURTESY))
    assert why(ask(gone, sprints=[SprintSpan(NOW - 90 * DAY, NOW + 300 * DAY)])) is Reason.NOT_IN_PLAN


def test_the_end_of_grace_and_of_a_trial_wait_for_the_sprint_too() -> None:
    late = bought(STRIPE, "past_due", past_due_since=NOW - 15 * DAY)
    trial = bought(status="trialing", trial_ends=NOW - 3 * DAY)
    for subscription in (late, trial):
        assert why(ask(subscription)) is not None
        assert why(ask(subscription, sprints=[SPRINT])) is None
        assert why(ask(subscription, sprints=[SPRINT], now=SPRINT.end)) is not None


def test_seats_that_were_given_up_stay_until_the_sprint_ends() -> None:
    fewer = bought(quantity=1, previous_plan=PreviousPlan("pro", 2, NOW - DAY))
    assert why(ask(fewer, people=["alice", "bob"])) is Reason.SEATS_EXCEEDED
    assert why(ask(fewer, people=["alice", "bob"], sprints=[SPRINT])) is None
    assert why(ask(fewer, people=["alice", "carol", "bob"], sprints=[SPRINT])) is Reason.SEATS_EXCEEDED


# Both sources at once


def test_the_higher_plan_counts_then_the_seats_then_the_marketplace() -> None:
    pro, enterprise = bought(quantity=5), bought(STRIPE, plan="enterprise", quantity=1, reference="sub_1")
    both = resolve_account_plan([pro, enterprise], NOW, GRACE)
    assert (both.name, both.source, both.is_paid_twice) == ("enterprise", "stripe", True)
    equal = resolve_account_plan([pro, replace(enterprise, plan="pro")], NOW, GRACE)
    assert (equal.name, equal.source) == ("pro", "stripe")
    flat = resolve_account_plan([replace(pro, quantity=None), replace(enterprise, plan="pro")], NOW, GRACE)
    assert (flat.source, flat.is_paid_twice) == ("marketplace", True)


def test_who_pays_twice_is_never_cut_off_by_the_one_that_fails() -> None:
    standing = resolve_account_plan([bought(), bought(STRIPE, "unpaid", reference="sub_1")], NOW, GRACE)
    assert (standing.name, standing.source, standing.is_paid_twice) == ("pro", "marketplace", False)


def test_the_free_plan_of_the_marketplace_is_not_paid_twice() -> None:
    assert not resolve_account_plan(
        [bought(plan="free"), bought(STRIPE, reference="sub_1")], NOW, GRACE
    ).is_paid_twice


_SUBSCRIPTIONS = st.builds(
    Subscription,
    source=st.sampled_from([MARKETPLACE, STRIPE]),
    status=st.sampled_from(["active", "trialing", "past_due", "unpaid", "paused", "incomplete", "ended"]),
    plan=st.sampled_from(["free", "pro", "enterprise"]),
    read_at=st.just(NOW),
    reference=st.sampled_from(["", "sub_1", "sub_2"]),
    quantity=st.none() | st.integers(0, 5),
    trial_ends=st.none() | st.integers(-40, 40).map(lambda days: NOW + days * DAY),
    past_due_since=st.none() | st.integers(-40, 0).map(lambda days: NOW + days * DAY),
    ended_at=st.none() | st.integers(-40, 0).map(lambda days: NOW + days * DAY),
    previous_plan=st.none()
    | st.builds(
        PreviousPlan,
        st.sampled_from(["pro", "enterprise"]),
        st.none() | st.integers(1, 5),
        st.just(NOW - DAY),
    ),
)


@given(
    st.permutations(range(3)).flatmap(
        lambda order: st.tuples(st.lists(_SUBSCRIPTIONS, min_size=3, max_size=3), st.just(order))
    )
)
def test_the_order_of_subscriptions_does_not_matter(case: tuple[list[Subscription], list[int]]) -> None:
    given_, order = case
    entry, other = (
        resolve_account_plan(given_, NOW, GRACE),
        resolve_account_plan([given_[n] for n in order], NOW, GRACE),
    )
    assert (entry.name, entry.is_paid_twice, entry.reason) == (other.name, other.is_paid_twice, other.reason)


@given(st.lists(_SUBSCRIPTIONS, max_size=4), _SUBSCRIPTIONS)
def test_one_more_subscription_never_takes_anything_away(
    have: list[Subscription], more: Subscription
) -> None:
    for feature in Feature:
        question = replace(PRIVATE, feature=feature, login="nobody-on-planned-work")
        if isinstance(ask(*have, question=question), Allowed):
            assert isinstance(ask(*have, more, question=question), Allowed)


@given(
    st.lists(_SUBSCRIPTIONS, max_size=3),
    st.lists(st.sampled_from("abcde"), unique=True),
    st.sampled_from("abcdef"),
)
def test_a_denial_is_always_told_with_what_still_works(
    have: list[Subscription], people: list[str], login: str
) -> None:
    decision = ask(*have, question=replace(PRIVATE, login=login), people=people)
    if isinstance(decision, Denied):
        assert "keep working" in decision.text
        assert "$" not in decision.text
    else:
        assert any(PLANS[PlanName(subscription.plan)].is_paid for subscription in have)
