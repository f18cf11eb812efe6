"""Settings before and after a change: what differs is always shown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.changes import ChangeSetting
from commands.messages.change_steps import step_text
from commands.messages.config_set import changed_text
from commands.messages.setting_changes import shorten_both
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import make_sprint

BREAK = {"from": "2026-12-24", "to": "2026-12-30", "name": "Winter break"}
AWAY = {"from": "2026-12-07", "to": "2026-12-11", "name": "vacation", "person": "bob"}
LAST_DAY = {"from": "2026-12-31", "to": "2026-12-31"}

_TEXTS = st.text("abcdefghij", min_size=1, max_size=12) | st.text("a", min_size=60, max_size=90)
_VALUES = st.recursive(
    _TEXTS | st.integers(0, 99),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=9)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, min_size=1, max_size=9)
    ),
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([AWAY, BREAK, LAST_DAY], [AWAY, BREAK], "no longer off: 31 Dec 2026"),
        ([AWAY, BREAK], [BREAK], "`bob` no longer away: 7 Dec 2026 – 11 Dec 2026"),
        ([AWAY], [AWAY, BREAK], "off: 24 Dec 2026 – 30 Dec 2026"),
        ([LAST_DAY], [AWAY], "no longer off: 31 Dec 2026; `bob` away: 7 Dec 2026 – 11 Dec 2026"),
        ([LAST_DAY], None, "no longer off: 31 Dec 2026"),
    ],
)
def test_days_off_are_said_as_days(before: Any, after: Any, expected: str) -> None:
    assert step_text(ChangeSetting("days_off", before, after), {}) == f"setting `days_off`: {expected}"


def test_long_lists_are_reduced_to_the_entries_that_differ() -> None:
    days = [f"2027-01-{day:02}" for day in range(1, 20)]
    text = step_text(ChangeSetting("holidays", days, days[:-1]), {})
    assert text == "setting `holidays`: `[2027-01-19]` → nothing"
    teams = {f"team{n}": {"labels": [f"area: {n}"]} for n in range(9)}
    more = {**teams, "team8": {"labels": ["area: 8", "area: 9"]}}
    assert "| `teams` | – | `{team8: {labels: ['area: 9']}}` |" in changed_text(("teams", teams, more))


@given(_VALUES, _VALUES, st.sampled_from([60, 100]))
def test_both_sides_differ_and_are_short(before: Any, after: Any, most: int) -> None:
    old, new = shorten_both(before, after, most)
    assert (old == new) == (before == after)
    assert all(len(text) <= most + 2 for text in (old, new) if text)


@given(st.lists(_TEXTS, min_size=1, max_size=30), st.integers(0, 30))
def test_an_entry_that_is_removed_is_shown(entries: list[str], place: int) -> None:
    n = place % len(entries)
    old, new = shorten_both(entries, entries[:n] + entries[n + 1 :], 100)
    assert old != new


async def test_undo_names_the_days_that_it_takes_back(bot: Bot) -> None:
    number = await make_sprint(bot)
    for command in (
        '/calendar add 2027-12-07..2027-12-11 @bob "vacation"',
        '/calendar add 2027-12-24..2027-12-30 "Winter break"',
        "/calendar add 2027-12-31",
    ):
        await bot.say(number, command)
    assert "\n- setting `days_off`: no longer off: 31 Dec 2027\n" in await ask_bot(bot, number, "/agile undo")
