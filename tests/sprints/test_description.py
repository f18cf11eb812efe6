"""What is written into a milestone's description is what is read from it."""

from datetime import UTC, date

from hypothesis import given
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.description import has_start_line, set_start_line
from sprints.milestone import derive_sprint
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
        set_start_line("Goal: Ship\nstart: 2026-11-02\nMore", date(2026, 11, 16))
        == "Goal: Ship\nStart: 2026-11-16\nMore"
    )


def test_where_there_was_none_it_comes_first() -> None:
    assert set_start_line("Words", date(2026, 11, 16)) == "Start: 2026-11-16\nWords"
    assert set_start_line("", date(2026, 11, 16)) == "Start: 2026-11-16"
    assert not has_start_line("Start: soon")


@given(st.lists(LINES, max_size=5), st.dates(date(2026, 11, 1), date(2026, 12, 31)))
def test_what_is_written_is_read(lines: list[str], day: date) -> None:
    description = set_start_line("\n".join(lines), day)
    box = Box("10-01", due="2027-01-31", description=description)

    assert has_start_line(description)
    assert derive_sprint(box.events, box.events[0].at, Calendar.of(UTC)).first_day == day
