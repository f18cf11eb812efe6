"""The product against a slow and naive reading of docs/metrics.md, on random histories."""

from datetime import UTC, datetime

from hypothesis import given, settings

from sprints.burndown import build_burndown
from sprints.facts import Amount, ScopeCause
from tests.support.sprints_reference import Days, Pair, frame, reference
from tests.support.sprints_strategies import NOWS, History, histories


def pair(amount: Amount) -> Pair:
    return amount.points, amount.count


def instant(moment: datetime | None) -> datetime | None:
    """In UTC: moments of an hour that the clocks repeat equal none of another zone."""
    return moment and moment.astimezone(UTC)


def days_of(history: History) -> Days:
    calendar = history.calendar
    return Days(calendar.zones, calendar.weekdays, calendar.holidays)


@given(histories(), NOWS)
@settings(max_examples=1000, deadline=None)
def test_every_number_is_what_the_definitions_say(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    expected = reference(
        history.milestone, history.items, history.labels, history.sizes or {}, as_of, days_of(history)
    )

    assert instant(facts.sprint.start) == expected.start
    assert instant(facts.sprint.end) == expected.end
    assert pair(facts.committed) == expected.committed
    assert pair(facts.scope) == expected.scope
    assert pair(facts.done) == expected.done
    assert pair(facts.kept) == expected.kept
    assert {cause: pair(facts.total(cause)) for cause in ScopeCause} == {
        ScopeCause.ADDED: expected.added,
        ScopeCause.REMOVED: expected.removed,
        ScopeCause.DROPPED: expected.dropped,
        ScopeCause.REESTIMATED: expected.reestimated,
    }
    assert [(day.date, pair(day.scope), pair(day.done)) for day in facts.days] == expected.days
    listed = [(item.number, item.state, item.points, item.is_covered) for item in facts.items]
    assert listed == expected.items
    assert [item.number for item in facts.committed_items] == expected.committed_items
    assert [item.number for item in facts.done_items] == expected.done_items
    assert [item.number for item in facts.carried] == expected.carried
    assert [item.number for item in facts.late] == expected.late
    assert facts.unit == expected.unit


@given(histories(most_items=1), NOWS)
@settings(max_examples=150, deadline=None)
def test_start_commitment_end_and_ideal_are_where_the_definitions_put_them(
    history: History, as_of: datetime
) -> None:
    facts, days = history.facts(as_of), days_of(history)
    sprint = facts.sprint

    data = (sprint.start, sprint.committed_at, sprint.end)
    expected = frame(history.milestone, as_of, days)
    assert [instant(moment) for moment in data] == [instant(moment) for moment in expected]
    line = reference(history.milestone, history.items, history.labels, history.sizes or {}, as_of, days).ideal
    shown = [(day.date, day.ideal) for day in build_burndown(facts, "points").days]
    assert [entry for entry in shown if entry[1] is not None] == [
        entry for entry in line if entry[1] is not None
    ]
