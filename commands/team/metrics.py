"""`/team metrics`: what a team did in the last four weeks, beside the four before. Never by person."""

from datetime import date, timedelta

from commands.formatting.wording import code, footer, moment
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
# So many people are looked up in a team at most; each is a question to GitHub.
_MOST_ASKED = 100


@command(
    "team metrics",
    summary="what the team did in the last four weeks, and in the four before; never by person",
    level=Level.READ,
    arguments=(
        Argument(
            "team",
            ArgumentKind.TEXT,
            "a team of the settings or of the organization, by its short name; else everybody",
        ),
    ),
    examples=("/team metrics", "/team metrics team:payments"),
)
async def team_metrics(context: Context, arguments: Arguments) -> Reply:
    """Four whole weeks each, so that days off and weekends weigh the same."""
    team, calendar = _slug(arguments.text("team")), context.calendar
    today = calendar.day_of(context.now)
    last = today - timedelta(days=today.weekday() + 1)
    first = last - timedelta(days=2 * 7 * _WEEKS - 1)
    middle = first + timedelta(weeks=_WEEKS)
    flows = await context.read_flows()
    pushes = await context.history.activity(
        "push", calendar.midnight(first), calendar.midnight(last + timedelta(days=1))
    )
    days = build_team_days(flows, pushes, context.now, calendar, first, last)
    members = None if team is None else await _members(context, team, list_people(days))
    mine = [flow for flow in flows if members is None or find_owner(flow).lower() in members]

    def span(begin: date, end: date) -> MetricsSpan:
        within = [day for day in days if begin <= day.date <= end]
        times = measure_cycle_times(select_done(mine, begin, end, calendar), calendar)
        return MetricsSpan(begin, end, sum_team(within, members), times)

    before, now = span(first, middle - timedelta(days=1)), span(middle, last)
    if now.sums is None:
        raise UserError(_too_few(team))
    as_of = moment(calendar.local(context.now))
    small = footer(f"As of {as_of}", "sums of at least three people; no figure is that of a person")
    return Reply((team_metrics_text(team, before, now), small))


def _slug(said: str | None) -> str | None:
    """`payments` of `@acme/payments`."""
    return said.rpartition("/")[2].removeprefix("@").lower() if said else None


async def _members(context: Context, team: str, people: frozenset[str]) -> frozenset[str]:
    """Those who belong to a team by the settings or else, of some people, by GitHub.

    Raises UserError for too many people to ask for.
    """
    for listed in context.project.settings.teams:
        if listed.slug == team and listed.people:
            return listed.people
    if len(people) > _MOST_ASKED:
        raise UserError(f"More than {_MOST_ASKED} people work here, too many to look up one by one.")
    return frozenset([login for login in sorted(people) if await context.github.is_in_team(login, team)])


def _too_few(team: str | None) -> str:
    """Why nothing is shown; one text, so that it does not tell who is in a team or worked."""
    weeks = f"in the last {_WEEKS} whole weeks"
    if team is None:
        return (
            f"Fewer than {LEAST_PEOPLE} people worked here {weeks}. Team metrics are sums of at least three, "
            "so that they are nobody's own figures."
        )
    return (
        f"I cannot show a team {code(team)} by itself {weeks}: fewer than {LEAST_PEOPLE} of it, or of all "
        "others, worked here, or there is no team of this short name. `/team metrics` shows everybody."
    )
