"""`/sprint goal`: what the sprint is for, and in the end whether that was reached."""

import re

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, Arguments, Kind
from commands.framework.changes import Changes, EditMilestone, Settle
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.shared.choosing import refuse_led, sprint_meant

_GOAL_LINE = re.compile(r"^[ \t]*goal:.*$", re.IGNORECASE | re.MULTILINE)
_VERDICTS = {"met", "missed"}
GOALS = "goals"


@command(
    "sprint goal",
    summary="sets the sprint's goal, or says whether it was met",
    level=Level.WRITE,
    arguments=(
        Argument(
            "goal",
            Kind.TEXT,
            "the goal in quotation marks, `met` or `missed`",
            is_positional=True,
            is_required=True,
        ),
        Argument("milestone", Kind.TEXT, "of another sprint than the one that is running"),
    ),
    examples=('/sprint goal "Customers can pay by card"', "/sprint goal met"),
    is_changing=True,
)
async def sprint_goal(context: Context, arguments: Arguments) -> Changes:
    """The goal is a line of the milestone's description; the verdict is ours, by people."""
    sprint = await sprint_meant(context, arguments.text("milestone"))
    refuse_led(context, sprint)
    said = arguments.text("goal") or ""
    if said.lower() in _VERDICTS:
        if not sprint.goal:
            raise UserError(
                f"{plain(sprint.title)} has no goal yet that could be {said.lower()}. "
                'Set one with `/sprint goal "…"`.'
            )
        before = verdicts(context.project.settings)
        after = before | {str(sprint.milestone): said.lower()}
        return Changes(
            f"note that the goal of {plain(sprint.title)} was {said.lower()}",
            (Settle(GOALS, before or None, after),),
            f"**Goal of {plain(sprint.title)}:** {plain(sprint.goal)} – **{said.lower()}**",
        )
    description = with_goal(sprint.description, said)
    done = f"**Goal of {plain(sprint.title)}:** {plain(said)}"
    if sprint.goal:
        done += f"\n\nIt was: {plain(sprint.goal)}"
    step = EditMilestone(sprint.number, {"description": sprint.description}, {"description": description})
    return Changes(f"set the goal of {plain(sprint.title)}", (step,), done)


def verdicts(settings: dict[str, object]) -> dict[str, str]:
    """Which goals were met or missed, by GitHub's id of the milestone."""
    told = settings.get(GOALS)
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def with_goal(description: str, goal: str) -> str:
    """The milestone's description with this goal, in place of the one that it has."""
    line = f"Goal: {' '.join(goal.split())}"
    if _GOAL_LINE.search(description):
        return _GOAL_LINE.sub(lambda _: line, description, count=1)
    return f"{line}\n{description}".rstrip()
