"""`/burnup` and what it says of a sprint."""

from hypothesis import given

from commands.messages.sprint_charts import scope_equation, summarize_burnup
from sprints.burndown import build_burndown
from tests.support.builders import Box, Card, make_added_card, make_committed_card
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past
from tests.support.running import Bot
from tests.support.sprints_strategies import NOWS, PROPERTY_SETTINGS, History, histories


def reading(*cards: Card, as_of: str = "11-19 12:00") -> list[str]:
    facts = Box("11-10", start="11-16", due="2026-11-27").facts(*cards, as_of=as_of)
    return summarize_burnup(facts, build_burndown(facts, "points"))


def test_the_work_done_comes_first_then_the_largest_change_of_the_scope() -> None:
    cards = [
        make_committed_card(1),
        make_committed_card(2).closed("11-17"),
        make_committed_card(3, 2).left("11-17"),
        make_added_card(4, 5),
        make_added_card(5, 3),
    ]

    assert reading(*cards) == [
        "5 of 18 points done; today the ideal line goes from 3.6 to 4.8.",
        (
            '**The scope grew by 8 points on Wed 18 Nov**, 67 % of the commitment: #4, #5. Agree on what to remove in exchange: `/sprint scope for:"Sprint 12"` lists all changes.'
        ),
        "12 committed + 8 added − 2 removed = **18 points of scope**.",
    ]


def test_a_scope_that_fell_or_did_not_move() -> None:
    fell = reading(make_committed_card(1), make_committed_card(2).dropped("11-17"))
    assert fell[1].startswith("**The scope fell by 5 points on Tue 17 Nov**, 50 % of the commitment: #2.")
    assert reading(make_committed_card(1))[1].startswith("**The scope is unchanged since the start.**")
    assert (
        reading(make_committed_card(1), as_of="11-14")[0]
        == "**It has not started**; it starts on Mon 16 Nov."
    )


def test_a_scope_that_came_after_an_empty_start() -> None:
    assert "5 points on Wed 18 Nov**: #4." in reading(make_added_card(4, 5))[1]


@given(histories(), NOWS)
@PROPERTY_SETTINGS
def test_there_are_always_three_lines(history: History, as_of: object) -> None:
    facts = history.facts(as_of)  # type: ignore[arg-type]
    for unit in ("points", "count"):
        assert all(summarize_burnup(facts, build_burndown(facts, unit)))
        assert ("of scope" in scope_equation(facts, unit)) == facts.is_committed


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, '/burnup for:"Sprint 22" by:points as:table')

    assert answer.startswith("### Burnup · Sprint 22\n\n- 18 of 21 points done; the ideal line is at 12.\n")
    assert "- **The scope grew by 9 points on Mon 2 Nov**" in answer
    assert "- 12 committed + 9 added = **21 points of scope**.\n" in answer
