"""Texts on the completeness of numbers."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from commands.messages.completeness import completeness_text, gaps_text, missing_text
from sprints.calendar import Calendar
from sprints.gaps import EventGap, GapCause

BERLIN = ZoneInfo("Europe/Berlin")
# Where times are told.
PLACE = Calendar.of(BERLIN)
BEGAN = datetime(2026, 11, 3, 13, tzinfo=UTC)
ENDED = BEGAN + timedelta(days=2)
READ = EventGap(GapCause.SUSPENDED, BEGAN, ENDED, is_read_again=True)
UNREAD = EventGap(GapCause.OUTAGE, BEGAN, ENDED)
DEAF = EventGap(GapCause.SUSPENDED, BEGAN, None)


def test_each_kind_of_gap_is_reported() -> None:
    span = "from 3 Nov 2026, 14:00 CET to 5 Nov 2026, 14:00 CET"
    assert gaps_text([READ], PLACE) == f"reconstructed: no events received {span}"
    assert gaps_text([UNREAD], PLACE) == f"incomplete: no events received {span}"
    assert gaps_text([DEAF], PLACE) == "incomplete: no events received since 3 Nov 2026, 14:00 CET"
    assert gaps_text([], PLACE) == ""


def test_of_several_the_last_is_named_and_what_is_missing_comes_first() -> None:
    text = gaps_text([READ, READ, UNREAD], PLACE)
    assert text.startswith("incomplete: no events received from 3 Nov 2026, 14:00 CET to 5 Nov")
    assert text.endswith(" and in 1 earlier gap")
    assert missing_text([READ], PLACE) == ""


def test_doubts_of_all_kinds_stand_together() -> None:
    calendar = Calendar.of(BERLIN)
    assert completeness_text(calendar, None, [], []) == "complete"
    text = completeness_text(calendar, BEGAN, [READ], [1, 2], most_named=5)
    assert "reconstructed: no events" in text
    assert "reconstructed before 4 Nov 2026, early history missing for 2 items: #1" in text
