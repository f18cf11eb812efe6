"""`/cfd` and what it says of where work piles up."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from commands.messages.cumulative_flow import flow_table, summarize_cumulative_flow
from sprints.calendar import days_between
from sprints.cumulative_flow import CumulativeFlow, FlowDay, count_cumulative_flow, select_sprint_flows
from sprints.estimates import Estimates
from sprints.fact_folding import compute_facts
from sprints.flows import build_flows
from sprints.rules import Rules
from tests.support.builders import Box, at
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard, calendar
from tests.support.past import ask_command, record_past
from tests.support.running import Bot
from tests.support.sprints_strategies import NOWS, PROPERTY_SETTINGS, History, histories

MONDAY = date(2026, 11, 16)


def flow(*days: tuple[int, int, int, int]) -> CumulativeFlow:
    """Arrived, started, done and dropped on the days from a Monday on."""
    dates = days_between(MONDAY, date(2026, 11, 29))[: len(days)]
    return CumulativeFlow(tuple(FlowDay(day, *data) for day, data in zip(dates, days, strict=True)))


def reading(*days: tuple[int, int, int, int], is_over: bool = False) -> list[str]:
    result = flow(*days)
    return summarize_cumulative_flow(
        result, calendar(), date(2026, 12, 31) if is_over else result.days[-1].date
    )


def test_more_begun_than_finished_comes_first() -> None:
    assert reading((8, 1, 0, 0), (8, 3, 1, 0), (9, 6, 1, 1)) == [
        (
            "**Work in progress grew from 1 to 4** since the end of Mon 16 Nov: 5 started, 2 done or dropped. "
            "Finish something before you start more: `/aging` shows the oldest."
        ),
        "3 waiting + 4 in progress + 1 done + 1 dropped = **9 items** on Wed 18 Nov.",
        "The most was in progress on Wed 18 Nov: 4 items at once.",
    ]


def test_what_was_done_and_came_back_is_named() -> None:
    result = replace(flow((8, 1, 0, 0), (9, 6, 3, 0)), returned=1)
    lines = summarize_cumulative_flow(result, calendar(), result.days[-1].date)

    assert lines[1] == (
        "3 waiting + 3 in progress + 3 done = **9 arrivals** on Tue 17 Nov. "
        "1 of the 3 done items came back, each counted as a new arrival: **2 items** stayed done."
    )


def test_more_arriving_than_begun() -> None:
    lead = reading((4, 1, 0, 0), (9, 2, 1, 0))[0]
    assert lead == (
        "**Waiting work grew from 3 to 7** since the end of Mon 16 Nov: 5 arrived, 1 started. Agree on what to drop or postpone."
    )


def test_nothing_piles_up_nothing_moves_or_all_is_done() -> None:
    assert reading((4, 2, 1, 0), (4, 3, 2, 0))[0] == (
        "**Nothing piled up** since the end of Mon 16 Nov: 0 arrived, 1 started, 1 done."
    )
    assert reading((4, 2, 1, 0), (5, 2, 1, 0))[0] == (
        "**Nothing moved** since the end of Mon 16 Nov: none started, none done. Ask what is in the way: "
        "`/standup`."
    )
    assert reading((4, 2, 1, 0), (4, 4, 3, 1))[0] == "**Everything is done or dropped.**"
    assert reading((0, 0, 0, 0))[0].startswith("**There is nothing to draw**")


def test_of_what_is_over_nobody_is_reported_what_to_do() -> None:
    data = [((8, 1, 0, 0), (8, 5, 1, 0)), ((4, 1, 0, 0), (9, 2, 1, 0)), ((4, 2, 1, 0), (4, 2, 1, 0))]
    assert [reading(*days, is_over=True)[0] for days in data] == [
        "**Work in progress grew from 1 to 4** from the end of Mon 16 Nov to Tue 17 Nov: 4 started, 1 done.",
        "**Waiting work grew from 3 to 7** from the end of Mon 16 Nov to Tue 17 Nov: 5 arrived, 1 started.",
        "**Nothing moved** from the end of Mon 16 Nov to Tue 17 Nov: none started, none done.",
    ]


def test_days_on_which_nothing_was_done_are_reported_but_for_today_and_days_off() -> None:
    days = [(6, 2, 1, 0), *[(6, 3, 1, 0)] * 8]  # To the Tuesday of the week after.
    assert reading(*days, is_over=True)[2] == (
        "Nothing was done on 6 working days in a row, Tue 17 Nov to Tue 24 Nov."
    )
    assert reading(*days)[2] == "Nothing was done on 5 working days in a row, Tue 17 Nov to Mon 23 Nov."
    assert reading(*[(2, 2, 2, 0)] * 5)[2] == ""


def test_the_states_of_each_day_add_up() -> None:
    assert flow_table(flow((8, 1, 0, 0), (9, 6, 1, 1))).split("\n") == [
        "| Day | Waiting | In progress | Done | Dropped | **Arrived** |",
        "| :-- | --: | --: | --: | --: | --: |",
        "| Mon 16 Nov | 7 | 1 | 0 | 0 | **8** |",
        "| Tue 17 Nov | 3 | 4 | 1 | 1 | **9** |",
    ]
    assert "Dropped" not in flow_table(flow((8, 1, 0, 0)))


def test_a_card_of_the_sprint_arrives_when_it_comes_in() -> None:
    box = Box("11-10", start="11-16", due="2026-11-27")
    planned = FlowCard(1).opened("11-01").joined("11-12").assigned("11-16 09:00").closed("11-17 12:00")
    late = FlowCard(2).opened("11-01").joined("11-18 12:00")
    gone = FlowCard(3).opened("11-01").joined("11-12").left("11-18")
    cards = (planned, late, gone)
    facts = box.facts(*cards, as_of="11-19 12:00")
    events = {card.id: card.events for card in cards}
    flows = select_sprint_flows(facts, build_flows(events, at("11-19 12:00"), Rules(calendar())))

    result = count_cumulative_flow(flows, calendar(), date(2026, 11, 16), date(2026, 11, 19))

    assert [(day.arrived, day.started, day.done) for day in result.days] == [
        (1, 1, 0),
        (1, 1, 1),
        (2, 1, 1),
        (2, 1, 1),
    ]


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_what_is_left_is_what_the_sprint_has_left(history: History, as_of: object) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    sprint = facts.sprint
    until = min(sprint.end, facts.as_of) if sprint.end else facts.as_of
    if until <= sprint.start:
        return
    # In the frame that is known now, as the command folds it.
    facts = compute_facts(sprint, history.items, until, Estimates(history.sizes or {}), history.labels)
    rules = Rules(history.calendar)
    flows = select_sprint_flows(facts, build_flows(history.items, until, rules, history.labels))
    last = max(sprint.first_day, history.calendar.day_of(until))
    days = count_cumulative_flow(flows, history.calendar, sprint.first_day, last).days

    assert days[-1].waiting + days[-1].in_progress == facts.remaining.count
    assert days[-1].done >= facts.done.count


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/cfd for:"Sprint 21" as:table')

    assert answer.startswith(
        "### Cumulative flow · Sprint 21\n\n"
        "- **Nothing moved** from the end of Mon 26 Oct to Fri 30 Oct: none started, none done.\n"
        "- 3 in progress + 1 done = **4 items** on Fri 30 Oct.\n"
        "- Nothing was done on 4 working days in a row, Tue 27 Oct to Fri 30 Oct.\n\n"
        "**Items at the end of each day**"
    )
    assert "| Fri 30 Oct | 3 | 1 | **4** |" in answer
    assert "26 Oct 2026 – 30 Oct 2026, items of the sprint · in progress + done = arrived" in answer


async def test_nobody_says_which_so_it_is_the_running_sprint(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/cfd")

    assert answer.startswith("### Cumulative flow · Sprint 24\n\n- **Nothing piled up** since the end of Mon")
    assert '<img alt="Cumulative flow: on 18 November there were 2 in progress, 2 done. Since' in answer


async def test_the_last_weeks_are_of_the_whole_repository(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/cfd last:2 as:table")

    assert answer.startswith("### Cumulative flow · the last 2 weeks\n\n- **Nothing piled up** since the end")
    assert "- The most was in progress on Mon 9 Nov: 4 items at once.\n" in answer
    assert "| Sat 14 Nov | 4 | 1 | 4 | **9** |" in answer
    assert "without items already covered by linked items" in answer


async def test_without_any_sprint_it_looks_at_the_last_weeks(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock, cards=[FlowCard(1001).opened("11-09").assigned("11-10")])
    assert (await ask_command(bot, number, "/cfd")).startswith("### Cumulative flow · since ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("last:0", "`last:0` is not valid. Use a number of calendar weeks from 1 to 52"),
        ("last:2 for:x", "Give either a sprint or `last`"),
        ('for:"Sprint 99"', "no milestone called “Sprint 99”"),
        ("as:gif", "`as`"),
    ],
)
async def test_what_makes_no_sense_is_refused(bot: Bot, clock: Clock, arguments: str, words: str) -> None:
    number = await record_past(bot, clock)
    assert words in await ask_command(bot, number, f"/cfd {arguments}")


async def test_a_sprint_to_come_has_no_days(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    clock.now = at("2026-11-15 12:00")
    answer = await ask_command(bot, number, '/cfd for:"Sprint 24"')
    assert "Sprint 24 begins on 16 Nov 2026, so it has no complete day yet." in answer


async def test_a_stranger_hears_whom_it_is_for(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    assert "is for collaborators of this repository" in await ask_command(
        bot, number, "/cfd", as_user="mallory"
    )
