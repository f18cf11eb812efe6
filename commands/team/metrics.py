"""`/team metrics`: what a team did in the last four weeks and the four before, never by person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from charts.reading import number
from commands.formatting.wording import code, counted, footer, full_day, moment, plain, table
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from sprints.durations import Durations, measure_cycle_times, select_done
from sprints.team import LEAST_PEOPLE, TeamSum, WorkCounts, build_team_days, find_owner, list_people, sum_team

_WEEKS = 4
# The most people whose membership in a team is looked up; each takes a request to GitHub.
_MOST_ASKED = 100
_TIMES = Decimal("1.5")


@dataclass(frozen=True, slots=True)
class MetricsSpan:
    """Four whole weeks of a team: its sums, None where they would be those of too few people."""

    first: date
    last: date
    sums: TeamSum | None
    times: Durations

    @property
    def name(self) -> str:
        return f"{full_day(self.first)} – {full_day(self.last)}"


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
    """Show sums of whole weeks, so that both spans have the same weekends."""
    team, calendar = _parse_slug(arguments.text("team")), context.calendar
    today = calendar.day_of(context.now)
    last = today - timedelta(days=today.weekday() + 1)
    first = last - timedelta(days=2 * 7 * _WEEKS - 1)
    middle = first + timedelta(weeks=_WEEKS)
    flows = await context.read_flows()
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
    as_of = moment(calendar.local(context.now))
    small = footer(f"As of {as_of}", "sums of at least three people; no figure is that of a person")
    return Reply((team_text(team, before, now), small))


def team_text(team: str | None, before: MetricsSpan, now: MetricsSpan) -> str:
    """What moved the most, and the figures of both spans."""
    name = plain(team) if team else "everybody here"
    head = ("", now.name, before.name)
    return "\n\n".join(
        [f"### Team metrics · {name}", team_reading(before, now), table(head, _rows(before, now))]
    )


def team_reading(before: MetricsSpan, now: MetricsSpan) -> str:
    """The figure that moved the most, and what to do about it."""
    if now.sums is None:
        return ""
    people = counted(now.sums.people, "person").replace("persons", "people")
    if before.sums is None:
        return f"**{people} at work** in these four weeks; the four before had fewer than {LEAST_PEOPLE}."
    moved = [
        # Beside nothing at all, each is as far away as it is from one.
        (max(is_now, was) / max(min(is_now, was), Decimal(1)), title, was, is_now)
        for title, value in _FIGURES
        for was, is_now in [(value(before.sums.work), value(now.sums.work))]
    ]
    far = max((one for one in moved if one[0] >= _TIMES), default=None)
    if far is None:
        return f"**Nothing stands out**: {people} at work, and no figure moved by half."
    _, title, was, is_now = far
    how = "rose" if is_now > was else "fell"
    ask = "See what changed: days off, people, or the size of the work" if is_now < was else "See what helped"
    return (
        f"**{title} {how} from {number(was)} to {number(is_now)}**, the largest change; {people} at work, "
        f"{before.sums.people} before. {ask} (`/throughput`, `/cycletime`)."
    )


_FIGURES: Sequence[tuple[str, Callable[[WorkCounts], Decimal]]] = (
    ("Issues closed", lambda work: Decimal(work.issues_closed)),
    ("Points completed", lambda work: work.points_completed),
    ("Pull requests merged", lambda work: Decimal(work.pull_requests)),
    ("Commits on the default branch", lambda work: Decimal(work.commits)),
)


def _rows(before: MetricsSpan, now: MetricsSpan) -> list[list[str]]:
    rows = [
        [title, *(number(value(span.sums.work)) if span.sums else "–" for span in (now, before))]
        for title, value in _FIGURES
    ]
    rows.append(["Cycle time, 85 % within", *(_level(span) for span in (now, before))])
    rows.append(["People", *(str(span.sums.people) if span.sums else "–" for span in (now, before))])
    return rows


def _level(span: MetricsSpan) -> str:
    days = span.times.days_percentile(85)
    if days is None or span.sums is None:
        return "–"
    return f"{counted(days, 'day')} (n = {span.times.n})"


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
            f"Fewer than {LEAST_PEOPLE} people worked here {weeks}. Team metrics are sums of at least three, "
            "so that they are nobody's own figures."
        )
    return (
        f"I cannot show a team {code(team)} by itself {weeks}: fewer than {LEAST_PEOPLE} of it, or of all "
        "others, worked here, or there is no team of this short name. `/team metrics` shows everybody."
    )
