"""`/velocity` and what it says of sprints."""

from dataclasses import replace

import pytest

from commands.messages.velocity import sprints_table, summarize_velocity
from sprints.calendar import Calendar
from sprints.velocity import compute_velocity
from tests.support.clock import Clock
from tests.support.outcomes import USUAL_OUTCOMES, make_team_outcome
from tests.support.past import ask_command, record_past
from tests.support.running import Bot


def test_a_sprint_that_brought_little_stands_out() -> None:
    assert summarize_velocity(compute_velocity([*USUAL_OUTCOMES, make_team_outcome(23, 25, 8, 8, 14)])) == [
        "Plan the next sprint with about **20 points**: the median of the last 4, which completed 8 to 22.",
        (
            "**Sprint 23 completed 8 points**, the median is 20: of 25 committed, it carried over 14. See "
            'what this waited for (`/explain carry-over for:"Sprint 23"`) before you plan the next one.'
        ),
        "Of what was committed, 70 % was done (median of 4), with the lowest in Sprint 23 (32 %).",
    ]


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ('The "last" one', '/explain carry-over for:«The "last" one»'),
        ("The `last` one", "/explain carry-over"),  # It cannot stand in a line of code.
    ],
)
def test_the_line_to_type_names_the_sprint_where_it_can(title: str, line: str) -> None:
    quoted = replace(make_team_outcome(23, 25, 8, 8, 14), title=title)
    lead = summarize_velocity(compute_velocity([*USUAL_OUTCOMES, quoted]))[1]
    assert f"See what this waited for (`{line}`) before" in lead


def test_a_sprint_that_brought_much_stands_out() -> None:
    lead = summarize_velocity(compute_velocity([*USUAL_OUTCOMES, make_team_outcome(23, 25, 50, 25)]))[1]
    assert lead == (
        "**Sprint 23 completed 50 points**, the median is 21.5; its commitment was 25. Do not plan with it: it was "
        "the exception."
    )


def test_nothing_stands_out() -> None:
    assert summarize_velocity(compute_velocity(USUAL_OUTCOMES))[1].startswith("**No sprint stands out**")


def test_too_few() -> None:
    lines = summarize_velocity(compute_velocity(USUAL_OUTCOMES[:2]))
    assert lines[0].startswith("**2 sprints finished: too few for a velocity**, which needs 3.")
    assert lines[1:] == [
        "Completed so far: 21 points, 19 points.",
        "Share of the commitment done: 90 % in Sprint 2, 50 % in Sprint 9.",
    ]
    assert summarize_velocity(compute_velocity([])) == [
        "**No sprint has finished yet.** A sprint counts once its due date has passed or it is closed."
    ]


def test_nothing_was_committed() -> None:
    lines = summarize_velocity(compute_velocity([make_team_outcome(n, 0, 5, 0) for n in (2, 9, 16)]))
    assert lines[2] == "Nothing was committed in any of them, so there is no say/do."


def test_the_figures_in_either_unit() -> None:
    assert "| Sprint 9 | 8 Nov 2026 | 22 | 19 | 11 | 50 % | 3 | 0 |" in sprints_table(
        compute_velocity(USUAL_OUTCOMES, "points"), Calendar()
    )
    assert "| Sprint 9 | 8 Nov 2026 | 11 | 9 | 5 | 45 % | 1 | 0 |" in sprints_table(
        compute_velocity(USUAL_OUTCOMES, "count"), Calendar()
    )


async def test_from_the_comment_to_the_answer(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/velocity as:table")

    assert (
        "- **Sprint 21 completed 3 points**, the median is 12: of 12 committed, it carried over 9" in answer
    )
    assert "- Plan the next sprint with about **12 points**: the median of the last 4, which completed 3 to 18." in answer  # fmt: skip
    assert "| Sprint 22 | 6 Nov 2026 | 12 | 18 | 12 | 100 % | 3 | 0 |" in answer
    assert "n = 4 sprints" in answer


async def test_fewer_sprints_and_the_other_unit(bot: Bot, clock: Clock) -> None:
    number = await record_past(bot, clock)
    answer = await ask_command(bot, number, "/velocity last:3 by:count as:table")

    assert "Sprint 20" not in answer
    assert "**4 items**: the median of the last 3, which completed 1 to 6." in answer


@pytest.mark.parametrize("last", [0, 2, 8])
async def test_too_few_or_too_many_are_refused(bot: Bot, clock: Clock, last: int) -> None:
    number = await record_past(bot, clock)
    assert f"`last:{last}` is not valid. Use a number from 3 to 7" in await ask_command(
        bot, number, f"/velocity last:{last}"
    )
