"""The text of `/sprint list`. Pure functions from values to Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from charts.reading import number, percent, quantity
from commands.formatting.wording import counted, footer, format_moment, full_day, plain, table
from commands.messages.report import few_values
from sprints.facts import Amount
from sprints.milestone import Sprint
from sprints.velocity import SprintOutcome, Velocity


@dataclass(frozen=True, slots=True)
class SprintRow:
    """One sprint in the list.

    `outcome` is its result once it has ended, and `is_frozen` says that this result is from a snapshot.
    Before the end, `committed` and `done` are the numbers so far.
    """

    sprint: Sprint
    committed: Amount
    done: Amount
    outcome: SprintOutcome | None = None
    is_frozen: bool = False


def list_text(rows: Sequence[SprintRow], total: int, velocity: Velocity, now: datetime) -> str:
    """A table of sprints, the latest start first, out of `total` sprints."""
    shown = counted(total, "sprint") if len(rows) == total else f"The last {len(rows)} of {total} sprints"
    lines = [_line(row, now) for row in rows]
    head = ("Sprint", "Dates", "State", "Committed", "Done", "Say/do")
    parts = [
        f"### {shown[0].upper()}{shown[1:]}",
        _velocity(velocity),
        table(head, lines, numbers_from=3),
        footer("Points / items", f"As of {format_moment(now)}"),
    ]
    return "\n\n".join(part for part in parts if part)


def _line(row: SprintRow, now: datetime) -> tuple[str, ...]:
    say_do = "–"
    if row.outcome and not row.outcome.is_abandoned:
        shares = [row.outcome.say_do("points"), row.outcome.say_do("count")]
        say_do = " / ".join("–" if share is None else percent(share) for share in shares)
    is_planned = not row.sprint.has_begun(now)
    return (
        plain(row.sprint.title),
        _dates(row.sprint),
        _state(row, now),
        "not yet" if now < row.sprint.committed_at and not row.outcome else _both(row.committed),
        "–" if is_planned else _both(row.done),
        say_do,
    )


def _both(amount: Amount) -> str:
    return f"{number(amount.points)} / {amount.count}"


def _dates(sprint: Sprint) -> str:
    last = sprint.due or sprint.last_day
    return f"{full_day(sprint.first_day)} – {full_day(last) if last else 'no due date'}"


def _state(row: SprintRow, now: datetime) -> str:
    sprint = row.sprint
    if sprint.is_deleted:
        return "deleted"
    if row.outcome and row.outcome.is_abandoned:
        return "abandoned"
    if sprint.has_ended(now):
        if sprint.closed_at is None:
            return "ended, not closed"
        return "closed" if row.is_frozen else "closed, provisional"
    return "running" if sprint.has_begun(now) else "planned"


def _velocity(velocity: Velocity) -> str:
    if velocity.median is None or velocity.least is None or velocity.most is None:
        if not velocity.n:
            return ""
        done = few_values(velocity)
        return f"Done so far: {done} in {counted(velocity.n, 'sprint')}; a velocity needs three."
    spread = f"from {number(velocity.least)} to {number(velocity.most)}"
    median = quantity(velocity.median, velocity.unit)
    return f"**Velocity:** median {median} over the last {velocity.n} that ended, {spread}."


def newest_first(sprints: Iterable[Sprint]) -> list[Sprint]:
    """The sprints sorted by start, the latest first."""
    return sorted(sprints, key=lambda sprint: (sprint.start, sprint.number), reverse=True)
