"""`/aging` and what it says of work in progress."""

from dataclasses import replace
from datetime import timedelta

from commands.messages.aging import ages_table, summarize_aging
from sprints.calendar import Calendar
from sprints.durations import Durations, measure_ages, measure_cycle_times
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard, flows, make_finished_card
from tests.support.past import NOW, ask_command, record_past, usual_past
from tests.support.running import Bot

PAST = measure_cycle_times(
    flows(
        *(make_finished_card(n, days) for n, days in enumerate([1, 2, 2, 2, 3, 3, 3, 4, 4, 9], start=1))
    ).values(),
    Calendar(),
)


def started(number: int, days: int) -> FlowCard:
    """An item that is in progress since so many days, today included."""
    return FlowCard(number).opened("10-01").assigned(NOW - timedelta(days=days - 1))


def blocked(card: FlowCard, by: FlowCard) -> FlowCard:
    """From its start on."""
    last = card.events[-1]
    card.events.append(replace(last, event="blocked", named=by.id, delivery=f"{last.delivery}-b"))
    return card


def reading(*cards: FlowCard, past: Durations = PAST) -> list[str]:
    return summarize_aging(measure_ages(flows(*cards, as_of="11-18 12:00").values(), NOW, Calendar()), past)


def test_what_is_older_than_usual_comes_first() -> None:
    lines = reading(started(21, 30), started(22, 9), started(23, 4), started(24, 2))
    assert lines == [
        (
            "**#21 has been in progress for 30 days**, 85 % of finished items took at most 4; also older than that: #22. Ask what it is waiting for and record it with `/blocked`, or `/split` off what can be "
            "finished."
        ),
        (
            "4 items in progress: 1 up to 3 days old (half of finished items took no longer), 1 up to 4 days, "
            "2 older."
        ),
        "",
    ]


def test_what_is_known_to_be_blocked_is_not_asked_for() -> None:
    blocker = FlowCard(30).opened("10-01")
    lead = reading(blocked(started(21, 30), blocker), blocker)[0]
    assert lead.endswith("It is blocked by #30. Resolve that first.")


def test_nothing_is_older_than_usual() -> None:
    assert reading(started(21, 4))[0] == (
        "**Nothing is older than usual**: #21 has been in progress for 4 days, 85 % of finished items took at "
        "most 4. Finish it before you start another."
    )


def test_nothing_is_finished_yet() -> None:
    lines = reading(started(21, 4), past=Durations())
    assert lines[0].startswith("**#21 has been in progress for 4 days**, the only item in progress.")
    assert (
        lines[1]
        == "1 item in progress; no items have been finished yet, so there is no usual time to compare with."
    )


def test_a_start_that_nobody_told_and_a_short_past_are_said() -> None:
    seen_late = FlowCard(21).opened("10-01").assigned("10-02").commented("11-10").first_seen(2)
    few = measure_cycle_times(flows(make_finished_card(1, 2)).values(), Calendar())
    result = measure_ages(flows(seen_late, as_of="11-18 12:00").values(), NOW, Calendar())

    assert summarize_aging(result, few)[2] == (
        "The exact age of #21 is not known, because work had started before I saw it. What is usual is based on only 1 "
        "finished item."
    )
    assert "| #21 | before 10 Nov 2026 | at least 9 days |  |" in ages_table(result, Calendar())


def test_nothing_is_in_progress() -> None:
    assert reading()[0].startswith("**Nothing is in progress.**")
    assert ages_table([], Calendar()) == ""


def test_a_long_list_is_cut() -> None:
    result = measure_ages(
        flows(*(started(n, 3) for n in range(1, 44)), as_of="11-18 12:00").values(), NOW, Calendar()
    )
    assert ages_table(result, Calendar()).split("\n")[-1] == "| … 3 more |  | 3 days or fewer |  |"


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    boxes, cards = usual_past()
    old, blocker = FlowCard(2001).opened("10-20").assigned("10-26"), FlowCard(2002).opened("10-20")
    number = await record_past(bot, clock, boxes, [*cards, blocked(old, blocker), blocker])
    answer = await ask_command(bot, number, "/aging as:table")

    assert (
        "- **#2001 has been in progress for 24 days**, 85 % of finished items took at most 9. It is "
        in answer
    )
    assert "| #2001 | 26 Oct 2026 | 24 days | by #2002 |" in answer
    assert "| #1042 | 16 Nov 2026 | 3 days |  |" in answer
    assert "compared with 18 items done in the last 90 days" in answer


async def test_only_of_a_sprint(bot: Bot, clock: Clock) -> None:
    boxes, cards = usual_past()
    number = await record_past(bot, clock, boxes, [*cards, FlowCard(2001).opened("10-20").assigned("10-26")])
    answer = await ask_command(bot, number, '/aging for:"Sprint 24" as:table')

    assert "### Age of work · Sprint 24" in answer
    assert "#2001" not in answer
    assert "2 items in progress" in answer


async def test_an_unknown_sprint_and_weeks_are_refused(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)

    assert "no milestone called “Sprint 99”" in await ask_command(bot, number, '/aging for:"Sprint 99"')
    assert "This argument does not exist" in await ask_command(bot, number, "/aging last:4")
