"""The words of the living comment: one per sprint, edited in place when facts change. Pure functions.

Its alerts, which are comments of their own, are told in `alert.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from charts.reading import number, signed, unit_word
from commands.formatting.wording import counted, folded, footer, named, person, plain, weekday
from commands.messages.report import amount_text
from commands.messages.status import facts_completeness, status_details, status_head
from sprints.alerts import BlockedItem
from sprints.burndown import Burndown
from sprints.facts import Facts, ScopeCause
from sprints.forecast_wording import in_words
from sprints.ledger import LedgerLine, group_ledger
from sprints.numbering import ref
from sprints.what_if import without_changes

MOST_CHANGES = 10
# A living comment is read often; of a longer list nobody reads the end.
_MOST_FOLDED = 100
_VERBS = {
    ScopeCause.ADDED: ("came in", "+"),
    ScopeCause.REMOVED: ("went out", "−"),
    ScopeCause.DROPPED: ("was dropped", "−"),
    ScopeCause.REESTIMATED: ("was estimated anew", ""),
}
_QUIET = "Edited in place, which notifies nobody. `/agile quiet on` silences this thread"


@dataclass(frozen=True, slots=True)
class StickyComment:
    """What a living comment shows.

    `expected` are the words for the sprint's end. `effects` tell by a line's key (`key_of`) what a scope
    change did to the forecast. `blocked` are items that wait.
    """

    facts: Facts
    burndown: Burndown
    expected: str = ""
    effects: Mapping[str, str] = field(default_factory=dict)
    blocked: Sequence[BlockedItem] = ()
    is_silenced: bool = False


def before_picture(living: StickyComment) -> str:
    """Where the sprint stands, what changed since its start, and what waits."""
    parts = [
        status_head(living.facts, living.burndown, living.expected),
        _changes(living),
        _blocked(living.blocked),
    ]
    return "\n\n".join(part for part in parts if part)


def after_picture(living: StickyComment) -> str:
    """The numbers behind it, and as of when they hold."""
    hint = "Edited in place, which notifies nobody" if living.is_silenced else _QUIET
    return f"{status_details(living.facts, living.burndown)}\n\n{footer(hint)}"


def digest(living: StickyComment, *more: object) -> str:
    """Equal for comments that tell the same, however much time has passed between them within a day.

    Words about the future are left out: they move a little with every hour, although nothing has happened.
    """
    bare = StickyComment(living.facts, living.burndown, blocked=living.blocked)
    numbers, _, _ = status_details(living.facts, living.burndown).rpartition("<sub>")
    told = [
        before_picture(bare),
        numbers,
        facts_completeness(living.facts),
        *map(str, (living.is_silenced, *more)),
    ]
    return sha256("\n".join(told).encode()).hexdigest()[:32]


def key_of(line: LedgerLine) -> str:
    """Names a line of the ledger for as long as it says the same."""
    numbers = ",".join(str(change.number) for change in line.changes)
    return f"{line.at.isoformat()} {line.cause} {numbers} {line.amount.points}"


def shown_lines(facts: Facts) -> list[LedgerLine]:
    """The ledger's lines that are shown openly, the latest first."""
    return list(reversed(group_ledger(facts.ledger)))[:MOST_CHANGES]


def without(line: LedgerLine, facts: Facts) -> Facts | None:
    """The numbers as if a line had not happened. None if it changed nothing of what is left to do."""
    if any(change.was_done for change in line.changes):
        return None
    before = without_changes(facts, line.changes)
    return before if before.remaining != facts.remaining else None


def effect_words(before: float, after: float) -> str:
    """What a change did to the chance to finish, in words; empty where these are the same.

    `before` is the chance without the change at the same time. What was said some time before the change is
    something else: the days since then count too.
    """
    was, now = in_words(before), in_words(after)
    return f"chance {was} → **{now}**" if was != now else ""


def _changes(living: StickyComment) -> str:
    facts = living.facts
    if not facts.ledger:
        return ""
    lines = list(reversed(group_ledger(facts.ledger)))
    change = facts.scope - facts.committed
    total = f"{signed(change.points)} {unit_word(change.points, 'points')}"
    title = f"**Scope since the start:** {total}, {counted(len(lines), 'change')}"
    shown = [_line(line, living) for line in lines[:MOST_CHANGES]]
    text = f"{title}\n" + "\n".join(shown)
    rest = lines[MOST_CHANGES:]
    if not rest:
        return text
    told = [_line(line, living) for line in rest[:_MOST_FOLDED]]
    more = [f"- and {len(rest) - _MOST_FOLDED} earlier ones"] if len(rest) > _MOST_FOLDED else []
    summary = f"{counted(len(rest), 'earlier change')}"
    return f"{text}\n\n{folded(summary, chr(10).join([*told, *more]))}"


def _line(line: LedgerLine, living: StickyComment) -> str:
    day = weekday(living.facts.sprint.calendar.day_of(line.at))
    verb, sign = _VERBS[line.cause]
    if len(line.changes) > 1:
        by = f" by {person(line.actor)}" if line.actor else ""
        what = f"{named(change.number for change in line.changes)}: {verb}{by}, {amount_text(line.amount)}"
    else:
        (change,) = line.changes
        points = change.amount.points
        shown = signed(points) if line.cause is ScopeCause.REESTIMATED else f"{sign}{number(points)}"
        worth = f"{shown} {unit_word(points, 'points')}" if points else "not estimated"
        # In a list GitHub shows its title with it.
        what = f"{ref(change.number)} {verb}, {worth}"
        what += ", though it was done" if change.was_done else ""
    effect = living.effects.get(key_of(line), "")
    return f"- {day} · {what}{f' · {effect}' if effect else ''}"


def _blocked(blocked: Sequence[BlockedItem]) -> str:
    if not blocked:
        return ""
    lines = [f"- {ref(one.number)} {waits(one)}" for one in blocked[:MOST_CHANGES]]
    if len(blocked) > MOST_CHANGES:
        lines.append(f"- and {len(blocked) - MOST_CHANGES} more")
    return "**Blocked**\n" + "\n".join(lines)


def waits(one: BlockedItem) -> str:
    """How long an item has waited, and for what."""
    since = f"for {counted(one.days, 'working day')}" if one.days else "since today"
    what = f", by {named(one.by)}" if one.by else ""
    return f"{since}{what}{f': {plain(one.reason)}' if one.reason else ''}"
