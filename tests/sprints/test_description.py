"""What is written into a milestone's description is what is read from it."""

from datetime import UTC, date

from hypothesis import given
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.description import states_start, with_start
from sprints.milestone import sprint_of
from tests.support.builders import Box

LINES = st.sampled_from(
    [
        "",
        "Start: 2026-11-02",
        "  start:2026-11-03 ",
        "Start: soon",
        "Start: 2026-13-45",
        "Goal: Ship",
        "Some words",
    ]
)


def test_it_stands_in_place_of_the_one_before() -> None:
    assert (
        with_start("Goal: Ship\nstart: 2026-11-02\nMore", date(2026, 11, 16))
        == "Goal: Ship\nStart: 2026-11-16\nMore"
    )


def test_where_there_was_none_it_comes_first() -> None:
    assert with_start("Words", date(2026, 11, 16)) == "Start: 2026-11-16\nWords"
    assert with_start("", date(2026, 11, 16)) == "Start: 2026-11-16"
    assert not states_start("Start: soon")


@given(st.lists(LINES, max_size=5), st.dates(date(2026, 11, 1), date(2026, 12, 31)))
def test_what_is_written_is_read(lines: list[str], day: date) -> None:
    description = with_start("\n".join(lines), day)
    box = Box("10-01", due="2027-01-31", description=description)

    assert states_start(description)
    assert sprint_of(box.events, box.events[0].at, Calendar.of(UTC)).first_day == day
