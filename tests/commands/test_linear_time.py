"""Everything that parses text of people takes linear time.

A pattern that looks at the same blanks again and again needs minutes for the longest comment; what is held
to CPU time here needs some milliseconds.
"""

import re
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from bot.github.owned_text import find_people_text
from bot.publishing.truncation import truncate
from bot.settings.secret import redacted
from commands.dispatch import MOST_LINE
from commands.formatting.wording import plain, table
from commands.framework.boxes import find_ticked_boxes
from commands.framework.parser import find_added_lines, skim_long_texts
from commands.framework.words import EndlessQuotationError, split_words
from commands.settings.file import check_settings
from commands.settings.text import _COMMENT
from commands.shared.goals import with_goal
from handlers.payloads import replace_half_pairs
from handlers.references import closed_numbers, mentioned_numbers
from sprints.description import has_start_line, set_start_line
from sprints.estimates import Estimates
from sprints.milestone import _GOAL_LINE, _START_LINE

MOST = 65_536
MOST_CPU_SECONDS = 0.25

# What patterns begin with or repeat, alone and in turns.
PIECES = [
    " ", "\t", "\n", "\r", "\n ", "a", "-", ".", "/", "#", "1", '"', "“", "`", "_", ":", ",", "é", "\u2028",
    "/a\n", "/a b\n", " /a", "a/b", "a.b/", "#1", " #1", "fixes ", "fixes #", "fixes  ", "fix https://a/b", "closes a/b#",
    "start:", "start: ", "Start: 2026-01-01", "Start: 2026-01-01 x\n", "goal:", "goal: \n", "\tgoal:", "- [x] ",
    "- [x] <!--", "- [x] <!-- agile-github-suite:change:", "- [x] <!-- agile-github-suite:change:1 -->", "<!--",
    " confirm:", "confirm: ", "confirm:yes ", " c", "```\n", "<details>", "key:", "a:", "a-", '"a",', '"a", ', '","', "1,", "1.",
    "points", "points ", "points: ", "size: ", "-eyJ", "eyJa.", "://a:", "password=", "-----BEGIN PRIVATE KEY-----", "\\", "\\|", '\\"', '"\\"', "\\ud800",
]  # fmt: skip


def _long_label(text: str) -> object:
    """Labels are short, but sizes are typed."""
    estimates = Estimates(templates=("effort {points}", "T {size} x"))
    usual = Estimates()
    return [
        entry.points_of(f"{start}{text}")
        for entry in (estimates, usual)
        for start in ("", "points", "size", "5", "T")
    ]


def _words(text: str) -> object:
    """Of a line, so much is looked at."""
    try:
        return split_words(text.replace("\n", " ")[:MOST_LINE], 0, {"key", "a"})
    except EndlessQuotationError:
        return None


def _skimmed(text: str) -> object:
    with skim_long_texts():
        return find_added_lines(text, "")


READERS: dict[str, Callable[[str], Any]] = {
    "words": _words,
    "closed numbers": lambda text: closed_numbers(text, "a/b"),
    "mentioned numbers": mentioned_numbers,
    "boxes": find_ticked_boxes,
    "start line": _START_LINE.search,
    "goal line": _GOAL_LINE.search,
    "description with start": lambda text: (has_start_line(text), set_start_line(text, date(2026, 1, 1))),
    "description with goal": lambda text: with_goal(text, "sell"),
    "labels": _long_label,
    "plain text": plain,
    "cut": truncate,
    "skimmed comment": _skimmed,
    "line of the log": redacted,
    "comments of a settings file": lambda text: list(_COMMENT.finditer(f'"{text}')),
    "half surrogate pairs": lambda text: replace_half_pairs(text.encode()),
    "our part of a text": lambda text: find_people_text(
        f"{text}\n\n<!-- ours -->", ["<!-- ours -->"], [text[:999]]
    ),
    "line of a table": lambda text: table(["a", "b"], [[text, text]]),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_the_longest_text_is_read_in_no_time(read: Callable[[str], Any]) -> None:
    slow = {}
    for piece in PIECES:
        for text in ((piece * MOST)[:MOST], ("x" + piece * MOST)[: MOST - 1] + "x"):
            begun = time.thread_time()
            read(text)
            if (used := time.thread_time() - begun) > MOST_CPU_SECONDS:
                slow[piece] = used

    assert slow == {}


@pytest.mark.parametrize(
    "items",
    [
        [("a", ["b"])[n % 2] if n % 4 > 1 else n for n in range(6_000)],
        [[n] if n % 2 else f"day {n}" for n in range(6_000)],
    ],
)
@pytest.mark.parametrize("path", [("working_days",), ("sprints", "repositories")])
def test_a_long_list_in_settings_is_judged_in_no_time(items: list[object], path: tuple[str, ...]) -> None:
    settings: Any = items
    for key in reversed(path):
        settings = {key: settings}
    begun = time.thread_time()
    assert check_settings(settings, ())
    assert time.thread_time() - begun < 2 * MOST_CPU_SECONDS


@pytest.mark.parametrize("backslashes", range(5))
def test_a_bar_of_others_ends_no_cell(backslashes: int) -> None:
    """A backslash before a backslash escapes that one, and not the bar."""
    _, _, line = table(["a", "b"], [["\\" * backslashes + "|", "x"]]).split("\n")
    cells = re.sub(r"\\.", "", line.removeprefix("| ").removesuffix(" |"))
    assert cells.count("|") == 1
