"""`/sprint scope`, from a person's comment to the bot's answer."""

import pytest

from commands.sprint.scope import _list_changes
from sprints.facts import ScopeCause
from storage.changes import AuditEntry
from tests.support.builders import Box, at
from tests.support.running import Bot
from tests.support.sprints import create_item, day_from_today, make_running_sprint, make_sprint


async def test_before_the_commitment(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint scope", as_user="dave")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12 · scope\n\n**8 points in 3 items** planned so far.")
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_who_asked_us_is_who_did_it(bot: Bot) -> None:
    await make_running_sprint(bot)
    number = await create_item(bot, 5)
    await bot.say(number, "/sprint add", as_user="carol")
    await bot.say(number, "/estimate 8", as_user="bob")
    await bot.say(number, '/sprint remove reason:"too early" milestone:"Sprint 12"', as_user="bob")
    await bot.say(number, '/sprint scope "Sprint 12"')

    answer = (await bot.answers(number))[-1]
    assert f"#{number} added by `carol`, 5 points" in answer
    assert f"#{number} re-estimated by `bob`, +3 points" in answer
    assert f"#{number} removed by `bob`, 8 points: too early" in answer
    assert "| **Scope** | **0** | **0** |" in answer
    assert bot.github.bot_login not in answer


async def test_bad_arguments(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(
        number,
        f'/sprint scope "Sprint 99"\n/sprint scope as-of:{day_from_today(3)}\n/sprint scope as-of:soon',
    )

    (answer,) = await bot.answers(number)
    assert "There is no milestone called “Sprint 99” here" in answer
    assert "is in the future" in answer
    assert "`as-of` must be a day, such as `yesterday`, " in answer


async def test_a_stranger_is_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint scope", as_user="mallory")

    (answer,) = await bot.answers(number)
    assert "`/sprint scope` is for collaborators" in answer


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        ({"type": "MoveItem", "number": 3, "before": None, "after": 12}, ScopeCause.ADDED),
        ({"type": "MoveItem", "number": 3, "before": 12, "after": 13}, ScopeCause.REMOVED),
        ({"type": "Relabel", "number": 3}, ScopeCause.REESTIMATED),
        ({"type": "MoveItem", "number": 3, "before": None, "after": 13}, None),
        ({"type": "CreateMilestone", "title": "Sprint 12"}, None),
        ({}, None),
    ],
)
def test_what_a_deed_did_to_the_scope(step: dict[str, object], cause: ScopeCause | None) -> None:
    entry = AuditEntry("alice", "/sprint add #3", "#3", {"step": step}, at("11-18"))

    assert [
        deed.cause
        for deed in _list_changes([entry], Box("11-10", number=12, milestone=1200).sprint(at("11-18")))
    ] == ([cause] if cause else [])
