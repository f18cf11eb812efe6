"""Texts about items that join or leave a sprint. Pure functions from values to Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from charts.reading import number, quantity, signed, unit_word
from commands.formatting.wording import (
    counted,
    folded,
    footer,
    format_moment,
    full_day,
    named,
    person,
    plain,
    table,
    weekday,
)
from commands.messages.causes import CAUSES
from commands.messages.charts import sprint_argument
from commands.messages.report import amount_text
from sprints.burndown import measure_amount
from sprints.facts import Amount, Facts, Item, ScopeCause, ScopeChange, sum_items
from sprints.ledger import LedgerLine, group_ledger
from sprints.numbering import Number, ref
from sprints.people import is_bot
from sprints.swap import compute_room_needed

_MOST_LINES = 15
# The longest time between a person's request and the event by which GitHub reports the App's change.
_SOON = timedelta(minutes=10)
# The longest time between the removal of an old estimate label and the addition of the new one.
_AT_ONCE = timedelta(minutes=1)
_VERBS = {
    ScopeCause.ADDED: "added",
    ScopeCause.REMOVED: "removed",
    ScopeCause.DROPPED: "dropped",
    ScopeCause.REESTIMATED: "re-estimated",
}


# Moves of items


@dataclass(frozen=True, slots=True)
class Moves:
    """Items that join or leave a sprint, which goes from the facts `before` to the facts `after`.

    `notes` are remarks on items, by number. `swap` are items that could leave to make room.
    """

    before: Facts
    after: Facts
    notes: Sequence[tuple[Number, str]]
    reason: str = ""
    swap: Sequence[Item] = ()


def moves_text(moves: Moves) -> str:
    """Scope before and after, the items moved, and the effect on the commitment."""
    parts = [
        _scope_line(moves.before, moves.after),
        "\n".join(f"- {ref(item)}: {note}" for item, note in moves.notes),
        f"**Reason:** {plain(moves.reason)}" if moves.reason else "",
        _commitment(moves),
    ]
    return "\n\n".join(part for part in parts if part)


def _scope_line(before: Facts, after: Facts) -> str:
    title, change = plain(after.sprint.title), after.scope - before.scope
    if after.sprint.has_ended(after.as_of):
        return f"**{title}** has ended; its numbers are final."
    name = f"Planned for {title}" if not after.is_committed else f"Scope of {title}"
    line = f"**{name}:** {amount_text(before.scope)} → **{amount_text(after.scope)}**"
    if change == Amount():
        return f"**{name}:** {amount_text(after.scope)}, as before."
    return f"{line} ({_changed(change)})"


def _changed(change: Amount) -> str:
    points = f"{signed(change.points)} {unit_word(change.points, 'points')}"
    return f"{points}, {signed(Decimal(change.count))} {unit_word(Decimal(change.count), 'count')}"


def _commitment(moves: Moves) -> str:
    after, unit = moves.after, moves.after.unit
    if not after.is_committed or after.sprint.has_ended(after.as_of):
        return ""
    committed = measure_amount(after.committed, unit)
    over = measure_amount(after.scope, unit) - committed
    if compute_room_needed(moves.before, after, unit) <= 0:
        return ""
    text = f"That is **{quantity(over, unit)} over** the {quantity(committed, unit)} committed."
    if not moves.swap:
        return text
    numbers = " ".join(ref(item.number) for item in moves.swap)
    are = "is" if len(moves.swap) == 1 else "are"
    room = amount_text(sum_items(moves.swap))
    line = f"`/sprint remove {numbers}{sprint_argument(after.sprint.title)}`"
    return f"{text} To make room: {line} – {room}, which {are} open and not started."


# The ledger


@dataclass(frozen=True, slots=True)
class RequestedChange:
    """A change to an item that a person requested by command, from the audit log.

    `cause` is its effect on the scope.
    """

    number: Number
    cause: ScopeCause
    by: str
    at: datetime
    reason: str = ""


def scope_text(facts: Facts, requests: Sequence[RequestedChange] = ()) -> str:
    """The way from the commitment to the scope, in both units, and each change with its author and time."""
    sprint = facts.sprint
    as_of = format_moment(sprint.calendar.local(facts.as_of))
    parts = [
        f"### {plain(sprint.title)} · scope",
        _headline(facts),
        _equation(facts),
        _lines(facts, requests),
        footer(f"As of {as_of}"),
    ]
    return "\n\n".join(part for part in parts if part)


def _headline(facts: Facts) -> str:
    if not facts.is_committed:
        text = (
            f"**{amount_text(facts.scope)}** planned so far. Nothing is committed yet, so nothing "
            "counts as a change"
        )
        return f"{text}: the commitment is whatever is in it at the {_commitment_moment(facts)}."
    if not facts.ledger:
        return f"**{amount_text(facts.scope)}**, as committed: nothing has changed since."
    change = facts.scope - facts.committed
    if change == Amount():
        changes = counted(len(facts.ledger), "change")
        return f"**{amount_text(facts.scope)}**, as much as committed, after {changes}."
    return f"**{amount_text(facts.scope)}**, {_changed(change)} since the commitment."


def _commitment_moment(facts: Facts) -> str:
    sprint = facts.sprint
    if sprint.committed_at == sprint.start:
        return f"beginning of {full_day(sprint.first_day)}"
    return f"end of {full_day(sprint.commitment_day)}"


def _equation(facts: Facts) -> str:
    rows = [("Committed", number(facts.committed.points), str(facts.committed.count), "")]
    for name, cause, sign in CAUSES:
        lines = [line for line in facts.ledger if line.cause is cause]
        if lines:
            total = facts.total(cause)
            points = signed(total.points) if sign == "±" else f"{sign}{number(total.points)}"
            count = f"{sign}{total.count}" if total.count else "0"
            rows.append((name, points, count, named(dict.fromkeys(line.number for line in lines))))
    rows.append(("**Scope**", f"**{number(facts.scope.points)}**", f"**{facts.scope.count}**", ""))
    head = ("", "Points", "Items", "Which")
    marks = "| :-- | --: | --: | :-- |"
    first, _, *rest = table(head, rows).splitlines()
    return "\n".join([first, marks, *rest])


def _lines(facts: Facts, requests: Sequence[RequestedChange]) -> str:
    lines = [_line(line, facts, requests) for line in reversed(group_ledger(_without_swaps(facts.ledger)))]
    if not lines:
        return ""
    shown = "\n".join(lines[:_MOST_LINES])
    rest = lines[_MOST_LINES:]
    if not rest:
        return f"**Changes, the latest first**\n{shown}"
    more = folded(f"{counted(len(rest), 'earlier change')}", "\n".join(rest))
    return f"**Changes, the latest first**\n{shown}\n\n{more}"


def _without_swaps(ledger: Sequence[ScopeChange]) -> list[ScopeChange]:
    """The ledger with each pair of an old and a new estimate label as one re-estimate."""
    changes, latest = list[ScopeChange](), dict[tuple[Number, str | None], int]()
    for change in ledger:
        key = change.number, change.event.actor
        index = latest.get(key) if change.cause is ScopeCause.REESTIMATED else None
        if index is not None and change.at - changes[index].at <= _AT_ONCE:
            changes[index] = replace(changes[index], amount=changes[index].amount + change.amount)
            continue
        if change.cause is ScopeCause.REESTIMATED:
            latest[key] = len(changes)
        changes.append(change)
    return [
        change
        for change in changes
        if change.cause is not ScopeCause.REESTIMATED or change.amount != Amount()
    ]


def _line(line: LedgerLine, facts: Facts, requests: Sequence[RequestedChange]) -> str:
    at = facts.sprint.calendar.local(line.at)
    when = f"{weekday(facts.sprint.calendar.day_of(line.at))}, {at:%H:%M}"
    if len(line.changes) > 1:
        numbers = named(change.number for change in line.changes)
        return (
            f"- {when} · {_VERBS[line.cause]} {amount_text(line.amount)}{_by_author(line.actor)}: {numbers}"
        )
    (change,) = line.changes
    request = _find_request(change, requests)
    author = request.by if request else line.actor
    text = f"- {when} · {ref(change.number)} {_VERBS[line.cause]}{_by_author(author)}, {_points_text(change)}"
    if change.was_done:
        text += ", though it was done"
    return f"{text}: {plain(request.reason)}" if request and request.reason else text


def _points_text(change: ScopeChange) -> str:
    points = change.amount.points
    if change.cause is ScopeCause.REESTIMATED:
        return f"{signed(points)} {unit_word(points, 'points')}"
    return quantity(points, "points")


def _by_author(actor: str | None) -> str:
    return f" by {person(actor)}" if actor else ""


def _find_request(change: ScopeChange, requests: Sequence[RequestedChange]) -> RequestedChange | None:
    """The request behind a change that GitHub reports as made by the App."""
    if not is_bot(change.event.actor):
        return None
    candidates = [
        request for request in requests if request.number == change.number and request.cause is change.cause
    ]
    recent = [request for request in candidates if abs(request.at - change.at) <= _SOON]
    return min(recent, key=lambda request: abs(request.at - change.at), default=None)
