"""The product against a slow and naive reading of docs/metrics.md, on random histories."""

from datetime import UTC, datetime

from hypothesis import given, settings

from sprints.facts import Amount, Cause
from tests.sprints.reference import Pair, frame, reference
from tests.sprints.strategies import NOWS, History, histories


def pair(amount: Amount) -> Pair:
    return amount.points, amount.count


def instant(moment: datetime | None) -> datetime | None:
    """In UTC: moments of an hour that the clocks repeat equal none of another zone."""
    return moment and moment.astimezone(UTC)


@given(histories(), NOWS)
@settings(max_examples=120, deadline=None)
def test_every_number_is_what_the_definitions_say(history: History, as_of: datetime) -> None:
    facts = history.facts(as_of)
    expected = reference(history.milestone, history.items, as_of, history.zone)

    assert instant(facts.sprint.start) == expected.start
    assert instant(facts.sprint.end) == expected.end
    assert pair(facts.committed) == expected.committed
    assert pair(facts.scope) == expected.scope
    assert pair(facts.done) == expected.done
    assert {cause: pair(facts.total(cause)) for cause in Cause} == {
        Cause.ADDED: expected.added,
        Cause.REMOVED: expected.removed,
        Cause.DROPPED: expected.dropped,
        Cause.REESTIMATED: expected.reestimated,
    }
    assert [(day.date, pair(day.scope), pair(day.done)) for day in facts.days] == expected.days
    assert [(item.number, item.state, item.points) for item in facts.items] == expected.items
    assert facts.unit == expected.unit


@given(histories(most_items=0), NOWS)
@settings(max_examples=120, deadline=None)
def test_start_commitment_and_end_are_where_the_definitions_put_them(
    history: History, as_of: datetime
) -> None:
    sprint = history.facts(as_of).sprint

    told = (sprint.start, sprint.committed_at, sprint.end)
    expected = frame(history.milestone, as_of, history.zone)
    assert [instant(moment) for moment in told] == [instant(moment) for moment in expected]
