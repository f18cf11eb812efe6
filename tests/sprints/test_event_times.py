"""docs/metrics.md, "When": GitHub's own time of an event, and what else of a webhook becomes a fact."""

import json
from typing import Any

import pytest

from handlers import ROUTES
from handlers.delivery import Delivery, FactRecorded
from sprints.model import Event, ItemEvent, MilestoneEvent, State
from tests.support.builders import Json, at, item_json, milestone_json, stamp, webhook

CREATED, CLOSED, UPDATED = "11-10 08:00", "11-17 09:00", "11-18 10:00"
TIMES: Json = {"created_at": stamp(CREATED), "closed_at": stamp(CLOSED)}


def told(event: str, payload: Json) -> list[Event]:
    """The facts that the door's handlers make of a payload."""
    delivery = Delivery("guid", event, payload["action"], json.dumps(payload).encode(), at("11-30"))
    outcomes = [outcome for handler in ROUTES[event, payload["action"]] for outcome in handler(delivery)]
    return [outcome.fact for outcome in outcomes if isinstance(outcome, FactRecorded)]


def item_fact(event: str, payload: Json) -> ItemEvent:
    fact = told(event, payload)[0]
    assert isinstance(fact, ItemEvent)
    return fact


@pytest.mark.parametrize("kind", [("issues", "issue"), ("pull_request", "pull_request")])
@pytest.mark.parametrize(
    ("action", "time"),
    [
        ("opened", CREATED),
        ("closed", CLOSED),
        ("reopened", UPDATED),
        ("milestoned", UPDATED),
        ("demilestoned", UPDATED),
        ("labeled", UPDATED),
        ("unlabeled", UPDATED),
    ],
)
def test_an_items_event_happened_when_github_says(kind: tuple[str, str], action: str, time: str) -> None:
    event, part = kind
    fact = item_fact(event, webhook(action) | {part: item_json(UPDATED, **TIMES)})

    assert (fact.item, fact.at) == ("I_1", at(time))


@pytest.mark.parametrize(
    ("action", "time"),
    [
        ("created", CREATED),
        ("edited", UPDATED),
        ("closed", CLOSED),
        ("opened", UPDATED),
        ("deleted", UPDATED),
    ],
)
def test_a_milestones_event_happened_when_github_says(action: str, time: str) -> None:
    (fact,) = told("milestone", webhook(action, milestone=milestone_json(UPDATED, **TIMES)))

    assert (fact.event, fact.at) == (action, at(time))


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("completed", State.DONE),
        (None, State.DONE),
        ("not_planned", State.DROPPED),
        ("duplicate", State.DROPPED),
    ],
)
def test_how_an_issue_was_closed_says_whether_it_is_done(reason: str | None, state: State) -> None:
    issue = item_json(CLOSED, state="closed", state_reason=reason, closed_at=stamp(CLOSED))

    assert item_fact("issues", webhook("closed", issue=issue)).snapshot.state is state


@pytest.mark.parametrize(
    ("merge", "state"),
    [
        ({"merged": True}, State.DONE),
        ({"merged_at": stamp(CLOSED)}, State.DONE),
        ({"merged": False}, State.DROPPED),
        ({}, State.DROPPED),
    ],
)
def test_a_pull_request_is_done_when_it_was_merged(merge: dict[str, Any], state: State) -> None:
    pull_request = item_json(CLOSED, state="closed", closed_at=stamp(CLOSED), **merge)

    assert item_fact("pull_request", webhook("closed", pull_request=pull_request)).snapshot.state is state


def test_leaving_names_the_milestone_that_was_left() -> None:
    payload = webhook(
        "demilestoned",
        issue=item_json(milestone=milestone_json(id=2, number=2)),
        milestone=milestone_json(id=1, number=1),
    )

    assert item_fact("issues", payload).milestone == 1


def test_leaving_without_a_named_milestone_never_means_the_one_it_is_in_now() -> None:
    payload = webhook("demilestoned", issue=item_json(milestone=milestone_json(id=2, number=2)))

    assert item_fact("issues", payload).milestone is None


def test_an_items_event_shows_its_milestone() -> None:
    payload = webhook("closed", issue=item_json(CLOSED, milestone=milestone_json(description="Goal: x")))
    _, observed = told("issues", payload)

    assert isinstance(observed, MilestoneEvent)
    assert (observed.event, observed.description) == ("observed", "Goal: x")


def test_text_that_postgresql_cannot_store_is_cleaned() -> None:
    payload = webhook("labeled", issue=item_json(title="a\x00b"), label={"name": "points:\x00 5"})
    fact = item_fact("issues", payload)

    assert (fact.snapshot.title, fact.label) == ("ab", "points: 5")
