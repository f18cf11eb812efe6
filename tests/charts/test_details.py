"""Details without which a picture misleads: labels of scope, bands without height, days of the axis."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from charts.canvas import text_width
from charts.labels import Box, LabelSpace
from charts.plot import place_needed_words
from charts.reading import ScopeStep, list_scope_steps, quantity, signed
from charts.render import Chart, describe_chart, write_markdown
from charts.scale import choose_date_ticks
from charts.style import SCOPE_LABEL
from charts.themes import Ink
from charts.values import Aging, AgingItem
from commands.messages.cumulative_flow import flow_table
from sprints.burndown import Burndown
from sprints.burnup import Burnup
from sprints.cumulative_flow import CumulativeFlow, FlowDay
from tests.support.charts.builders import burndown
from tests.support.charts.comparing import days_of_scope_markers, misplaced, words_on
from tests.support.charts.strategies import burndowns

STATES = {"waiting": "waiting", "in progress": "in_progress", "done": "done", "dropped": "dropped"}
BUSY = burndown(40, [44, 47, 45, 49, 53, 53, 53, 53], scope={0: 4, 1: 3, 2: -2, 3: 4, 4: 4, 6: 5, 7: -5})


@st.composite
def flows(draw: st.DrawFn) -> CumulativeFlow:
    """Items that arrive, start and leave on some days, often none in a state."""
    few = st.integers(0, 3) | st.just(0)
    length = draw(st.integers(1, 40))
    busy = draw(st.tuples(*[st.booleans()] * 4))
    arrived = started = done = dropped = 0
    days = list[FlowDay]()
    for n in range(length):
        arrived += draw(few) * busy[0]
        started = min(arrived, started + draw(few) * busy[1])
        done = min(started - dropped, done + draw(few) * busy[2])
        dropped = min(started - done, dropped + draw(few) * busy[3])
        days.append(FlowDay(date(2026, 11, 2) + timedelta(days=n), arrived, started, done, dropped))
    return CumulativeFlow(tuple(days))


@settings(max_examples=150, deadline=None)
@given(burndowns(longest=120))
@example(BUSY)
def test_the_latest_scope_marker_has_its_number(chart: Burndown) -> None:
    """Where markers are drawn, the latest one and the largest keep their numbers."""
    steps = _read_markers(chart)
    if not steps:
        return
    words = [text for text, _ in words_on(chart)]
    largest = max(steps, key=lambda step: abs(step.amount))
    assert f"scope {signed(largest.amount)}" in words
    latest = signed(steps[-1].amount)
    assert latest in words or f"scope {latest}" in words


@settings(max_examples=80, deadline=None)
@given(burndowns(longest=120))
def test_the_scope_of_a_burnup_has_its_number(sprint: Burndown) -> None:
    latest = sprint.latest
    if latest is None or latest.scope is None or latest.done is None:
        return
    words = [text for text, _ in words_on(Burnup(sprint))]
    assert f"{quantity(latest.scope, sprint.unit)} in scope" in words


class _Pen:
    """A canvas that remembers what is written on it."""

    def __init__(self) -> None:
        self.boxes = list[Box]()
        self.ties = 0

    def text(self, x: float, y: float, text: str, *_: object) -> None:
        self.boxes.append(Box(x, y - 1, x + text_width(text, SCOPE_LABEL), y + SCOPE_LABEL.cap_height + 1))

    def lines(self, lines: Sequence[object], ink: Ink, width: float) -> None:
        assert (ink, width) == (Ink.SCOPE, 1)
        self.ties += len(lines)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.floats(60, 700), st.floats(80, 380)), min_size=1, max_size=25),
    st.tuples(st.floats(60, 700), st.floats(80, 380)),
)
def test_needed_words_are_placed_within_bounds_and_on_no_others(
    crowd: Sequence[tuple[float, float]], anchor: tuple[float, float]
) -> None:
    bounds, pen = Box(40, 60, 750, 394), _Pen()
    space = LabelSpace(bounds, [crowd], [])
    taken = [Box(x - 8, y - 7, x + 8, y + 7) for x, y in crowd]
    for box in taken:
        space.take(box)
    place_needed_words(pen, space, "scope +13", SCOPE_LABEL, lambda *_: [], anchor=anchor)  # type: ignore[arg-type]
    (box,) = pen.boxes
    assert box.is_within(bounds)
    assert not any(map(box.overlaps, taken))
    assert pen.ties == 1


@settings(max_examples=120, deadline=None)
@given(flows())
def test_only_bands_with_a_height_are_named(flow: CumulativeFlow) -> None:
    ever = {words: any(getattr(day, name) for day in flow.days) for words, name in STATES.items()}
    now = {words: getattr(flow.days[-1], name) for words, name in STATES.items()}
    drawn = [text for text, _ in words_on(flow)]
    for words, is_drawn in ever.items():
        label = f"{now[words]} {words}" if now[words] else words
        assert (label in drawn) == is_drawn
    assert not any(text.startswith("0 ") for text in drawn)
    assert misplaced(flow) == []

    alt, head = describe_chart(flow), flow_table(flow).partition("\n")[0]
    assert " 0 waiting" not in alt
    assert " 0 in progress" not in alt
    assert " 0 done" not in alt
    for words, is_drawn in ever.items():
        assert (f"| {words.capitalize()} |" in head) == is_drawn
    chart = write_markdown(flow)
    assert ("started (orange)" in chart) == any(day.started for day in flow.days)
    assert ("left (blue)" in chart) == any(day.done + day.dropped for day in flow.days)


def test_two_limits_at_one_age_are_one() -> None:
    words = [text for text, _ in words_on(Aging((AgingItem(1, 7),), p50=3, p85=3))]
    assert "85 % done in 3 days" in words
    assert "50 % in 3" not in words


@given(st.dates(date(2008, 1, 1), date(2060, 1, 1)), st.integers(1, 120), st.integers(420, 720))
def test_the_axis_of_a_sprint_names_its_first_and_last_day(start: date, length: int, width: int) -> None:
    days = [start + timedelta(days=n) for n in range(length)]
    day_width = width / length
    ticks = choose_date_ticks(days, day_width)
    named = [tick.day for tick in ticks]
    if day_width >= 31:
        assert named == list(range(length)), "no day of a short sprint is missing"
    elif 7 * day_width >= 40:
        assert (named[0], named[-1]) == (0, length - 1)
        assert all(days[day].weekday() == 0 for day in named[1:-1]), "in between are weeks"
        assert max(b - a for a, b in pairwise(named)) < 21, "no week is missing"


@pytest.mark.parametrize("length", [1, 2, 5, 10, 14, 15, 21, 30, 60])
def test_a_cumulative_flow_names_its_first_and_last_day(length: int) -> None:
    first = date(2026, 11, 3)
    days = [FlowDay(first + timedelta(days=n), 5 + n, 2 + n, n, 0) for n in range(length)]
    numbers = [text.split()[-1] for text, box in words_on(CumulativeFlow(tuple(days))) if box.bottom == 41]
    assert numbers[0] == "3"
    assert numbers[-1] == str(days[-1].date.day)
    if length <= 15:
        assert numbers == [str(day.date.day) for day in days]


@pytest.mark.parametrize("length", [2, 9, 10, 14, 20, 45, 90, 400])
def test_mermaid_names_the_first_and_the_last_day(length: int) -> None:
    chart: Chart = burndown(40, [40] * (length // 2), days=length)
    last = date(2026, 11, 16) + timedelta(days=length - 1)
    axis = next(line for line in write_markdown(chart).splitlines() if "x-axis" in line)
    names = axis.removeprefix("    x-axis [").removesuffix("]").split(", ")
    assert names[0] == '"start"'
    assert names[-1].startswith(f'"{last.day} ')


def _read_markers(chart: Burndown) -> list[ScopeStep]:
    """The changes of scope that the picture marks: a marker sums up those since the one before."""
    changes, before, result = list_scope_steps(chart), -1, list[ScopeStep]()
    for day in days_of_scope_markers(chart):
        amounts = (change.amount for change in changes if before < change.day <= day)
        result.append(ScopeStep(day, sum(amounts, Decimal(0))))
        before = day
    assert not sum((change.amount for change in changes if change.day > before), Decimal(0))
    return result
