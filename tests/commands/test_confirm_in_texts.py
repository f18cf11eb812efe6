"""`confirm` is taken out of a previewed command by its place, never out of a quoted text."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.argument_parser import parse_arguments
from commands.framework.arguments import Argument, ArgumentKind
from commands.framework.input_settings import InputSettings
from tests.support.changes import query_database, tick_box
from tests.support.conversations import ask_bot
from tests.support.running import Bot
from tests.support.sprints import make_sprint

TITLES = ["Ask --confirm dialog", "confirm: yes page"]
ACCEPTED = (
    Argument("into", ArgumentKind.TEXTS, "titles", is_required=True),
    Argument("confirm", ArgumentKind.FLAG, "without a preview"),
)


async def list_titles(bot: Bot) -> list[str]:
    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    return sorted(str(issue["title"]) for issue in issues)


async def test_a_quoted_confirm_stays_in_the_previewed_command(bot: Bot) -> None:
    number = await make_sprint(bot)
    before = await list_titles(bot)
    command = '/split into:"Ask --confirm dialog","confirm: yes page"'
    await ask_bot(bot, number, command)
    await tick_box(bot, number)

    assert await list_titles(bot) == sorted([*before, *TITLES])
    assert [row.command for row in await query_database(bot, "select command from changes")] == [command]


@pytest.mark.parametrize("confirm", ["confirm:yes", "--confirm", "—confirm", "confirm: yes", "Confirm=y"])
async def test_every_spelling_of_the_argument_is_left_out_of_the_log(bot: Bot, confirm: str) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/sprint goal "Ship confirm:yes" {confirm}')
    (row,) = await query_database(bot, "select command from changes")
    assert row.command == '/sprint goal "Ship confirm:yes"'


@given(st.lists(st.sampled_from([*TITLES, "a", "b --confirm", "confirm"]), min_size=1), st.booleans())
def test_the_rest_of_a_line_reads_the_same_without_it(titles: list[str], is_first: bool) -> None:
    into = "into:" + ",".join(f'"{title}"' for title in titles)
    line = f"confirm:yes {into}" if is_first else f"{into} --confirm"
    settings = InputSettings(date(2026, 12, 1))
    parsed = parse_arguments(line, 0, ACCEPTED, settings)
    rest = parse_arguments(parsed.places.remove_argument("confirm"), 0, ACCEPTED, settings)
    assert parsed.flag("confirm")
    assert not rest.flag("confirm")
    assert rest.texts("into") == parsed.texts("into") == tuple(titles)
