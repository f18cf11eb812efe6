"""`/team metrics`: sums of at least three people."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.messages.team_metrics import MetricsSpan, summarize_team_metrics, team_metrics_text
from sprints.calendar import Calendar
from sprints.durations import Durations, measure_cycle_times
from sprints.team import TeamSum, WorkCounts
from tests.support.clock import Clock
from tests.support.flow_cards import flows, make_finished_card
from tests.support.past import ask_command, make_push, record_events, record_past
from tests.support.repository_settings import set_setting
from tests.support.running import Bot

USUAL = WorkCounts(issues_closed=10, points_completed=Decimal(30), pull_requests=12, commits=80)


def span(work: WorkCounts | None, people: int = 4, times: Durations | None = None) -> MetricsSpan:
    sums = None if work is None else TeamSum(people, work)
    return MetricsSpan(date(2026, 10, 19), date(2026, 11, 15), sums, times or Durations())


def test_what_moved_the_most_comes_first() -> None:
    now = span(replace(USUAL, issues_closed=4, commits=130), 3)
    assert summarize_team_metrics(span(USUAL), now) == (
        "**Issues closed fell from 10 to 4**, the largest change; 3 people at work, 4 before. See what "
        "changed: days off, people, or the size of the work (`/throughput`, `/cycletime`)."
    )
    rose = summarize_team_metrics(span(USUAL), span(replace(USUAL, pull_requests=24)))
    assert rose.startswith("**Pull requests merged rose from 12 to 24**")


def test_nothing_stands_out() -> None:
    assert summarize_team_metrics(span(USUAL), span(USUAL)).startswith(
        "**Nothing stands out**: 4 people at work"
    )
    assert summarize_team_metrics(span(WorkCounts()), span(WorkCounts())).startswith("**Nothing stands out**")


def test_a_change_of_the_cycle_time_or_of_the_people_is_the_largest_too() -> None:
    slower = span(USUAL, times=Durations(days=(13,)))
    assert summarize_team_metrics(span(USUAL, times=Durations(days=(6,))), slower) == (
        "**The cycle time of 85 % rose from 6 to 13 days**, the largest change; 4 people at work, 4 before. See "
        "what changed: days off, people, or the size of the work (`/throughput`, `/cycletime`)."
    )
    assert summarize_team_metrics(span(USUAL, 3), span(USUAL, 6)).startswith(
        "**The number of people rose from 3 to 6**, the largest change. See what helped"
    )


_COUNTS = st.integers(0, 30)
_SPANS = st.builds(
    lambda counts, people, days: span(
        WorkCounts(counts[0], Decimal(counts[1]), counts[2], counts[3]),
        people,
        Durations(days=tuple(sorted(days))),
    ),
    st.tuples(_COUNTS, _COUNTS, _COUNTS, _COUNTS),
    st.integers(3, 9),
    st.lists(st.integers(1, 30), max_size=4),
)


@given(_SPANS, _SPANS)
def test_the_sentence_follows_from_every_row_of_the_table(before: MetricsSpan, now: MetricsSpan) -> None:
    text = team_metrics_text(None, before, now)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 6
    is_large = False
    for _, *cells in rows:
        values = [re.match(r"\d+", cell) for cell in cells]
        if all(values):
            less, more = sorted(int(value[0]) for value in values if value)
            is_large |= more > less and 2 * more >= 3 * less
    assert ("**Nothing stands out**" in text) == (not is_large)


def test_too_few_people_before() -> None:
    text = team_metrics_text(
        "payments",
        span(None),
        span(USUAL, times=measure_cycle_times(flows(make_finished_card(1, 2)).values(), Calendar())),
    )
    assert "**4 people at work** in these four weeks; the four before had fewer than 3." in text
    assert "| Issues closed | 10 | – |" in text
    assert "| Cycle time, 85 % within | 2 days (n = 1) | – |" in text


async def people_at_work(bot: Bot, *logins: str) -> None:
    """Each pushed 5 commits in the last four whole weeks, and 2 in the four before."""
    for login in logins:
        await record_events(
            bot, make_push("2026-11-04 10:00", login, 5), make_push("2026-10-02 10:00", login, 2)
        )


async def test_everybody(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await people_at_work(bot, "alice", "bob", "carol")
    answer = await ask_command(bot, number, "/team metrics")

    assert "### Team metrics · everybody here" in answer
    assert "**Points completed rose from 0 to 48**" in answer
    assert "| Issues closed | 16 | 0 |" in answer
    assert "| Points completed | 48 | 0 |" in answer
    assert "| Commits on the default branch | 15 | 6 |" in answer
    assert "19 Oct 2026 – 15 Nov 2026" in answer
    assert not any(login in answer for login in ("alice", "bob", "carol"))


async def test_fewer_than_three_people_have_no_figures(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await people_at_work(bot, "alice", "bob", "renovate[bot]")
    answer = await ask_command(bot, number, "/team metrics")

    assert answer.startswith("@alice: Fewer than 3 people worked here in the last 4 whole weeks.")
    assert "|" not in answer


@pytest.mark.parametrize(
    ("others", "is_shown"), [((), True), (("frank",), False), (("frank", "grace", "heidi"), True)]
)
async def test_a_team_by_itself(
    bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...], is_shown: bool
) -> None:
    number = await record_past(bot, clock)
    await people_at_work(bot, "alice", "bob", "carol", *others)
    monkeypatch.setitem(bot.github.teams, "payments", {"alice", "bob", "carol", "judy"})
    answer = await ask_command(bot, number, "/team metrics team:@acme/payments")

    assert ("### Team metrics · payments" in answer) is is_shown
    assert ("| Commits on the default branch | 15 | 6 |" in answer) is is_shown
    if not is_shown:
        assert answer.startswith("@alice: I can't show the team `payments` on its own")


async def test_a_team_of_the_settings(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await people_at_work(bot, "alice", "bob", "carol", "frank", "grace", "heidi")
    await set_setting(bot, "teams", {"checkout": {"people": ["Frank", "grace", "heidi"]}})
    answer = await ask_command(bot, number, "/team metrics team:checkout")

    assert "### Team metrics · checkout" in answer
    assert "| Issues closed | 0 | 0 |" in answer
    assert "| Commits on the default branch | 15 | 6 |" in answer


async def test_an_unknown_team(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    await people_at_work(bot, "alice", "bob", "carol")
    assert "there is no such team" in await ask_command(bot, number, "/team metrics team:nobody")
