"""Marketplace and Stripe together, with reinstallations: events in any order lead to the same state."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_sync import StripeSync
from bot.services import Services
from bot.settings.billing import BillingSettings
from marketplace.stripe_subscriptions import SubscriptionHint
from tests.support.clock import Clock
from tests.support.orders import event_orders
from tests.support.stripe.selling import stripe_settings
from tests.support.stripe.server import StandInStripe
from tests.support.stripe.world import DAY, NOW, World, merged
from tests.support.stripe.world import SETTINGS as LISTING

Hear = Callable[[], Awaitable[None]]


class TwoSources:
    """One customer who may buy on the Marketplace and by card."""

    def __init__(self, base: Services, stripe: StandInStripe) -> None:
        self.world = World(base)
        self.stripe = stripe
        self.client = RealStripe(stripe_settings(stripe))
        sold = BillingSettings(is_on=True, marketplace=LISTING.marketplace, stripe=stripe_settings(stripe))
        self.sync = StripeSync(base.database, self.client, sold, base.clock)
        self.card: dict[str, Any] = {}

    def act(self, name: str, at: datetime) -> Hear:
        """Does it, and returns how we hear of it."""
        world, market = self.world, self.world.marketplace
        match name:
            case "buys":
                subscription = market.purchase(world.account, world.login, units=5, at=at)
            case "cancels":
                subscription = market.cancel(world.account, at)
            case _:
                return self._by_card(name, at)
        return lambda: world.hear_for_good(subscription)

    def _by_card(self, name: str, at: datetime) -> Hear:
        if name == "pays by card":
            self.card = self.stripe.subscribe(self.world.account, quantity=3)
            kind = "created"
        elif name == "card fails":
            self.card["status"], kind = "past_due", "updated"
        elif name == "card recovers":
            self.card["status"], kind = "active", "updated"
        else:
            self.card.update({"status": "canceled", "ended_at": int(at.timestamp())})
            kind = "deleted"
        event = self.stripe.event(f"customer.subscription.{kind}", self.card)
        about = SubscriptionHint(event["id"], event["type"], self.card["customer"], self.card["id"])
        return lambda: self.sync.follow(about)

    async def shown(self) -> tuple[str, str | None, bool, bool]:
        result = await self.world.shown()
        assert result
        return result.plan, result.source, result.is_paid_twice, result.due is not None


# (acts; plan, source, is it paid twice, is deletion due)
SEQUENCES: dict[str, tuple[list[str], tuple[str, str | None, bool, bool]]] = {
    "marketplace to card": (["buys", "pays by card", "cancels"], ("pro", "stripe", False, False)),
    "cancels, then by card": (["buys", "cancels", "pays by card"], ("pro", "stripe", False, False)),
    "card to marketplace": (["pays by card", "buys", "card ends"], ("pro", "marketplace", False, False)),
    "paid twice": (["buys", "pays by card"], ("pro", "stripe", True, False)),
    "both end, the card last": (
        ["buys", "pays by card", "cancels", "card ends"],
        ("free", None, False, False),
    ),
    "both end, the card first": (
        ["buys", "pays by card", "card ends", "cancels"],
        ("free", None, False, True),
    ),
    "card fails beside the marketplace": (
        ["buys", "pays by card", "card fails", "cancels", "card recovers"],
        ("pro", "stripe", False, False),
    ),
    "there and back": (
        ["buys", "pays by card", "cancels", "buys", "card ends"],
        ("pro", "marketplace", False, False),
    ),
}


@pytest.mark.parametrize("status", ["paused", "unpaid", "canceled"])
async def test_a_card_that_goes_wrong_long_after_a_move_deletes_nothing(
    base: Services, stripe_server: StandInStripe, clock: Clock, status: str
) -> None:
    market = TwoSources(base, stripe_server)
    await market.world.install()
    for number, act in enumerate(("buys", "pays by card", "cancels")):
        clock.now = NOW + number * DAY
        await market.act(act, clock.now)()
    clock.now = NOW + 200 * DAY
    hear = market.act("card ends", clock.now)
    market.card["status"] = status
    await hear()
    await market.client.close()
    assert await market.shown() == ("free", None, False, False)


@pytest.mark.parametrize("name", SEQUENCES)
async def test_when_all_is_heard_late_no_order_matters(
    name: str, base: Services, stripe_server: StandInStripe, clock: Clock
) -> None:
    """All acts first; then their events in each order that there is, each of them twice."""
    acts, wanted = SEQUENCES[name]
    for order in event_orders(len(acts)):
        market = TwoSources(base, stripe_server)
        await market.world.install()
        heard = []
        for number, act in enumerate(acts):
            clock.now = NOW + number * DAY
            heard.append(market.act(act, clock.now))
        clock.now = NOW + 20 * DAY
        for number in (*order, *order):
            await heard[number]()
        await market.client.close()
        assert await market.shown() == wanted, order


_MOST = max(len(acts) for acts, _ in SEQUENCES.values())


@pytest.mark.parametrize("name", SEQUENCES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lateness=st.lists(st.sampled_from([0, 1, 2, 30]), min_size=_MOST, max_size=_MOST),
    repeated=st.sets(st.integers(0, _MOST - 1)),
    ties=st.permutations(range(_MOST)),
)
# Found gone after the card's end, because the purchase was told once more; and then told with its day.
@example(lateness=[0, 2, 1, 0, 0], repeated={0}, ties=[0, 3, 2, 1, 4])
# Given up before the purchase was heard of, while a card seemed to pay that had ended.
@example(lateness=[30, 0, 2, 0, 0], repeated=set(), ties=[0, 1, 2, 3, 4])
# Found gone on the day of the card's end, while the card seemed to pay; then told with its day.
@example(lateness=[30, 0, 30, 30, 0], repeated={0}, ties=[0, 1, 2, 3, 4])
async def test_while_it_happens_no_order_matters(
    name: str,
    base: Services,
    stripe_server: StandInStripe,
    clock: Clock,
    lateness: list[int],
    repeated: set[int],
    ties: list[int],
) -> None:
    """Events come between the acts, late or twice, and GitHub and Stripe tell what holds just then."""
    acts, wanted = SEQUENCES[name]
    market, heard, count = TwoSources(base, stripe_server), dict[int, Hear](), len(acts)
    await market.world.install()
    late = [lateness[number] + ties[number] / (2 * _MOST + 2) for number in range(count)]
    for kind, number in merged(late, {entry for entry in repeated if entry < count}, count):
        if kind == "act":
            clock.now = NOW + number * DAY
            heard[number] = market.act(acts[number], clock.now)
        else:
            await heard[number]()
    await market.client.close()
    assert await market.shown() == wanted
