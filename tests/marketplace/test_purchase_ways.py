"""Ways of payment that are offered to an account never make it pay twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.entitlements import (
    AccountPlan,
    Denied,
    EntitlementQuestion,
    PlanChangeLinks,
    Reason,
    decide,
    resolve_account_plan,
)
from marketplace.plans import Feature, PlanName
from marketplace.purchase_ways import PurchaseWays, purchase_ways
from storage.subscriptions import MARKETPLACE, STRIPE, PendingChange, Subscription

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GRACE = 14 * DAY
UPGRADE = "https://github.com/marketplace/agile/upgrade"
PORTAL = "https://billing.stripe.com/p/login/x"
LINKS = PlanChangeLinks({PlanName.PRO: f"{UPGRADE}/3/7", PlanName.ENTERPRISE: f"{UPGRADE}/4/7"}, PORTAL)
COLLECTING = ("trialing", "active", "past_due", "unpaid", "paused")
CANCELLED = PendingChange(None, None, NOW + DAY)
TO_FREE = PendingChange("free", None, NOW + DAY)
CHEAPER = PendingChange("pro", None, NOW + DAY)
FEWER = PendingChange("enterprise", 2, NOW + DAY)


def bought(source: str = MARKETPLACE, status: str = "active", plan: str = "pro", **more: Any) -> Subscription:
    return Subscription(source, status, plan, NOW, **more)


def refusal(
    *subscriptions: Subscription, feature: Feature = Feature.AUDIT, links: PlanChangeLinks = LINKS
) -> Denied:
    question = EntitlementQuestion(feature, "bob", "acme", is_public=False, asked_at=NOW)
    decision = decide(question, resolve_account_plan(subscriptions, NOW, GRACE), links=links)
    assert isinstance(decision, Denied)
    return decision


def test_who_has_nothing_may_buy_in_both_places() -> None:
    assert purchase_ways([]) == PurchaseWays(marketplace=True, checkout=True, portal=False)


@pytest.mark.parametrize("status", COLLECTING)
@pytest.mark.parametrize("pending", [None, CANCELLED])
def test_a_card_subscription_is_changed_in_the_portal_alone(
    status: str, pending: PendingChange | None
) -> None:
    card = bought(STRIPE, status, pending=pending, reference="sub_1")
    ways = purchase_ways([bought(status="ended"), bought(plan="free"), card])
    assert ways == PurchaseWays(marketplace=False, checkout=False, portal=True, blocking=card)


@pytest.mark.parametrize("status", ["incomplete", "ended"])
def test_a_card_subscription_that_never_began_or_has_ended_is_in_nobody_s_way(status: str) -> None:
    assert purchase_ways([bought(STRIPE, status, reference="sub_1")]) == PurchaseWays()


@pytest.mark.parametrize(
    ("pending", "may_buy_by_card"),
    [(None, False), (CANCELLED, True), (TO_FREE, True), (CHEAPER, False), (FEWER, False)],
)
@pytest.mark.parametrize("status", ["active", "trialing"])
def test_on_the_marketplace_only_what_ends_opens_a_card_checkout(
    status: str, pending: PendingChange | None, may_buy_by_card: bool
) -> None:
    paid = bought(status=status, plan="enterprise", pending=pending)
    ways = purchase_ways([paid])
    assert ways.marketplace
    assert ways.checkout is may_buy_by_card
    assert ways.blocking == (None if may_buy_by_card else paid)


def test_the_free_plan_of_the_marketplace_is_in_nobody_s_way() -> None:
    assert purchase_ways([bought(plan="free")]) == PurchaseWays()
    assert purchase_ways([bought(plan="free", pending=PendingChange("pro", 2, NOW))]).checkout


def test_a_trial_whose_end_we_have_not_heard_of_still_counts() -> None:
    ways = purchase_ways([bought(status="trialing", trial_ends=NOW - 9 * DAY)])
    assert (ways.checkout, ways.marketplace) == (False, True)


_ANY = st.builds(
    bought,
    st.sampled_from([MARKETPLACE, STRIPE]),
    st.sampled_from([*COLLECTING, "incomplete", "ended"]),
    st.sampled_from(list(PlanName)),
    pending=st.sampled_from([None, CANCELLED, TO_FREE, CHEAPER]),
    reference=st.sampled_from(["", "sub_1", "sub_2"]),
)


@given(st.lists(_ANY, max_size=4))
def test_no_way_leads_to_paying_twice(subscriptions: list[Subscription]) -> None:
    ways = purchase_ways(subscriptions)
    cards = [
        subscription
        for subscription in subscriptions
        if subscription.source == STRIPE and subscription.status in COLLECTING
    ]
    github = [
        subscription
        for subscription in subscriptions
        if subscription.source == MARKETPLACE
        and subscription.status in COLLECTING
        and subscription.plan != PlanName.FREE
    ]
    assert ways.portal is bool(cards)
    assert not (ways.checkout and cards)
    assert not (ways.marketplace and cards and not github)
    assert ways.checkout is (ways.blocking is None)
    assert ways.marketplace or ways.portal
    assert purchase_ways(reversed(subscriptions)).checkout is ways.checkout


# The refusal


@pytest.mark.parametrize("status", ["active", "trialing", "past_due"])
def test_a_refusal_leads_who_pays_by_card_to_the_portal(status: str) -> None:
    denied = refusal(bought(STRIPE, status, reference="sub_1", past_due_since=NOW))
    assert (denied.what_to_do, denied.link) == ("An owner can change the plan here", PORTAL)


@pytest.mark.parametrize("status", COLLECTING)
def test_without_a_portal_link_who_pays_by_card_is_not_led_to_github(status: str) -> None:
    card = bought(STRIPE, status, reference="sub_1", past_due_since=NOW)
    denied = refusal(card, links=PlanChangeLinks(LINKS.upgrade))
    assert denied.link is None
    assert "`/agile plan`" in denied.text


def test_a_refusal_leads_who_pays_on_the_marketplace_to_github() -> None:
    assert refusal(bought()).link == f"{UPGRADE}/4/7"
    assert refusal(feature=Feature.FORECASTS).link == f"{UPGRADE}/3/7"


def test_a_refusal_leads_who_pays_in_both_places_to_the_command() -> None:
    denied = refusal(bought(), bought(STRIPE, reference="sub_1"))
    assert (denied.link, "`/agile plan`" in denied.text) == (None, True)


def test_what_ended_over_a_failed_payment_is_bought_again() -> None:
    question = EntitlementQuestion(Feature.FORECASTS, "bob", "acme", is_public=False, asked_at=NOW)
    for ways, link in ((PurchaseWays(), f"{UPGRADE}/3/7"), (PurchaseWays(False, False, True), PORTAL)):
        decision = decide(question, AccountPlan(reason=Reason.PAYMENT_FAILED, ways=ways), links=LINKS)
        assert isinstance(decision, Denied)
        assert decision.link == link


def test_seats_of_who_pays_in_both_places_are_not_added_blindly() -> None:
    question = EntitlementQuestion(Feature.FORECASTS, "carol", "acme", is_public=False, asked_at=NOW)
    twice = [bought(plan="enterprise", quantity=1), bought(STRIPE, reference="sub_1")]
    for subscriptions, link in ((twice, None), (twice[:1], f"{UPGRADE}/4/7")):
        standing = resolve_account_plan(subscriptions, NOW, GRACE)
        decision = decide(question, standing, people=["alice", "carol"], links=LINKS)
        assert isinstance(decision, Denied)
        assert decision.link == link
