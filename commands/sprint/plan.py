"""`/sprint plan`: compare a sprint's load with the team's usual velocity."""

from collections.abc import Sequence
from dataclasses import replace

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.plan import LoadComparison, count_working_days, plan_text
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.overload import read_velocities
from commands.shared.reporting import read_facts
from sprints.facts import Amount
from sprints.milestone import Phase, Sprint
from sprints.selection import choose_sprint
from sprints.upcoming import choose_sprint_to_plan


@command(
    "sprint plan",
    summary="compares what is planned with what the team usually does, and says if it is too much",
    level=Level.WRITE,
    arguments=(replace(SPRINT, summary="the sprint's title or number; else the next one"),),
    examples=("/sprint plan", '/sprint plan "Sprint 25"'),
    synonyms=("sprint planning", "sprint capacity", "sprint load"),
)
async def sprint_plan(context: Context, arguments: Arguments) -> Reply:
    """Show the load beside the median velocity, in both units."""
    sprints = await context.sprints.all(context.now)
    sprint = await _resolve_planned_sprint(context, sprints, arguments.text("sprint"))
    facts = await read_facts(context, sprint, context.now)
    velocities = await read_velocities(context, facts)
    counted = {outcome.milestone for outcome in velocities.items.outcomes}
    running = choose_sprint(sprints, context.now, None)
    is_still_running = (
        running and running.milestone != sprint.milestone and running.phase(context.now) is Phase.ACTIVE
    )
    plan = LoadComparison(
        facts,
        velocities.items,
        velocities.points,
        [days for ended in sprints if ended.milestone in counted and (days := count_working_days(ended))],
        running if is_still_running else None,
        (await read_facts(context, running, context.now)).remaining
        if running and is_still_running
        else Amount(),
    )
    return Reply((plan_text(plan),))


async def _resolve_planned_sprint(context: Context, sprints: Sequence[Sprint], title: str | None) -> Sprint:
    if title is None and (sprint := choose_sprint_to_plan(sprints, context.now, context.request.milestone)):
        return sprint
    return await resolve_sprint(context, title)
