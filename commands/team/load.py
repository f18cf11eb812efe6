"""`/team load`: the open work by state and against the limits, by team and never by person."""

from collections.abc import Sequence

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.team_load import TeamLoad, team_load_text
from commands.shared.work import read_review_waits, read_work
from sprints.flow import Flow
from sprints.reviews import ReviewWait
from sprints.wip import FEWEST_PEOPLE, Team, count_wip, list_people_at_work, select_team_flows
from sprints.work import RepositoryWork, select_recent


@command(
    "team load",
    summary="how much work is open, in progress, blocked and waiting for review, against the limits",
    level=Level.READ,
    examples=("/team load",),
    synonyms=("team status", "team", "sprint team", "workload"),
)
async def team_load(context: Context, _: Arguments) -> Reply:
    """Show the load of the repository and its teams; figures are shown for three people or more only."""
    work = await read_work(context)
    waits, settings = await read_review_waits(context, work), context.project.settings
    whole = measure_load(work.flows, waits, work, most=settings.wip_limits.repository)
    if whole.people < FEWEST_PEOPLE:
        raise UserError(
            f"I show a team's figures only for {FEWEST_PEOPLE} people or more, so that they never "
            f"describe one person. Here I know of {whole.people}. `/my` shows your own work."
        )
    teams, limits = settings.teams, settings.wip_limits
    loads = [
        measure_load(
            select_team_flows(team, teams, work.flows),
            waits,
            work,
            most=limits.limit_of(team.slug),
            team=team,
        )
        for team in teams
    ]
    return Reply((team_load_text(whole, loads, work),))


def measure_load(
    flows: Sequence[Flow],
    waits: Sequence[ReviewWait],
    work: RepositoryWork,
    *,
    most: int | None,
    team: Team | None = None,
) -> TeamLoad:
    """Measure the load of a team from its items; without a team, of the whole repository."""
    slug = team.slug if team else None
    items = {flow.item for flow in flows}
    return TeamLoad(
        tuple(flow for flow in flows if flow.is_open and not flow.is_covered),
        tuple(wait for wait in waits if wait.flow.item in items),
        count_wip(flows, most, slug),
        len(list_people_at_work(select_recent(flows, work.now), team)),
        slug,
    )
