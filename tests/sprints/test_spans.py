"""Stretches of time: what lies in both, what lies in either, and how long that is."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sprints.spans import TimeSpan, add_up_spans, merge_spans
from tests.support.builders import at

NOW = at("11-30")
_DAYS = st.integers(0, 20)
SPANS = st.builds(
    lambda since, length, is_over: TimeSpan(
        at("11-01") + timedelta(days=since),
        at("11-01") + timedelta(days=since + length) if is_over else None,
    ),
    _DAYS,
    st.integers(1, 9),
    st.booleans(),
)


def holds(span: TimeSpan, moment: datetime) -> bool:
    return span.since <= moment and (span.until is None or moment < span.until)


def moments() -> list[datetime]:
    return [at("11-01") + timedelta(hours=12 * n) for n in range(80)]


def test_adjacent_spans_are_merged() -> None:
    assert merge_spans([TimeSpan(at("11-03"), at("11-05")), TimeSpan(at("11-01"), at("11-03"))]) == (
        TimeSpan(at("11-01"), at("11-05")),
    )


def test_two_that_only_touch_have_nothing_in_common() -> None:
    assert TimeSpan(at("11-01"), at("11-03")).common(TimeSpan(at("11-03"), at("11-05"))) is None


def test_one_that_goes_on_lasts_until_now() -> None:
    assert add_up_spans([TimeSpan(at("11-28"))], NOW) == timedelta(days=2)


def test_the_time_before_a_moment_is_not_counted() -> None:
    spans = [TimeSpan(at("11-01"), at("11-03")), TimeSpan(at("11-10"), at("11-14"))]
    assert add_up_spans(spans, NOW, since=at("11-12")) == timedelta(days=2)


@given(st.lists(SPANS, max_size=6))
def test_merged_spans_hold_the_same_moments_and_none_twice(spans: list[TimeSpan]) -> None:
    result = merge_spans(spans)
    for moment in moments():
        assert sum(holds(span, moment) for span in result) == any(holds(span, moment) for span in spans)


@given(SPANS, SPANS)
def test_intersection_lies_in_both_spans(span: TimeSpan, other: TimeSpan) -> None:
    both = span.common(other)
    for moment in moments():
        assert (both is not None and holds(both, moment)) == (holds(span, moment) and holds(other, moment))


@given(st.lists(SPANS, max_size=6))
def test_together_they_last_at_most_as_long_as_each_alone(spans: list[TimeSpan]) -> None:
    together = add_up_spans(spans, NOW)
    assert together <= sum((add_up_spans([span], NOW) for span in spans), timedelta())
    assert together >= max((add_up_spans([span], NOW) for span in spans), default=timedelta())
