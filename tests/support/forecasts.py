"""Weeks, records and outlooks for forecasts."""

from dataclasses import replace
from datetime import timedelta

from sprints.facts import Facts
from sprints.flow import Flow, flows_of
from sprints.forecast import Forecast, Refusal
from sprints.milestone import GRACE_AFTER_END
from sprints.outlook import Outlook, Past, Record, outlook_from
from sprints.rules import Rules
from sprints.velocity import outcome_of
from tests.support.builders import Box, Card, at
from tests.support.flow_cards import FlowCard


def make_week(
    monday: str, done: int, items: int = 5, *, points: int | None = 2, as_of: str | None = None
) -> Facts:
    """A sprint from Monday to Friday; each day one item is done, until `done` are."""
    start = at(f"2026-{monday}")
    labels = [] if points is None else [f"points: {points}"]
    cards = []
    for n in range(items):
        card = Card(n + 1).opened(start - timedelta(days=2), *labels).joined(start - timedelta(days=1))
        cards.append(card.closed(start + timedelta(days=n, hours=10)) if n < done else card)
    friday = (start + timedelta(days=4)).date().isoformat()
    box = Box(start - timedelta(days=3), start=f"{start:%m-%d}", due=friday)
    return box.facts(*cards, as_of=as_of or "12-31")


def make_record(facts: Facts) -> Record:
    assert facts.sprint.end
    at_end = replace(facts, as_of=facts.sprint.end + GRACE_AFTER_END)
    return Record(facts.sprint, facts.days, outcome_of(at_end))


def make_outlook(facts: Facts, *records: Record) -> Outlook:
    found = outlook_from(facts, Past(tuple(records), (), 1))
    assert isinstance(found, Outlook)
    return found


def chance_of(told: Outlook | Refusal) -> float:
    assert isinstance(told, Outlook)
    found = told.forecast()
    assert isinstance(found, Forecast)
    return found.chance


PAST_RECORDS = [
    make_record(make_week(monday, 4)) for monday in ("09-07", "09-14", "09-21", "09-28", "10-05", "10-12")
]


def make_flows(card: FlowCard) -> tuple[Flow, ...]:
    return flows_of({card.id: card.events}, at("11-12 00:00"), Rules())
