"""Weeks, records and outlooks for forecasts."""

from dataclasses import replace
from datetime import timedelta

from sprints.facts import Facts
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.forecast import Forecast, Refusal
from sprints.milestone import GRACE_AFTER_END
from sprints.outlook import Outlook, SprintRecord, TrackRecord, build_outlook
from sprints.rules import Rules
from sprints.velocity import compute_outcome
from tests.support.builders import Box, Card, at
from tests.support.flow_cards import FlowCard


def make_week(
    monday: str, done: int, items: int = 5, *, points: int | None = 2, as_of: str | None = None
) -> Facts:
    """Make a sprint from Monday to Friday in which each day one item is done, until `done` are."""
    start = at(f"2026-{monday}")
    labels = [] if points is None else [f"points: {points}"]
    cards = []
    for n in range(items):
        card = Card(n + 1).opened(start - timedelta(days=2), *labels).joined(start - timedelta(days=1))
        cards.append(card.closed(start + timedelta(days=n, hours=10)) if n < done else card)
    friday = (start + timedelta(days=4)).date().isoformat()
    box = Box(start - timedelta(days=3), start=f"{start:%m-%d}", due=friday)
    return box.facts(*cards, as_of=as_of or "12-31")


def make_record(facts: Facts) -> SprintRecord:
    """Make the record of a finished sprint."""
    assert facts.sprint.end
    at_end = replace(facts, as_of=facts.sprint.end + GRACE_AFTER_END)
    return SprintRecord(facts.sprint, facts.days, compute_outcome(at_end))


def make_outlook(facts: Facts, *records: SprintRecord) -> Outlook:
    """Make the outlook of a running sprint from records."""
    outlook = build_outlook(facts, TrackRecord(tuple(records), (), 1))
    assert isinstance(outlook, Outlook)
    return outlook


def chance_of(data: Outlook | Refusal) -> float:
    """Return the chance in an outlook, which must have one."""
    assert isinstance(data, Outlook)
    forecast = data.forecast()
    assert isinstance(forecast, Forecast)
    return forecast.chance


PAST_RECORDS = [
    make_record(make_week(monday, 4)) for monday in ("09-07", "09-14", "09-21", "09-28", "10-05", "10-12")
]


def make_flows(card: FlowCard) -> tuple[Flow, ...]:
    """Compute the flow of one item."""
    return build_flows({card.id: card.events}, at("11-12 00:00"), Rules())
