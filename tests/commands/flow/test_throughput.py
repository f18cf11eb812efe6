"""`/throughput`, what it says, and the days that charts of flow look at."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from charts.values import CountBar, ThroughputBars
from commands.messages.throughput import counts_table, summarize_throughput
from tests.support.builders import at
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import ask_command, record_past
from tests.support.running import Bot

MONDAY = date(2026, 10, 5)


def weeks(*counts: int, median: int | None = 4, is_last_whole: bool = False) -> ThroughputBars:
    bars = [CountBar(MONDAY + timedelta(weeks=n), count) for n, count in enumerate(counts)]
    if not is_last_whole:
        bars[-1] = CountBar(bars[-1].first, bars[-1].count, is_whole=False)
    return ThroughputBars("week", tuple(bars), None if median is None else Decimal(median))


def test_an_empty_week_stands_out() -> None:
    lines = summarize_throughput(weeks(4, 0, 4, 5, 1), covered=0)
    assert lines == [
        "The median whole week is **4**: 14 items done in 5 weeks; this week 1 so far.",
        (
            "**0 items done in the week of 12 Oct**, the median is 4. If people were away, tell me with "
            "`/calendar add`; if not, `/aging` shows what is waiting now."
        ),
        "",
    ]


def test_a_very_full_week_stands_out() -> None:
    lead = summarize_throughput(weeks(4, 4, 12, 5, 1), covered=0)[1]
    assert lead.startswith("**12 items done in the week of 19 Oct**, the median is 4. See whether that was a")


def test_the_week_that_is_not_over_never_stands_out() -> None:
    assert summarize_throughput(weeks(4, 4, 5, 0), covered=0)[1].startswith("**No week stands out**")
    assert summarize_throughput(weeks(4, 4, 5, 0, is_last_whole=True), 0)[1].startswith("**0 items done in")


def test_two_instead_of_one_is_nothing() -> None:
    assert summarize_throughput(weeks(1, 1, 3, 1, 1, median=1), 0)[1].startswith("**No week stands out**")


def test_too_early() -> None:
    lines = summarize_throughput(weeks(4, 1), 0)
    assert lines[0] == "**5 items done in 2 weeks**; this week 1 so far."
    assert lines[1] == "**Too early to say what is usual**: 1 whole week so far."
    assert summarize_throughput(weeks(1, median=None), 0)[0] == (
        "**1 item done in 1 week**; this week 1 so far."
    )


def test_nothing_and_what_others_tell() -> None:
    assert summarize_throughput(weeks(0, 0), 1) == [
        "**Nothing was done in this period.** See what is in progress: `/aging`.",
        "1 done item is not counted: already covered by linked items.",
    ]
    assert summarize_throughput(weeks(4, 4, 4, 4), 3)[2].startswith("3 done items are not counted")


def test_days_off_are_marked_and_the_sum_stands_last() -> None:
    friday = date(2026, 11, 13)
    bars = [CountBar(friday, 2), CountBar(friday + timedelta(days=1), 1, is_off=True)]
    assert counts_table(ThroughputBars("day", tuple(bars))).split("\n")[2:] == [
        "| Fri 13 Nov | 2 |",
        "| Sat 14 Nov (day off) | 1 |",
        "| **Sum** | **3** |",
    ]


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/throughput as:table")

    assert "### Throughput · since 17 Oct 2026" in answer
    assert "- **1 item done in the week of 26 Oct**, the median is 4.5." in answer
    assert "- The median whole week is **4.5**: 18 items done in 6 weeks; this week 2 so far." in answer
    assert "| 12 Oct (in part) | 0 |" in answer
    assert "| **Sum** | **18** |" in answer


async def test_the_last_weeks_and_a_sprint(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    two_weeks = await ask_command(bot, number, "/throughput last:2 as:table")
    sprint = await ask_command(bot, number, '/throughput for:"sprint 22" as:table')
    running = await ask_command(bot, number, '/throughput for:"Sprint 24" as:table')

    assert "### Throughput · the last 2 weeks" in two_weeks
    assert "| Mon 9 Nov | 1 |" in two_weeks
    assert "| **Sum** | **7** |" in two_weeks
    assert "2 Nov 2026 – 6 Nov 2026" in sprint
    assert "| **Sum** | **6** |" in sprint
    assert "16 Nov 2026 – 18 Nov 2026" in running


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("last:0", "`last:0` is not valid. Use a number of calendar weeks from 1 to 52"),
        ("last:53", "`last:53` is not valid. Use a number of calendar weeks from 1 to 52"),
        ("last:2 for:x", "Give either a sprint or `last`"),
        ('for:"Sprint 99"', "no milestone called “Sprint 99”"),
        ("last:soon", "`last` must be a whole number"),
    ],
)
async def test_days_that_make_no_sense_are_refused(
    bot: Bot, clock: Clock, arguments: str, words: str
) -> None:
    number = await record_past(bot, clock)
    for command in ("/throughput", "/cycletime"):
        assert words in await ask_command(bot, number, f"{command} {arguments}")


async def test_a_sprint_to_come_has_no_days(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    clock.now = at("2026-11-15 12:00")
    answer = await ask_command(bot, number, '/throughput for:"Sprint 24"')
    assert "Sprint 24 begins on 16 Nov 2026, so it has no complete day yet." in answer


async def test_a_pull_request_that_closes_an_issue_is_not_counted_twice(bot: Bot, clock: Clock) -> None:
    issue = FlowCard(1001).opened("11-09").closed("11-17 10:00")
    pull_request = FlowCard(1002).proposed("11-16", 1001).closed("11-17 10:00")
    number = await record_past(bot, clock, cards=[issue, pull_request])
    answer = await ask_command(bot, number, "/throughput as:table")

    assert "| **Sum** | **1** |" in answer
    assert "1 done item is not counted: already covered by linked items." in answer
