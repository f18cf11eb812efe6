"""Declarations of commands: their examples work, and the generated pages are up to date."""

from datetime import date

import pytest

import commands
from bot.cli import docs
from commands.dispatch import MOST_COMMANDS
from commands.framework.argument_parser import parse_arguments
from commands.framework.input_settings import InputSettings
from commands.framework.registry import Command, load_commands
from tests.support.running import Bot
from tests.support.sprints import make_sprint

COMMANDS = load_commands(commands)
EXAMPLES = [(command, example) for command in COMMANDS for example in command.examples]


def test_there_are_commands_and_each_has_examples() -> None:
    assert COMMANDS
    assert all(command.examples and command.summary for command in COMMANDS)


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_the_command_with_arguments_that_it_takes(command: Command, example: str) -> None:
    assert example.startswith(f"/{command.name}")

    settings = InputSettings(date(2026, 11, 25))
    parse_arguments(example, len(f"/{command.name}"), command.accepted, settings)


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_the_syntax_names_every_argument(command: Command) -> None:
    assert command.syntax.startswith(f"/{command.name}")
    assert all(argument.syntax in command.syntax for argument in command.arguments)
    assert all(
        argument.name in argument.syntax for argument in command.arguments if not argument.is_positional
    )


async def test_every_example_is_answered(bot: Bot) -> None:
    """In a sprint whose title is the examples', a few at a time; what they change may stop a later one."""
    number = await make_sprint(bot, title=_title())
    # Behind a pause nothing would be answered; its own tests have it.
    lines = [example for command, example in EXAMPLES if command.name != "agile pause"]
    for first in range(0, len(lines), MOST_COMMANDS):
        comment = await bot.say(number, "\n".join(lines[first : first + MOST_COMMANDS]))

        assert bot.reactions(comment)[0] == "eyes"
        assert len(bot.reactions(comment)) == 2
    answers = "\n".join(await bot.answers(number))
    assert answers
    assert "Something went wrong" not in answers
    assert "does not exist" not in answers


async def test_a_command_answers_under_our_own_name_too(bot: Bot) -> None:
    number = await make_sprint(bot)

    comment = await bot.say(number, "/agile sprint status by:count")

    assert bot.reactions(comment) == ["eyes", "+1"]
    assert len(await bot.answers(number)) == 1


def _title() -> str:
    """The sprint that the examples speak of."""
    quoted = [example.split('"')[1] for _, example in EXAMPLES if '"' in example]
    return quoted[0] if quoted else "Sprint 12"


def test_the_generated_pages_are_up_to_date() -> None:
    for path, text in docs.pages():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run `make docs`"
