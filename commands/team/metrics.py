"""`/team metrics`: a team's work in the last four weeks and the four before, never by person."""

from datetime import date, timedelta

from commands.formatting.wording import code, footer, format_moment
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.team_metrics import MetricsSpan, team_metrics_text
from sprints.durations import measure_cycle_times, select_done
from sprints.team import LEAST_PEOPLE, build_team_days, find_owner, list_people, sum_team

_WEEKS = 4
# The most people whose membership in a team is looked up; each takes a request to GitHub.
_MOST_ASKED = 100


@command(
    "team metrics",
    summary="what the team did in the last four weeks, and in the four before; never by person",
    level=Level.READ,
    arguments=(
        Argument(
            "team",
            ArgumentKind.WORD,
            "a team of the settings or of the organization, by its short name; else everybody",
        ),
    ),
    examples=("/team metrics", "/team metrics team:payments"),
)
async def team_metrics(context: Context, arguments: Arguments) -> Reply:
    """Show sums of whole weeks, so that both spans have the same weekends."""
    team, calendar = _parse_slug(arguments.text("team")), context.calendar
    today = calendar.day_of(context.now)
    last = today - timedelta(days=today.weekday() + 1)
    first = last - timedelta(days=2 * 7 * _WEEKS - 1)
    middle = first + timedelta(weeks=_WEEKS)
    flows = await context.flows.active(calendar.midnight(first), context.now)
    pushes = await context.history.activity(
        "push", calendar.midnight(first), calendar.midnight(last + timedelta(days=1))
    )
    days = build_team_days(flows, pushes, context.now, calendar, first, last)
    members = None if team is None else await _find_members(context, team, list_people(days))
    team_flows = [flow for flow in flows if members is None or find_owner(flow).lower() in members]

    def span(begin: date, end: date) -> MetricsSpan:
        within = [day for day in days if begin <= day.date <= end]
        times = measure_cycle_times(select_done(team_flows, begin, end, calendar), calendar)
        return MetricsSpan(begin, end, sum_team(within, members), times)

    before, now = span(first, middle - timedelta(days=1)), span(middle, last)
    if now.sums is None:
        raise UserError(_too_few(team))
    as_of = format_moment(calendar.local(context.now))
    small = footer(f"As of {as_of}", "sums of at least three people; no figure is that of a person")
    return Reply((team_metrics_text(team, before, now), small))


def _parse_slug(name: str | None) -> str | None:
    """Parse a team's slug: `payments` of `@acme/payments`."""
    return name.rpartition("/")[2].removeprefix("@").lower() if name else None


async def _find_members(context: Context, team: str, people: frozenset[str]) -> frozenset[str]:
    """The members of a team by the settings, else those of `people` who belong to it on GitHub.

    Raises UserError if these are too many people to look up.
    """
    for listed in context.project.settings.teams:
        if listed.slug == team and listed.people:
            return listed.people
    if len(people) > _MOST_ASKED:
        raise UserError(f"More than {_MOST_ASKED} people work here, too many to look up one by one.")
    return frozenset([login for login in sorted(people) if await context.github.is_in_team(login, team)])


def _too_few(team: str | None) -> str:
    """The text why no figures are shown; the same for all reasons, so that it discloses no membership."""
    weeks = f"in the last {_WEEKS} whole weeks"
    if team is None:
        return (
            f"Fewer than {LEAST_PEOPLE} people worked here {weeks}. Team metrics cover at least "
            "three, so that they never describe one person."
        )
    return (
        f"I can't show the team {code(team)} on its own {weeks}: fewer than {LEAST_PEOPLE} people in it, or "
        "outside it, worked here, or there is no such team. `/team metrics` shows everybody."
    )
