"""Changes that wait for a tick: a sample command, the box of its answer, and what GitHub shows afterwards."""

import re
from typing import Any

import pytest

from commands.framework import registry
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, MoveItem, Step
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.registry import Command, command
from storage.lookups import all_tenants
from tests.support.running import Bot, rows


@command(
    "evacuate",
    summary="takes items out of their milestone",
    level=Level.WRITE,
    arguments=(Argument("items", ArgumentKind.ITEMS, "which", is_positional=True, is_required=True),),
    examples=("/evacuate #1",),
    is_changing=True,
)
async def evacuate(context: Context, arguments: Arguments) -> Changes:
    """Take items out of their milestones: a minimal command with changes."""
    steps = list[Step]()
    for number in arguments.numbers("items"):
        item = await context.find_item(number)
        if item and item.milestone:
            sprints = {sprint.milestone: sprint.number for sprint in await context.sprints.all(context.now)}
            steps.append(MoveItem(number, sprints[item.milestone], None))
    return Changes(f"evacuate {len(steps)} items", tuple(steps), f"Evacuated {len(steps)} items.")


@pytest.fixture
def evacuate_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add `/evacuate` to the commands of the bot."""
    usual = registry.load_commands

    def load(package: Any) -> tuple[Command, ...]:
        return (*usual(package), evacuate)

    monkeypatch.setattr("bot.jobs.command_answers.load_commands", load)


async def query_database(bot: Bot, query: str) -> list[Any]:
    """Query the rows of the only tenant."""
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    return await rows(bot.base, query, tenant)


async def have_milestones(bot: Bot, *numbers: int) -> list[bool]:
    """Return for each item whether it has a milestone on GitHub."""
    return [(await bot.github.issue(bot.repo, number))["milestone"] is not None for number in numbers]


def box_line(answer: str) -> str:
    """Find the line with the box **Do it** in an answer."""
    (line,) = re.findall(
        r"^- \[ \] \*\*Do it\*\* <!-- agile-github-suite:change:\d+ -->$", answer, re.MULTILINE
    )
    return str(line)


async def tick_box(bot: Bot, number: int, as_user: str = "alice") -> None:
    """Tick the box in the bot's last comment with changes."""
    comments = await bot.github.comments(bot.repo, number)
    (comment,) = [comment for comment in comments if "agile-github-suite:change:" in comment["body"]]
    body = comment["body"].replace("- [ ] **Do it**", "- [x] **Do it**")
    await bot.github.edit_comment(bot.repo, comment["id"], body, as_user=as_user)
    await bot.rest()
