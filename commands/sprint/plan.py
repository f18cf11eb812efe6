"""`/sprint plan`: compare a sprint's load with the team's usual velocity."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.plan import LoadComparison, list_working_days, plan_text
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.overload import read_velocities
from commands.shared.reporting import read_facts
from sprints.capacity import Capacity, PersonCapacity, compute_capacity, list_shares
from sprints.facts import Amount
from sprints.milestone import Phase, Sprint
from sprints.selection import choose_sprint
from sprints.team_settings import TeamSettings
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
    earlier = [days for ended in sprints if ended.milestone in counted and (days := list_working_days(ended))]
    compared = () if velocities.items.is_too_few else earlier
    plan = LoadComparison(
        facts,
        velocities.items,
        velocities.points,
        [len(days) for days in earlier],
        running if is_still_running else None,
        (await read_facts(context, running, context.now)).remaining
        if running and is_still_running
        else Amount(),
        _compute_capacity(context.project.settings, sprint, compared),
        _list_absent(context.project.settings, sprint),
        is_fallback=arguments.text("sprint") is None and sprint.has_begun(context.now),
    )
    return Reply((plan_text(plan),))


def _compute_capacity(
    settings: TeamSettings, sprint: Sprint, earlier: Sequence[Sequence[date]]
) -> Capacity | None:
    """The capacity compared with that of earlier sprints; None without people or without an end."""
    shares, days = list_shares(settings.shares, settings.teams), list_working_days(sprint)
    return compute_capacity(shares, settings.absences, days, earlier) if shares and days else None


def _list_absent(settings: TeamSettings, sprint: Sprint) -> tuple[PersonCapacity, ...]:
    """Everyone of whom an absence is known, with the days that they are away."""
    people = {absence.person: Decimal(1) for absence in settings.absences}
    return compute_capacity(people, settings.absences, list_working_days(sprint) or ()).people


async def _resolve_planned_sprint(context: Context, sprints: Sequence[Sprint], title: str | None) -> Sprint:
    if title is None and (sprint := choose_sprint_to_plan(sprints, context.now, context.request.milestone)):
        return sprint
    return await resolve_sprint(context, title)
