"""Texts and tables about the load of a team."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.reading import number
from commands.formatting.wording import folded, footer, format_moment, plain, table
from commands.messages.standup import list_sections, wait_lines
from commands.messages.work import blocked_line, wip_sentence
from sprints.estimates import Points
from sprints.flow import Flow
from sprints.reviews import ReviewWait
from sprints.standup import list_blocked
from sprints.wip import FEWEST_PEOPLE, Wip
from sprints.work import RepositoryWork


@dataclass(frozen=True, slots=True)
class TeamLoad:
    """The open items of a team, and its pull requests that wait for a review.

    Without a slug these are the items of the whole repository.
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


def team_load_text(whole: TeamLoad, loads: Sequence[TeamLoad], work: RepositoryWork) -> str:
    """The work in progress against the limit, all open work by state, and the teams."""
    parts = ["### Load of the team", wip_sentence(whole.wip), _states(whole)]
    parts += list_sections(
        ("Blocked", [blocked_line(flow, work.now) for flow in list_blocked(whole.flows)]),
        ("Waiting for review", wait_lines(whole.waits, work)),
    )
    parts += _by_team(loads)
    as_of = f"As of {format_moment(work.calendar.local(work.now))}"
    parts.append(footer(as_of, f"{whole.people} people had work here in the last 90 days"))
    return "\n\n".join(parts)


def _states(load: TeamLoad) -> str:
    """A table in which each open item is counted in exactly one row."""
    rows = [
        ("In progress", load.wip.items),
        ("Paused", load.paused),
        ("Not started", load.not_started),
    ]
    lines = [_row(name, items) for name, items in rows]
    total = _row("Open", load.flows)
    lines.append([f"**{cell}**" for cell in total])
    return table(["", "Items", "Blocked items", "Points", "Items without an estimate"], lines)


def _row(name: str, items: Sequence[Flow]) -> list[str]:
    points = sum((flow.points for flow in items if flow.points is not None), Points(0))
    blocked = sum(bool(flow.open_blocks) for flow in items)
    unestimated = sum(flow.points is None for flow in items)
    return [name, str(len(items)), str(blocked), number(points), str(unestimated)]


def _by_team(loads: Sequence[TeamLoad]) -> list[str]:
    shown = [load for load in loads if load.people >= FEWEST_PEOPLE]
    small = [load for load in loads if load.people < FEWEST_PEOPLE]
    parts = []
    if shown:
        head = ["Team", "In progress", "Limit", "Paused", "Not started", "Open", "Waiting for review"]
        parts.append(folded("By team", table(head, [_team_row(load) for load in shown])))
    if small:
        names = ", ".join(plain(load.slug or "") for load in small)
        parts.append(f"Not shown, because I know of fewer than {FEWEST_PEOPLE} people in them: {names}.")
    return parts


def _team_row(load: TeamLoad) -> list[str]:
    in_progress = f"**{load.wip.count}**" if load.wip.excess else str(load.wip.count)
    limit = "–" if load.wip.most is None else str(load.wip.most)
    counts = (load.paused, load.not_started, load.flows, load.waits)
    return [plain(load.slug or ""), in_progress, limit, *(str(len(items)) for items in counts)]
