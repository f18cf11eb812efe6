"""Texts of the standup, and lists that other texts about work share."""

from collections.abc import Iterable, Sequence

from charts.reading import quantity
from commands.formatting.wording import folded, footer, format_moment, person, plain, weekday
from commands.messages.work import (
    blocked_line,
    bullet_list,
    duration_text,
    in_progress_line,
    since_text,
    wip_sentence,
)
from sprints.durations import Age
from sprints.flow import Flow
from sprints.numbering import ref
from sprints.reviews import ReviewWait
from sprints.standup import PersonAtWork, Standup
from sprints.wip import Wip
from sprints.work import RepositoryWork

# Of a large team further people are folded; of a very large one the last are left out.
_MOST_PEOPLE, _MOST_FOLDED = 12, 40
_MOST_EACH = 5


def standup_text(standup: Standup, wips: Sequence[Wip], work: RepositoryWork, team: str | None = None) -> str:
    """What happened, what each person has in progress, what waits, and the limits on work in progress.

    `team` is the slug of the only team whose items count.
    """
    of_team = f" · {plain(team)}" if team else ""
    parts = [f"### Since {weekday(standup.since)}{of_team}"]
    if not (standup.done or standup.started):
        parts.append("Nothing was done or started.")
    parts += list_sections(
        ("Done", [_flow_line(flow) for flow in standup.done]),
        ("Started", [_flow_line(flow) for flow in standup.started]),
    )
    parts += _in_progress(standup, work)
    parts += list_sections(
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


def _in_progress(standup: Standup, work: RepositoryWork) -> list[str]:
    """The work in progress, person by person in the order of their names, without counts to compare."""
    blocks = [_person_block(someone, work) for someone in standup.people]
    shown, rest = blocks[:_MOST_PEOPLE], blocks[_MOST_PEOPLE:]
    if standup.unassigned:
        shown.append(_named_list("Unassigned", standup.unassigned))
    if rest:
        more = [f"and {len(rest) - _MOST_FOLDED} more people"] if len(rest) > _MOST_FOLDED else []
        shown.append(folded(f"{len(rest)} more people", "\n\n".join([*rest[:_MOST_FOLDED], *more])))
    if standup.of_bots:
        shown.append(folded("In progress by bots", _age_list(standup.of_bots)))
    return ["**In progress**", *shown] if shown else []


def _person_block(someone: PersonAtWork, work: RepositoryWork) -> str:
    lines = [in_progress_line(age) for age in someone.ages]
    if len(lines) > _MOST_EACH:
        lines = [*lines[:_MOST_EACH], "and more, see `/aging`"]
    lines += [
        f"to review: {ref(request.flow.number)} – asked {since_text(request.since, work.now, work.calendar)}"
        for request in someone.reviews[:_MOST_EACH]
    ]
    if len(someone.reviews) > _MOST_EACH:
        lines.append("and more reviews")
    return f"{person(someone.login)}\n\n{bullet_list(lines, 2 * _MOST_EACH + 2)}"


def _named_list(name: str, ages: Sequence[Age]) -> str:
    return f"{name}\n\n{_age_list(ages)}"


def _age_list(ages: Sequence[Age]) -> str:
    return bullet_list([in_progress_line(age) for age in ages])


def _flow_line(flow: Flow) -> str:
    return (
        ref(flow.number) if flow.points is None else f"{ref(flow.number)} – {quantity(flow.points, 'points')}"
    )
