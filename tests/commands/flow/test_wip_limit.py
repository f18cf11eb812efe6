"""`/wip limit`: a setting that a command keeps, and what stands against it."""

import pytest

from commands.flow.wip_limit import parse_limit, set_limit
from commands.framework.errors import UserError
from tests.support.changes import query_database
from tests.support.repository_settings import read_command_settings, replace_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint

TEAMS = '{"teams": {"pay": {"labels": ["points: 5"], "people": ["alice", "bob", "carol"]}, "ops": {"people": ["dave"]}}}'


async def test_the_limit_is_kept_and_the_work_in_progress_is_held_against_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    comment = await bot.say(number, "/wip limit 5")

    answer = (await bot.answers(number))[-1]
    assert "**Work in progress limit:** no limit → **5**. 1 item is in progress; the limit is 5." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await read_command_settings(bot) == {"wip": {"limit": 5}}

    await bot.say(number, "/wip limit 3")
    assert "limit:** 5 → **3**" in (await bot.answers(number))[-1]
    await bot.say(number, "/wip limit 3")
    assert "The limit is already 3." in (await bot.answers(number))[-1]
    await bot.say(number, "/wip limit none")
    assert "limit:** 3 → **no limit**. 1 item is in progress." in (await bot.answers(number))[-1]


async def test_a_team_of_the_settings_has_a_limit_of_its_own(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, TEAMS)
    await bot.say(number, "/start")
    await bot.say(number + 2, "/start")
    await bot.say(number, "/wip limit 3 team:Pay")

    answer = (await bot.answers(number))[-1]
    assert (
        "**Work in progress limit of team pay:** no limit → **3**. 1 item of team pay is in progress"
        in answer
    )
    assert await read_command_settings(bot) == {"wip": {"teams": {"pay": 3}}}


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        ("/wip limit", "`limit` is missing"),
        ("/wip limit many", "“many” is not a valid limit. Use a number from 1 to 999, or `none`."),
        ("/wip limit 0", "“0” is not a valid limit."),
        (
            "/wip limit 3 team:nobody",
            "There is no team “nobody” in the settings file. Its teams are `ops`, `pay`.",
        ),
        ("/wip limit 3 team:ops", "I show a team's numbers only if at least 3 people work in it"),
    ],
)
async def test_invalid_input_is_refused_with_valid_examples(bot: Bot, comment: str, why: str) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, TEAMS)
    await bot.say(number, comment)

    (answer,) = await bot.answers(number)
    assert why in answer.replace('"limit"', "limit")
    assert not await query_database(bot, "select 1 from projects where said <> '{}'")


async def test_it_is_for_maintainers(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/wip limit 5", as_user="bob")
    assert "`/wip limit` needs the maintain role; yours is write." in (await bot.answers(number))[0]


@pytest.mark.parametrize(
    ("before", "most", "slug", "after"),
    [
        (None, 5, None, {"limit": 5}),
        ({"limit": 5}, 3, None, {"limit": 3}),
        ({"limit": 5}, None, None, {}),
        ({"limit": 5}, 3, "pay", {"limit": 5, "teams": {"pay": 3}}),
        ({"limit": 5, "teams": {"Pay": 4, "ops": 2}}, 3, "pay", {"limit": 5, "teams": {"ops": 2, "pay": 3}}),
        ({"teams": {"pay": 4}}, None, "pay", {}),
        ("five", 3, "pay", {"teams": {"pay": 3}}),
    ],
)
def test_what_else_is_settled_stays(
    before: object, most: int | None, slug: str | None, after: dict[str, object]
) -> None:
    assert set_limit(before, most, slug) == after


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1000", "²", "9" * 5000, "five"])
def test_what_is_no_limit_is_refused(value: str) -> None:
    with pytest.raises(UserError):
        parse_limit(value)
