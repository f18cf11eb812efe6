"""`/sprint goal`: set the sprint's goal, or say whether it was met."""

from dataclasses import replace

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting, EditMilestone
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import sprint_argument
from commands.shared.choosing import SPRINT, refuse_unless_leader, resolve_sprint
from commands.shared.goals import GOALS, stored_verdicts, with_goal

_VERDICTS = {"met", "missed"}


@command(
    "sprint goal",
    summary="sets the sprint's goal, or says whether it was met",
    level=Level.WRITE,
    arguments=(
        Argument(
            "goal",
            ArgumentKind.TEXT,
            "the goal in quotation marks, `met` or `missed`",
            is_positional=True,
            is_required=True,
        ),
        replace(SPRINT, is_positional=False),
    ),
    examples=('/sprint goal "Customers can pay by card"', "/sprint goal met"),
    is_changing=True,
)
async def sprint_goal(context: Context, arguments: Arguments) -> Changes:
    """Set the goal as a line of the milestone's description, or store a verdict on it as a setting."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    refuse_unless_leader(context, sprint)
    goal = arguments.text("goal") or ""
    if goal.lower() in _VERDICTS:
        if not sprint.goal:
            raise UserError(
                f"{plain(sprint.title)} has no goal yet that could be {goal.lower()}. "
                f'Set one with `/sprint goal "…"{sprint_argument(sprint.title)}`.'
            )
        before = stored_verdicts(context.project.stored_settings.get(GOALS))
        after = before | {str(sprint.milestone): goal.lower()}
        return Changes(
            f"note that the goal of {plain(sprint.title)} was {goal.lower()}",
            (ChangeSetting(GOALS, before or None, after),),
            f"**Goal of {plain(sprint.title)}:** {plain(sprint.goal)} – **{goal.lower()}**",
            topic=sprint.title,
        )
    description = with_goal(sprint.description, goal)
    done = f"**Goal of {plain(sprint.title)}:** {plain(goal)}"
    if sprint.goal:
        done += f"\n\nIt was: {plain(sprint.goal)}"
    step = EditMilestone(sprint.number, {"description": sprint.description}, {"description": description})
    return Changes(f"set the goal of {plain(sprint.title)}", (step,), done, topic=sprint.title)
