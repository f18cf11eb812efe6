"""`/cycletime` and what it says of how long items take."""

from commands.flow.cycletime import list_timed_items
from commands.messages.cycletime import items_table, left_out_sentence, summarize_cycletime
from sprints.calendar import Calendar
from sprints.durations import measure_cycle_times
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard, flows, make_finished_card
from tests.support.past import ask_command, record_past
from tests.support.running import Bot


def reading(*cards: FlowCard) -> list[str]:
    done = list(flows(*cards).values())
    return summarize_cycletime(list_timed_items(done, Calendar()), measure_cycle_times(done, Calendar()))


def test_the_longest_stands_out() -> None:
    days = [1, 2, 2, 2, 3, 3, 3, 4, 4, 20]
    assert reading(*(make_finished_card(n, d) for n, d in enumerate(days, start=1))) == [
        "Expect **85 % of items within 4 days**; half take at most 3, 95 % at most 20.",
        (
            "**#10 took 20 days**, half of the items took at most 3. `/explain cycle time` shows what started and "
            "ended it. If it was large, `/split` the next one like it; if it was waiting, record that with `/blocked` next time."
        ),
        "",
    ]


def test_nothing_stands_out_and_few_items_promise_nothing() -> None:
    lines = reading(make_finished_card(1, 2), make_finished_card(2, 3), make_finished_card(3, 4))
    assert lines[0] == (
        "**85 % within 4 days**, half within 3 days; with 3 items so far, that is too few to rely on."
    )
    assert (
        lines[1]
        == "**Nothing stands out**: the longest is #3 with 4 days, and half of the items took at most 3."
    )
    assert reading(make_finished_card(1, 2))[1] == "#1 took 2 days, the only item so far."


def test_what_is_left_out_is_counted_by_reason() -> None:
    never = FlowCard(4).opened("11-01").closed("11-05")
    late = FlowCard(5).opened("11-01").closed("11-05").assigned("11-06")
    again = FlowCard(6).opened("11-01").assigned("11-02").closed("11-03").reopened("11-04").closed("11-05")
    result = measure_cycle_times(flows(make_finished_card(1, 2), never, late, again).values(), Calendar())

    assert left_out_sentence(result) == (
        "Left out: 2 done items (1 started only after being done, 1 without a recorded start). "
        "1 of 2 items had been done before and then reopened."
    )
    assert reading(never)[0].startswith("**No item with a known start was done in this period.**")
    assert reading(never)[1] == "Left out: 1 done item (1 without a recorded start)."


def test_a_long_list_is_cut() -> None:
    done = list(flows(*(make_finished_card(n, 2) for n in range(1, 44))).values())
    lines = items_table(list_timed_items(done, Calendar())).split("\n")
    assert lines[2] == "| #1 | 2 Nov 2026 | 3 Nov 2026 | 2 |"
    assert lines[-1] == "| … 3 more |  |  | 2 or fewer |"


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/cycletime as:table")

    assert "- **#1013 took 21 days**, half of the items took at most 2." in answer
    assert "- Expect **85 % of items within 9 days**; half take at most 2, 95 % at most 21." in answer
    assert "| #1011 | 26 Oct 2026 | 3 Nov 2026 | 9 |" in answer
    assert "n = 18 items" in answer


async def test_of_a_sprint(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/cycletime for:"Sprint 20" as:table')

    assert "### Cycle time · Sprint 20" in answer
    assert "n = 4 items" in answer
    assert "#1013" not in answer
