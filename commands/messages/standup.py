"""Texts of the standup, and lists that other texts about work share."""

from collections.abc import Iterable, Sequence

from charts.reading import quantity
from commands.formatting.wording import footer, format_moment, plain, weekday
from commands.messages.work import blocked_line, bullet_list, duration_text, wip_sentence
from sprints.flow import Flow
from sprints.numbering import ref
from sprints.reviews import ReviewWait
from sprints.standup import Standup
from sprints.wip import Wip
from sprints.work import RepositoryWork


def standup_text(standup: Standup, wips: Sequence[Wip], work: RepositoryWork) -> str:
    """A list for each kind of news, and the work in progress against its limits."""
    day = weekday(standup.since)
    parts = [f"### Since {day}"]
    if not (standup.done or standup.started):
        parts.append("Nothing was done or started.")
    parts += list_sections(
        ("Done", [_flow_line(flow) for flow in standup.done]),
        ("Started", [_flow_line(flow) for flow in standup.started]),
        ("Paused", [paused_line(flow) for flow in standup.paused]),
        ("Blocked", [blocked_line(flow, work.now) for flow in standup.blocked]),
        ("Waiting for review", wait_lines(standup.waiting, work)),
    )
    parts.append("\n".join(wip_sentence(wip) for wip in wips))
    parts.append(footer(f"As of {format_moment(work.calendar.local(work.now))}"))
    return "\n\n".join(parts)


def list_sections(*lists: tuple[str, Sequence[str]]) -> list[str]:
    """Bullet lists under their titles and counts; empty lists are left out."""
    return [f"**{name} ({len(lines)})**\n\n{bullet_list(lines)}" for name, lines in lists if lines]


def wait_lines(waits: Iterable[ReviewWait], work: RepositoryWork) -> list[str]:
    """A line for each pull request that waits for a review: #12 – for 3 days."""
    return [f"{ref(wait.flow.number)} – for {duration_text(work.now - wait.since)}" for wait in waits]


def paused_line(flow: Flow) -> str:
    """#12 – the design comes first."""
    reason = flow.pauses[-1].reason
    return f"{ref(flow.number)} – {plain(reason)}" if reason else ref(flow.number)


def _flow_line(flow: Flow) -> str:
    return (
        ref(flow.number) if flow.points is None else f"{ref(flow.number)} – {quantity(flow.points, 'points')}"
    )
