"""`/sprint plan`: whether what is planned is what the team usually does."""

from collections.abc import Sequence

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.plan import LoadComparison, count_working_days, plan_text
from commands.shared.choosing import sprint_meant
from commands.shared.overload import velocities
from commands.shared.reporting import fold
from sprints.facts import Amount
from sprints.milestone import Phase, Sprint
from sprints.selection import choose
from sprints.upcoming import to_plan


@command(
    "sprint plan",
    summary="compares what is planned with what the team usually does, and says if it is too much",
    level=Level.WRITE,
    arguments=(
        Argument(
            "name", ArgumentKind.TEXT, "the milestone's title; else the next sprint's", is_positional=True
        ),
    ),
    examples=("/sprint plan", '/sprint plan "Sprint 25"'),
)
async def sprint_plan(context: Context, arguments: Arguments) -> Reply:
    """The load beside the median velocity, in both units."""
    sprints = await context.sprints.all(context.now)
    sprint = await _meant(context, sprints, arguments.text("name"))
    facts = await fold(context, sprint, context.now)
    usual = await velocities(context, facts)
    counted = {outcome.milestone for outcome in usual.items.outcomes}
    before = choose(sprints, context.now, None)
    is_before = before and before.milestone != sprint.milestone and before.phase(context.now) is Phase.ACTIVE
    plan = LoadComparison(
        facts,
        usual.items,
        usual.points,
        [days for ended in sprints if ended.milestone in counted and (days := count_working_days(ended))],
        before if is_before else None,
        (await fold(context, before, context.now)).remaining if before and is_before else Amount(),
    )
    return Reply((plan_text(plan),))


async def _meant(context: Context, sprints: Sequence[Sprint], title: str | None) -> Sprint:
    if title is None and (found := to_plan(sprints, context.now, context.request.milestone)):
        return found
    return await sprint_meant(context, title)
