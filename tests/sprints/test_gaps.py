"""What spans without events mean for the numbers of a sprint."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sprints.completeness import assess_completeness
from sprints.gaps import EventGap, GapCause, select_unread
from sprints.model import EventSource, ItemEvent, ItemSnapshot

_BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
_MOMENTS = st.integers(0, 1000).map(lambda hours: _BEGIN + timedelta(hours=hours))


def gap(began: datetime, ended: datetime | None, *, is_read_again: bool = False) -> EventGap:
    return EventGap(GapCause.SUSPENDED, began, ended, is_read_again)


_SPANS = st.tuples(_MOMENTS, _MOMENTS).map(sorted)


@given(_SPANS, _SPANS)
def test_what_was_read_again_concerns_the_sprints_that_it_lies_in(
    sprint: list[datetime], unheard: list[datetime]
) -> None:
    (start, until), (began, ended) = sprint, unheard
    overlaps = max(start, began) < min(until, ended)
    assert gap(began, ended, is_read_again=True).concerns(start, until) is (
        overlaps or (start == until and began < until < ended)
    )


@given(_MOMENTS, _MOMENTS, _MOMENTS, st.none() | _MOMENTS)
def test_until_then_it_concerns_all_that_is_later_too(
    start: datetime, until: datetime, began: datetime, ended: datetime | None
) -> None:
    """What was planned before the start may have changed unheard."""
    assert gap(began, ended).concerns(start, until) is (began < until)


def test_only_what_was_not_read_again_is_missing() -> None:
    read, unread = gap(_BEGIN, _BEGIN, is_read_again=True), gap(_BEGIN, None)
    assert select_unread([read, unread]) == (unread,)


def test_what_was_asked_for_because_of_a_gap_says_nothing_of_the_time_before() -> None:
    shown = ItemSnapshot(1, "Pay", _BEGIN)
    heard = ItemEvent("I_1", "opened", _BEGIN, "1", shown)
    later = _BEGIN + timedelta(days=9)
    asked = ItemEvent("I_1", "closed", later, "2", shown, source=EventSource.BACKFILL)
    unheard = gap(later - timedelta(days=1), later + timedelta(days=1), is_read_again=True)
    events, end = {"I_1": [heard, asked]}, later + timedelta(days=30)

    completeness = assess_completeness(events, {"I_1": shown}, [unheard], _BEGIN, end)
    assert (completeness.reconstructed_before, completeness.gaps) == (None, (unheard,))
    assert not completeness.is_complete
    assert assess_completeness(events, {"I_1": shown}, [], _BEGIN, end).reconstructed_before == later
