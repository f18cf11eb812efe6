"""`/sprint plan`: whether what is planned is what the team usually does."""

from collections.abc import Sequence

from commands.arguments import Argument, Arguments, Kind
from commands.cards.plan import Plan, plan_text, working_days
from commands.choosing import sprint_meant
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from commands.reporting import LATE, fold
from sprints.facts import Amount
from sprints.late import credited, credits_of
from sprints.milestone import Phase, Sprint
from sprints.selection import choose
from sprints.upcoming import to_plan
from sprints.velocity import velocity


@command(
    "sprint plan",
    summary="compares what is planned with what the team usually does, and says if it is too much",
    level=Level.WRITE,
    arguments=(
        Argument("name", Kind.TEXT, "the milestone's title; else the next sprint's", is_positional=True),
    ),
    examples=("/sprint plan", '/sprint plan "Sprint 25"'),
)
async def sprint_plan(context: Context, arguments: Arguments) -> Reply:
    """The load beside the median velocity, in both units."""
    sprints = await context.sprints.all(context.now)
    sprint = await _meant(context, sprints, arguments.text("name"))
    facts = await fold(context, sprint, context.now)
    outcomes = [
        one for one in await context.sprints.outcomes(context.now) if one.milestone != sprint.milestone
    ]
    outcomes = credited(outcomes, credits_of(context.project.settings.get(LATE)))
    usual = velocity(outcomes)
    counted = {one.milestone for one in usual.outcomes}
    before = choose(sprints, context.now, None)
    is_before = before and before.milestone != sprint.milestone and before.phase(context.now) is Phase.ACTIVE
    plan = Plan(
        facts,
        velocity(outcomes, "count"),
        usual if usual.unit == "points" else None,
        [days for one in sprints if one.milestone in counted and (days := working_days(one))],
        before if is_before else None,
        (await fold(context, before, context.now)).remaining if before and is_before else Amount(),
    )
    return Reply((plan_text(plan),))


async def _meant(context: Context, sprints: Sequence[Sprint], title: str | None) -> Sprint:
    if title is None and (found := to_plan(sprints, context.now, context.request.milestone)):
        return found
    return await sprint_meant(context, title)
