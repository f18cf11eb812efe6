"""Text of the sticky comment: one comment per sprint, edited in place when facts change. Pure functions.

Alerts are comments of their own; their texts are in `alert.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from charts.reading import number, signed, unit_word
from commands.formatting.wording import counted, folded, footer, named, person, plain, weekday
from commands.messages.report import amount_text
from commands.messages.status import facts_completeness, status_details, status_head
from commands.messages.time_left import ignore_time_of_day
from sprints.alerts import BlockedItem
from sprints.burndown import Burndown
from sprints.facts import Facts, ScopeCause
from sprints.forecast_wording import finish_in_words
from sprints.ledger import LedgerLine, group_ledger
from sprints.numbering import ref
from sprints.what_if import without_changes

MOST_CHANGES = 10
# The comment is read often, and people do not read the end of a longer list.
_MOST_FOLDED = 100
_VERBS = {
    ScopeCause.ADDED: ("added", "+"),
    ScopeCause.REMOVED: ("removed", "−"),
    ScopeCause.DROPPED: ("dropped", "−"),
    ScopeCause.REESTIMATED: ("re-estimated", ""),
}
_EDITED = "I edit this comment in place, which notifies nobody"
_SILENCING = "To silence this thread, run `/agile quiet on`"


@dataclass(frozen=True, slots=True)
class StickyComment:
    """The values that a sticky comment shows.

    `expected` is the forecast of the sprint's end in words. `effects` holds by a line's key (`line_key`) what
    a scope change did to the forecast. `blocked` are the items that wait.
    """

    facts: Facts
    burndown: Burndown
    expected: str = ""
    effects: Mapping[str, str] = field(default_factory=dict)
    blocked: Sequence[BlockedItem] = ()
    is_silenced: bool = False


def text_above_chart(comment: StickyComment) -> str:
    """Build the text above the chart: the status, scope changes since the start, and blocked items."""
    parts = [
        status_head(comment.facts, comment.burndown, comment.expected),
        _changes(comment),
        _blocked(comment.blocked),
    ]
    return "\n\n".join(part for part in parts if part)


def text_below_chart(comment: StickyComment) -> str:
    """Build the text below the chart: the numbers behind it, and the moment that they are from."""
    silencing = "" if comment.is_silenced else _SILENCING
    return f"{status_details(comment.facts, comment.burndown)}\n\n{footer(_EDITED, silencing)}"


def content_digest(comment: StickyComment, *more: object) -> str:
    """Digest a comment's content; the same for comments that differ only in the time of the day.

    Forecasts are left out: they move a little with every hour, although nothing has happened.
    """
    bare = StickyComment(comment.facts, comment.burndown, blocked=comment.blocked)
    numbers, _, _ = status_details(comment.facts, comment.burndown).rpartition("<sub>")
    parts = [
        ignore_time_of_day(text_above_chart(bare)),
        numbers,
        facts_completeness(comment.facts),
        *map(str, (comment.is_silenced, *more)),
    ]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def line_key(line: LedgerLine) -> str:
    """Identify a line of the ledger by its content. Stored as the key of the line's effect."""
    numbers = ",".join(str(change.number) for change in line.changes)
    return f"{line.at.isoformat()} {line.cause} {numbers} {line.amount.points}"


def shown_lines(facts: Facts) -> list[LedgerLine]:
    """The ledger's lines that are shown unfolded, the latest first."""
    return list(reversed(group_ledger(facts.ledger)))[:MOST_CHANGES]


def facts_without(line: LedgerLine, facts: Facts) -> Facts | None:
    """Compute the facts without the change of a line; None if the line does not affect the work left."""
    if any(change.was_done for change in line.changes):
        return None
    before = without_changes(facts, line.changes)
    return before if before.remaining != facts.remaining else None


def effect_words(before: float, after: float) -> str:
    """Describe the effect of a change on the chance to finish; empty if both chances read the same.

    `before` is the chance without the change at the same moment, not an earlier forecast: the days since then
    would count too.
    """
    was, now = finish_in_words(before), finish_in_words(after)
    return f"chance {was} → **{now}**" if was != now else ""


def _changes(comment: StickyComment) -> str:
    facts = comment.facts
    if not facts.ledger:
        return ""
    lines = list(reversed(group_ledger(facts.ledger)))
    change = facts.scope - facts.committed
    total = f"{signed(change.points)} {unit_word(change.points, 'points')}"
    title = f"**Scope since the start:** {total}, {counted(len(lines), 'change')}"
    shown = [_line(line, comment) for line in lines[:MOST_CHANGES]]
    text = f"{title}\n" + "\n".join(shown)
    rest = lines[MOST_CHANGES:]
    if not rest:
        return text
    folded_lines = [_line(line, comment) for line in rest[:_MOST_FOLDED]]
    more = [f"- and {len(rest) - _MOST_FOLDED} earlier changes"] if len(rest) > _MOST_FOLDED else []
    summary = f"{counted(len(rest), 'earlier change')}"
    return f"{text}\n\n{folded(summary, chr(10).join([*folded_lines, *more]))}"


def _line(line: LedgerLine, comment: StickyComment) -> str:
    day = weekday(comment.facts.sprint.calendar.day_of(line.at))
    verb, sign = _VERBS[line.cause]
    if len(line.changes) > 1:
        by = f" by {person(line.actor)}" if line.actor else ""
        text = f"{named(change.number for change in line.changes)} {verb}{by}, {amount_text(line.amount)}"
    else:
        (change,) = line.changes
        points = change.amount.points
        shown = signed(points) if line.cause is ScopeCause.REESTIMATED else f"{sign}{number(points)}"
        size = f"{shown} {unit_word(points, 'points')}" if points else "not estimated"
        # In a list GitHub shows its title with it.
        text = f"{ref(change.number)} {verb}, {size}"
        text += ", although already done" if change.was_done else ""
    effect = comment.effects.get(line_key(line), "")
    return f"- {day} · {text}{f' · {effect}' if effect else ''}"


def _blocked(blocked: Sequence[BlockedItem]) -> str:
    if not blocked:
        return ""
    lines = [f"- {ref(item.number)} {waiting_words(item)}" for item in blocked[:MOST_CHANGES]]
    if len(blocked) > MOST_CHANGES:
        lines.append(f"- and {len(blocked) - MOST_CHANGES} more")
    return "**Blocked**\n" + "\n".join(lines)


def waiting_words(item: BlockedItem) -> str:
    """Describe the time for which an item has been blocked, and its blockers."""
    since = f"for {counted(item.days, 'working day')}" if item.days else "since today"
    blockers = f", by {named(item.by)}" if item.by else ""
    return f"{since}{blockers}{f': {plain(item.reason)}' if item.reason else ''}"
