"""`/sprint report`, from a person's comment to the bot's answer."""

from tests.support.builders import Box, at
from tests.support.changes import query_database
from tests.support.clock import Clock
from tests.support.past import ask_command, record_past, usual_past
from tests.support.running import Bot
from tests.support.sprints import make_ended_sprint, make_sprint


async def test_a_running_sprint_so_far(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint report", as_user="dave")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 · report")
    assert "still running: these are its numbers so far" in answer
    assert "| Done | 3 | 1 |" in answer
    assert f"**Open:** #{number} (5 points), #{number + 2} (not estimated)." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_a_finished_sprint_is_reported_by_its_frozen_numbers(bot: Bot, clock: Clock) -> None:
    number = await make_ended_sprint(bot, clock)
    await bot.say(number, "/sprint report")
    (first,) = await bot.answers(number)
    assert "<sub>Frozen on" in first
    # Too little is estimated for points.
    assert "**1 of 3 items committed were done (33 %)**. 5 points in 2 items carried over." in first
    assert len(await query_database(bot, "select 1 from closed_sprints")) == 1

    await bot.github.reopen_issue(bot.repo, number + 1)
    await bot.rest()
    await bot.say(number, "/sprint report")
    (second,) = await bot.answers(number)
    assert "**1 of 3 items committed were done (33 %)**. 5 points in 2 items carried over." in second
    assert "became known later; the numbers don't change" in second
    assert f"- #{number + 1} was reopened afterwards" in second


async def test_moving_on_what_was_open_does_not_change_the_unit(bot: Bot) -> None:
    """The two that are open are all that keeps the sprint from being told in points."""
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close to:backlog confirm:yes")
    await bot.say(number, '/sprint report "Sprint 12"')

    report = (await bot.answers(number))[-1]
    assert "**1 of 3 items committed were done (33 %)**. 5 points in 2 items carried over." in report
    assert "**Velocity:** 1 item." in report


async def test_of_two_that_ended_at_once_only_one_is_before_the_other(bot: Bot, clock: Clock) -> None:
    boxes, cards = usual_past()  # Sprint 20 ends on 23 October.
    twin = Box(at("2026-10-16"), milestone=8020, number=80, title="Twin", due="2026-10-23")
    ask_in = await record_past(bot, clock, [*boxes, twin], cards)
    first = await ask_command(bot, ask_in, '/sprint report "Sprint 20"')
    second = await ask_command(bot, ask_in, "/sprint report Twin")

    assert "There is no earlier sprint to compare with." in first
    assert "The sprint before it: 12 points" in second


async def test_an_unknown_sprint(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, '/sprint report "Sprint 99"')

    (answer,) = await bot.answers(number)
    assert "There is no milestone called “Sprint 99” here" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_a_stranger_is_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint report", as_user="mallory")

    (answer,) = await bot.answers(number)
    assert "`/sprint report` is for collaborators of this repository" in answer
