"""Texts about changes that are undone, or cannot be."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from commands.formatting.wording import code, counted, footer, format_moment, full_day, person, plain
from commands.framework.changes import (
    ApproveSeats,
    CreateMilestone,
    LinkIssue,
    OpenIssue,
    ProposeFile,
    Resync,
    Step,
)
from commands.messages.change_steps import Titles, step_text
from commands.messages.charts import sprint_argument
from commands.messages.explain import short_moment
from commands.messages.undo_results import list_results
from sprints.calendar import Calendar
from sprints.estimates import Estimates
from storage.changes import CommandChange
from storage.undone_steps import UndoneChange

NOTHING_TO_UNDO = (
    "There is nothing to undo: no command has changed anything here, or all of that has been undone already."
)
_AGAIN = "To do it again, run the command again; `/agile undo` undoes what came before it"
# Said before a step is done that cannot be undone, by its type.
_WARNINGS: dict[type, str] = {
    CreateMilestone: "`/agile undo` will not delete the new milestone; close it if you do not need it.",
    OpenIssue: "`/agile undo` will not close the new issues; close them if you do not need them.",
    ProposeFile: "`/agile undo` will not close the pull request; close it unmerged if you do not want it.",
    LinkIssue: "`/agile undo` will not remove the line from the description; edit it if you do not want it.",
    Resync: "`/agile undo` cannot undo this: corrections from GitHub stay recorded.",
    ApproveSeats: "`/agile undo` cannot undo this: you pay for the seats from now on.",
}


def irreversible_text(steps: Iterable[Step]) -> str:
    """What `/agile undo` could not take back of steps that are not done yet; empty if it could all."""
    return " ".join(dict.fromkeys(_WARNINGS[type(step)] for step in steps if type(step) in _WARNINGS))


def change_head(change: CommandChange, calendar: Calendar) -> str:
    """The command, who ran it and when: `/estimate 8` of `alice`, 20 Nov 2026, 14:30 UTC."""
    head = f"{code(change.command)} by {person(change.decided_by or change.actor)}"
    return f"{head}, {format_moment(calendar.local(change.decided_at))}" if change.decided_at else head


def undo_preview(
    head: str,
    undone: Sequence[Step],
    staying: Sequence[tuple[Step, str]],
    titles: Titles,
    notes: Iterable[str],
    skipped: Sequence[str] = (),
) -> str:
    """The text before a change is undone: what would be taken back, what would stay, and why.

    `skipped` says why newer changes stay, which the asker may have meant.
    """
    lines = "\n".join(f"- {step_text(step, titles)}" for step in undone)
    return _joined(
        [
            *skipped,
            f"{'Instead, this' if skipped else 'This'} undoes {head}:",
            lines,
            _staying_text(staying, titles),
            *notes,
        ]
    )


def undo_text(
    head: str,
    undone: Sequence[Step],
    staying: Sequence[tuple[Step, str]],
    titles: Titles,
    estimates: Estimates,
    notes: Iterable[str],
) -> str:
    """The text after a change was undone: how it is now, and what stays."""
    lines = "\n".join(f"- {line}" for line in list_results(undone, titles, estimates))
    return _joined([f"Undone: {head}.", lines, _staying_text(staying, titles), *notes, footer(_AGAIN)])


def cannot_undo_text(head: str, staying: Sequence[tuple[Step, str]], titles: Titles) -> str:
    """Why a change cannot be undone."""
    return f"{head}, cannot be undone:\n\n{_staying_lines(staying, titles)}"


def refused_undo_text(head: str) -> str:
    """Why a change is not tried again before older ones."""
    return f"{head}, stays: GitHub refused to undo it."


def no_right_text(change: CommandChange) -> str:
    """The refusal to undo a change of another person."""
    return (
        f"{code(change.command)} was run by {person(change.actor)}. They can undo it, or anyone with the "
        "maintain role."
    )


def frozen_note(title: str, frozen_on: date) -> str:
    """The note that a sprint's frozen numbers stay when a change to it is undone."""
    return (
        f"The numbers of {plain(title)} were frozen on {full_day(frozen_on)} and don't change; "
        f"`/sprint report{sprint_argument(title)}` lists what was undone since."
    )


def undone_line(change: UndoneChange, items: int, calendar: Calendar) -> str:
    """The line of `/explain` about a change that counts no more."""
    return (
        f"**Undone:** {code(change.command)} by {person(change.actor)}, {short_moment(change.at, calendar)}, "
        f"undone {_later_moment(change, calendar)} by {person(change.undone_by)}: "
        f"{counted(items, 'item')}, 0 net."
    )


def undone_footnote(change: UndoneChange, items: int, calendar: Calendar) -> str:
    """The footnote of a report about a change that was undone after the sprint's numbers were frozen."""
    moved = f"; {counted(items, 'item')} moved back" if items else ""
    ran = f"{code(change.command)} by {person(change.actor)}, {short_moment(change.at, calendar)}"
    undone = f"was undone on {short_moment(change.undone_at, calendar)} by {person(change.undone_by)}"
    return f"{ran}, {undone}{moved}"


def frozen_before_footnote(values: Mapping[str, Any], taken_at: datetime) -> str:
    """The footnote of a sprint that runs again: what its frozen numbers, which stay stored, say."""
    done, scope = (values["points"][name] for name in ("done", "scope"))
    return f"its numbers frozen on {full_day(taken_at.date())} are kept: {done} of {scope} points done"


def _later_moment(change: UndoneChange, calendar: Calendar) -> str:
    """When a change was undone; only the time, if that was on the same day."""
    if calendar.day_of(change.at) == calendar.day_of(change.undone_at):
        return f"at {calendar.local(change.undone_at):%H:%M}"
    return f"on {short_moment(change.undone_at, calendar)}"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _staying_text(staying: Sequence[tuple[Step, str]], titles: Titles) -> str:
    return f"This stays:\n\n{_staying_lines(staying, titles)}" if staying else ""


def _staying_lines(staying: Iterable[tuple[Step, str]], titles: Titles) -> str:
    return "\n".join(f"- {step_text(step, titles)} – {why}" for step, why in staying)
