"""`/standup`: who has what in progress, events since the last working day, and work that waits."""

from commands.formatting.wording import code
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.standup import standup_text
from commands.shared.work import read_review_requests, read_review_waits, read_work
from sprints.standup import build_standup
from sprints.wip import Team, count_wip, limited_wips, select_team_flows


@command(
    "standup",
    summary=(
        "what each person has in progress, what was done and started since the last working day, and what "
        "is blocked or waits for review"
    ),
    level=Level.READ,
    arguments=(Argument("team", ArgumentKind.TEXT, "a team of the settings, by its short name"),),
    examples=("/standup", "/standup team:payments"),
)
async def standup(context: Context, arguments: Arguments) -> Reply:
    """Show the standup of the whole repository, or of one of its teams."""
    return Reply((await standup_report(context, _resolve_team(context, arguments.text("team"))),))


async def standup_report(planning: Planning, team: Team | None = None) -> str:
    """Render the standup of a repository as Markdown, for `/standup` and the daily post."""
    work = await read_work(planning)
    settings = planning.project.settings
    flows = select_team_flows(team, settings.teams, work.flows) if team else list(work.flows)
    of_team = {flow.item for flow in flows}
    waits = [wait for wait in await read_review_waits(planning, work) if wait.flow.item in of_team]
    requests = [
        request
        for request in await read_review_requests(planning, work)
        if request.flow.item in of_team or (team and request.reviewer.lower() in team.people)
    ]
    report = build_standup(flows, waits, work.now, work.calendar, requests)
    if team:
        most = settings.wip_limits.limit_of(team.slug)
        return standup_text(report, [count_wip(flows, most, team.slug)], work, team.slug)
    limits = limited_wips(flows, settings.teams, settings.wip_limits)
    exceeded = [wip for wip in limits if wip.team and wip.excess]
    return standup_text(report, [count_wip(flows, settings.wip_limits.repository), *exceeded], work)


def _resolve_team(planning: Planning, name: str | None) -> Team | None:
    """Find a team of the settings by its slug: `payments` of `@acme/payments`. Raises UserError."""
    if name is None:
        return None
    slug, teams = name.rpartition("/")[2].removeprefix("@").lower(), planning.project.settings.teams
    for team in teams:
        if team.slug == slug:
            return team
    commands = ", ".join(code(f"/standup team:{team.slug}") for team in teams)
    advice = (
        f"Your teams: {commands}."
        if teams
        else "Your settings name no teams yet; `/standup` shows everybody."
    )
    raise UserError(f"There is no team {code(slug)} in your settings. {advice}")
