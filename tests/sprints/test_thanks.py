"""Whom a sprint is owed to."""

from dataclasses import replace
from typing import Any

from sprints.flows import build_flows
from sprints.model import ActivityEvent
from sprints.rules import Rules
from sprints.thanks import list_contributors
from tests.support.builders import Card, at, next_delivery
from tests.support.flow_cards import FlowCard

START, END = at("11-16"), at("11-28")


def card(number: int, author: str = "dave", **more: Any) -> FlowCard:
    made = FlowCard(number, **more)
    made._shown = replace(made._shown, author=author)
    return made.opened("11-10")


def review(number: int, reviewer: str, *, author: str = "bob", is_bot: bool = False) -> ActivityEvent:
    data = {"number": number, "reviewer": reviewer, "author": author, "is_bot": is_bot, "state": "approved"}
    return ActivityEvent("review", next_delivery(), "submitted", at("11-18"), next_delivery(), data)


def thanks(done: set[int], *cards: Card, reviews: tuple[ActivityEvent, ...] = ()) -> dict[str, Any]:
    events = {entry.id: entry.events for entry in cards}
    result = list_contributors(done, START, END, build_flows(events, END, Rules()), reviews)
    return {entry.kind.name: entry.people for entry in result}


def test_each_kind_of_contribution() -> None:
    issue = card(1).assigned("11-16", "alice").closed("11-18").by("bob")
    pull = card(2, "bob", closes=[1]).closed("11-18").by("carol")

    assert thanks({1}, issue, pull, reviews=(review(2, "carol"),)) == {
        "FINISHED": ("alice",), "CODED": ("bob",), "REVIEWED": ("carol",), "REPORTED": ("dave",)
    }  # fmt: skip


def test_people_stand_by_the_alphabet_however_much_they_did() -> None:
    cards = [card(n).assigned("11-16", login).closed("11-18") for n, login in enumerate("zZaza", start=1)]

    assert thanks({1, 2, 3, 4, 5}, *cards)["FINISHED"] == tuple(sorted({"z", "Z", "a"}, key=str.lower))


def test_bots_and_ones_own_review_are_left_out() -> None:
    issue = card(1, "renovate[bot]").closed("11-18").by("ci[bot]")
    pull = card(2, "bob", closes=[1]).closed("11-18")
    reviews = (review(2, "lint", is_bot=True), review(2, "bob"), review(9, "erin"))

    assert thanks({1}, issue, pull, reviews=reviews) == {"CODED": ("bob",)}


def test_what_was_not_done_or_not_in_time_is_not_thanked_for() -> None:
    issue = card(1).assigned("11-16", "alice")
    early = card(3, "bob", closes=[1]).closed("11-12")

    assert thanks(set(), issue, early) == {}
    assert "CODED" not in thanks({1}, issue, early)


def test_a_pull_request_that_is_an_item_itself() -> None:
    pull = card(2, "bob", is_pull_request=True).closed("11-18").by("carol")

    assert thanks({2}, pull) == {"FINISHED": ("carol",), "CODED": ("bob",)}
