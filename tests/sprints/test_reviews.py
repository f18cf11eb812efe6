"""Pull requests that wait for a review: the row of docs/metrics.md, case by case."""

import pytest

from sprints.flows import build_flows
from sprints.model import ActivityEvent
from sprints.reviews import list_review_waits
from sprints.rules import Rules
from tests.support.builders import When, at, next_delivery
from tests.support.flow_cards import FlowCard


def pull(number: int = 1, opened: When = "11-10", author: str = "alice") -> FlowCard:
    return FlowCard(number).proposed(opened, author=author)


def review(
    when: When, *, by: str | None = "bob", of: FlowCard, author: str = "alice", **more: object
) -> ActivityEvent:
    details = {"pull_request": of.id, "reviewer": by, "author": author, "is_bot": False, "state": "commented"}
    event = str(more.pop("event", "submitted"))
    return ActivityEvent("review", next_delivery(), event, at(when), next_delivery(), details | more)


def waits(*cards: FlowCard, reviews: tuple[ActivityEvent, ...] = (), as_of: str = "11-30") -> list[str]:
    events = {card.id: card.events for card in cards}
    flows = build_flows(events, at(as_of), Rules())
    result = list_review_waits(flows, reviews, at(as_of))
    return [f"#{wait.flow.number} since {wait.since:%m-%d}" for wait in result]


def test_it_waits_from_its_opening_until_the_first_review() -> None:
    card = pull()
    looked = (review("11-12", of=card),)

    assert waits(card) == ["#1 since 11-10"]
    assert waits(card, reviews=looked) == []
    assert waits(card, reviews=looked, as_of="11-11") == ["#1 since 11-10"]


@pytest.mark.parametrize("state", ["approved", "changes_requested", "commented"])
def test_a_review_of_any_result_is_one(state: str) -> None:
    card = pull()
    assert waits(card, reviews=(review("11-12", of=card, state=state),)) == []


@pytest.mark.parametrize(
    "who", [{"by": "Alice"}, {"by": "linter[bot]", "is_bot": True}, {"by": None}, {"event": "dismissed"}]
)
def test_the_author_a_bot_and_a_dismissal_review_nothing(who: dict[str, object]) -> None:
    card = pull()
    assert waits(card, reviews=(review("11-12", of=card, **who),)) == ["#1 since 11-10"]  # type: ignore[arg-type]


def test_a_review_of_another_pull_request_does_not_help() -> None:
    first, second = pull(), pull(2, "11-09")
    assert waits(first, second, reviews=(review("11-12", of=second),)) == ["#1 since 11-10"]


def test_the_longest_wait_comes_first() -> None:
    assert waits(pull(), pull(2, "11-09")) == ["#2 since 11-09", "#1 since 11-10"]


def test_what_was_merged_or_closed_waits_no_more() -> None:
    assert waits(pull().closed("11-12"), pull(2).dropped("11-12")) == []


def test_issues_wait_for_no_review() -> None:
    assert waits(FlowCard().opened("11-10")) == []


def test_a_draft_waits_only_once_it_is_ready() -> None:
    card = pull()._named("converted_to_draft", "11-11")
    assert waits(card) == []
    assert waits(card._named("ready_for_review", "11-13")) == ["#1 since 11-13"]
