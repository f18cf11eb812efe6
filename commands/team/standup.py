"""`/standup`: what happened since the last working day, and what is blocked or waits for review."""

from collections.abc import Iterable, Sequence

from charts.reading import quantity
from commands.formatting.wording import footer, moment, plain, weekday
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.work import against, blocked_line, lasting, listed
from commands.shared.work import read_review_waits, read_work
from sprints.flow import Flow
from sprints.numbering import ref
from sprints.reviews import ReviewWait
from sprints.standup import Standup, build_standup
from sprints.wip import Wip, limited_wips, wip_of
from sprints.work import RepositoryWork


@command(
    "standup",
    summary="what was done and started since the last working day, and what is blocked or waits for review",
    level=Level.READ,
    examples=("/standup",),
)
async def standup(context: Context, _: Arguments) -> Reply:
    """Show the standup of the whole repository, by items and not by people."""
    return Reply((await standup_report(context),))


async def standup_report(planning: Planning) -> str:
    """Render the standup of a repository as Markdown, for `/standup` and the daily post."""
    work = await read_work(planning)
    report = build_standup(work.flows, await read_review_waits(planning, work), work.now, work.calendar)
    settings = planning.project.settings
    limits = limited_wips(work.flows, settings.teams, settings.wip_limits)
    exceeded = [wip for wip in limits if wip.team and wip.excess]
    wips = [wip_of(work.flows, settings.wip_limits.repository), *exceeded]
    return standup_text(report, wips, work)


def standup_text(found: Standup, wips: Sequence[Wip], work: RepositoryWork) -> str:
    """One list for each question that has an answer, and the work in progress."""
    day = weekday(found.since)
    parts = [f"### Since {day}"]
    if not (found.done or found.started):
        parts.append("Nothing was done or started.")
    parts += sections(
        ("Done", [_worth(flow) for flow in found.done]),
        ("Started", [_worth(flow) for flow in found.started]),
        ("Paused", [paused_line(flow) for flow in found.paused]),
        ("Blocked", [blocked_line(flow, work.now) for flow in found.blocked]),
        ("Waiting for review", wait_lines(found.waiting, work)),
    )
    parts.append("\n".join(against(wip) for wip in wips))
    parts.append(footer(f"As of {moment(work.calendar.local(work.now))}"))
    return "\n\n".join(parts)


def sections(*told: tuple[str, Sequence[str]]) -> list[str]:
    """Lists under their names, with how many there are; empty ones are left out."""
    return [f"**{name} ({len(lines)})**\n\n{listed(lines)}" for name, lines in told if lines]


def wait_lines(waits: Iterable[ReviewWait], work: RepositoryWork) -> list[str]:
    return [f"{ref(wait.flow.number)} – for {lasting(work.now - wait.since)}" for wait in waits]


def paused_line(flow: Flow) -> str:
    """#12 – the design comes first."""
    reason = flow.pauses[-1].reason
    return f"{ref(flow.number)} – {plain(reason)}" if reason else ref(flow.number)


def _worth(flow: Flow) -> str:
    return (
        ref(flow.number) if flow.points is None else f"{ref(flow.number)} – {quantity(flow.points, 'points')}"
    )
