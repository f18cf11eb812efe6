"""`/team load`: the open work by state and against the limits, by team and never by person."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.reading import number
from commands.formatting.wording import folded, footer, moment, plain, table
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import against, blocked_line
from commands.shared.work import read_review_waits, read_work
from commands.team.standup import sections, wait_lines
from sprints.estimates import Points
from sprints.flow import Flow
from sprints.reviews import ReviewWait
from sprints.standup import list_blocked
from sprints.wip import FEWEST_PEOPLE, Team, Wip, items_of, people_of, wip_of
from sprints.work import RepositoryWork, select_recent


@dataclass(frozen=True, slots=True)
class TeamLoad:
    """The open items of a team; `waits` are its pull requests that wait for a review. Without a slug it is
    all of the repository.
    """

    flows: tuple[Flow, ...]
    waits: tuple[ReviewWait, ...]
    wip: Wip
    people: int
    slug: str | None = None

    @property
    def paused(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.is_paused]

    @property
    def not_started(self) -> list[Flow]:
        return [flow for flow in self.flows if flow.started_at is None and not flow.is_paused]


@command(
    "team load",
    summary="how much work is open, in progress, blocked and waiting for review, against the limits",
    level=Level.READ,
    examples=("/team load",),
)
async def team_load(context: Context, _: Arguments) -> Reply:
    """Show the load of the repository and its teams; figures are shown for three people or more only."""
    work = await read_work(context)
    waits, settings = await read_review_waits(context, work), context.project.settings
    whole = measure_load(work.flows, waits, work, most=settings.wip_limits.repository)
    if whole.people < FEWEST_PEOPLE:
        raise UserError(
            f"A team's figures are told for {FEWEST_PEOPLE} people or more, because they would be a person's "
            f"otherwise; here I know of {whole.people}. `/my` tells you your own."
        )
    teams, limits = settings.teams, settings.wip_limits
    loads = [
        measure_load(
            items_of(team, teams, work.flows), waits, work, most=limits.limit_of(team.slug), team=team
        )
        for team in teams
    ]
    return Reply((load_text(whole, loads, work),))


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
        wip_of(flows, most, slug),
        len(people_of(select_recent(flows, work.now), team)),
        slug,
    )


def load_text(whole: TeamLoad, loads: Sequence[TeamLoad], work: RepositoryWork) -> str:
    """What is in progress against the limit, all open work by its state, what is held up, and teams."""
    parts = ["### Load of the team", against(whole.wip), _states(whole)]
    parts += sections(
        ("Blocked", [blocked_line(flow, work.now) for flow in list_blocked(whole.flows)]),
        ("Waiting for review", wait_lines(whole.waits, work)),
    )
    parts += _by_team(loads)
    as_of = f"As of {moment(work.calendar.local(work.now))}"
    parts.append(footer(as_of, f"{whole.people} people had work here in the last 90 days"))
    return "\n\n".join(parts)


def _states(load: TeamLoad) -> str:
    """Each open item stands in one row."""
    rows = [
        ("In progress", load.wip.items),
        ("Paused", load.paused),
        ("Not started", load.not_started),
    ]
    lines = [_row(name, items) for name, items in rows]
    total = _row("Open", load.flows)
    lines.append([f"**{cell}**" for cell in total])
    return table(["", "Items", "of them blocked", "Points", "not estimated"], lines)


def _row(name: str, items: Sequence[Flow]) -> list[str]:
    points = sum((flow.points for flow in items if flow.points is not None), Points(0))
    blocked = sum(bool(flow.open_blocks) for flow in items)
    unestimated = sum(flow.points is None for flow in items)
    return [name, str(len(items)), str(blocked), number(points), str(unestimated)]


def _by_team(loads: Sequence[TeamLoad]) -> list[str]:
    told = [load for load in loads if load.people >= FEWEST_PEOPLE]
    small = [load for load in loads if load.people < FEWEST_PEOPLE]
    parts = []
    if told:
        head = ["Team", "In progress", "Limit", "Paused", "Not started", "Open", "Wait for review"]
        parts.append(folded("By team", table(head, [_team_row(load) for load in told])))
    if small:
        names = ", ".join(plain(load.slug or "") for load in small)
        parts.append(f"Not told, because fewer than {FEWEST_PEOPLE} people are known in them: {names}.")
    return parts


def _team_row(load: TeamLoad) -> list[str]:
    in_progress = f"**{load.wip.count}**" if load.wip.excess else str(load.wip.count)
    limit = "–" if load.wip.most is None else str(load.wip.most)
    counts = (load.paused, load.not_started, load.flows, load.waits)
    return [plain(load.slug or ""), in_progress, limit, *(str(len(one)) for one in counts)]
