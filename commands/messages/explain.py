"""The explanation of a number: its rule, the arithmetic, the items that add up to it, and their events.

Pure functions from values to Markdown.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from charts.reading import number
from commands.formatting.wording import code, folded, full_day, person, plain, table
from sprints.calendar import Calendar
from sprints.evidence import Event
from sprints.facts import Amount, sum_amounts
from sprints.model import EventSource, ItemEvent, State
from sprints.numbering import Number, ref

# A list of more rows than the first number is folded; rows beyond the second number become one.
_MOST_OPEN, _MOST_ROWS, _MOST_LABELS = 10, 100, 3
_WORDS = {
    "milestoned": "added to the milestone",
    "demilestoned": "removed from the milestone",
    "reopened": "reopened",
    "deleted": "deleted",
    "transferred": "transferred away",
    "converted_to_discussion": "turned into a discussion",
    "parent_added": "became a sub-issue",
    "parent_removed": "no longer a sub-issue",
    "edited": "text edited",
    "corrected": "corrected to match GitHub",
    "linked": "links corrected to match GitHub",
    "assigned": "assigned",
    "started": "`/start`",
    "status_changed": "status changed",
    "renamed": "label renamed",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The definition of a number in one sentence, and its source as Markdown."""

    name: str
    meaning: str
    source: str


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """One item of an explanation: its values, the events behind it, and a remark.

    `nothing` is the text for an item without events.
    """

    number: Number
    values: tuple[str, ...]
    events: tuple[Event, ...] = ()
    remark: str = ""
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class ItemListing:
    """A list of items with their values and the sum of these.

    `head` names the values and `remarks` the column of remarks. `amounts` belong to the rows, so that rows
    beyond the shown ones can be added up.
    """

    name: str
    head: tuple[str, ...]
    rows: Sequence[ExplanationRow]
    total: tuple[str, ...] = ()
    remarks: str = ""
    amounts: Sequence[Amount] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one number of a `subject`, which is a sprint or a span of days."""

    rule: Rule
    subject: str
    result: str
    arithmetic: Sequence[str]
    listing: ItemListing | None = None
    notes: Sequence[str] = ()
    calendar: Calendar | None = None


def explanation_text(explanation: Explanation, footer: str, *, is_verbose: bool = False) -> str:
    """The answer: the number, its arithmetic, the list of items with actors and times, and its rule.

    If it `is_verbose`, the list also names the deliveries that brought the events.
    """
    rule = explanation.rule
    parts = [
        f"### {rule.name} · {explanation.subject}: {explanation.result}",
        "\n".join(f"- {line}" for line in explanation.arithmetic if line),
    ]
    if explanation.listing and explanation.listing.rows:
        listed = listing_table(explanation.listing, explanation.calendar, is_verbose=is_verbose)
        is_long = len(explanation.listing.rows) > _MOST_OPEN
        parts.append(folded(explanation.listing.name, listed) if is_long else listed)
    meaning = f"**What it is:** {rule.meaning} <sub>Source: {rule.source}</sub>"
    parts += [*explanation.notes, meaning, footer]
    return "\n\n".join(part for part in parts if part)


def listing_table(items: ItemListing, calendar: Calendar | None, *, is_verbose: bool = False) -> str:
    """The rows as a table that ends with their sum. Rows beyond the first 100 are joined into one."""
    has_remarks = any(row.remark for row in items.rows)
    remarks = [items.remarks] if has_remarks else []
    head = [
        "Item",
        *items.head,
        *remarks,
        "What happened",
        "When",
        "Who",
        *(["Delivery"] if is_verbose else []),
    ]
    rows = []
    for row in items.rows[:_MOST_ROWS]:
        remark = [row.remark] if has_remarks else []
        rows.append([ref(row.number), *row.values, *remark, *_events(row, calendar, is_verbose=is_verbose)])
    blank = [""] * (len(head) - 1 - len(items.head))
    if rest := items.rows[_MOST_ROWS:]:
        rows.append([f"… {len(rest)} more", *_rest(items), *blank])
    if items.total:
        rows.append(["**Sum**", *(f"**{value}**" if value else "" for value in items.total), *blank])
    lines = table(head, rows, numbers_from=len(head)).split("\n")
    # Values are aligned to the right, everything else to the left.
    marks = [":--", *("--:" for _ in items.head), *(":--" for _ in blank)]
    return "\n".join([lines[0], f"| {' | '.join(marks)} |", *lines[2:]])


def amount_cells(amount: Amount) -> tuple[str, str]:
    """An amount in points and in items, as two table cells."""
    return number(amount.points), str(amount.count)


def addition_text(values: Iterable[Decimal], total: str) -> str:
    """`2 × 5 + 3 = 13 points`: equal values together, the largest first."""
    counts = Counter(values)
    if not counts:
        return f"There is nothing to add up: {total}"
    terms = []
    for value in sorted(counts, reverse=True):
        shown = f"({number(value)})" if value < 0 else number(value)
        terms.append(shown if counts[value] == 1 else f"{counts[value]} × {shown}")
    return f"{' + '.join(terms)} = **{total}**"


def event_text(event: Event) -> str:
    """An event in a few words."""
    if isinstance(event, ItemEvent):
        return _item_words(event)
    if event.new_name:
        return f"label {plain(event.name)} renamed to {plain(event.new_name)}"
    return f"label {plain(event.name)} deleted"


def _item_words(event: ItemEvent) -> str:
    snapshot = event.snapshot
    match event.event:
        case "labeled" | "unlabeled" if event.label:
            verb = "labelled" if event.event == "labeled" else "label removed:"
            return f"{verb} {plain(event.label)}"
        case "unlabeled":
            return "a label was deleted"
        case "opened":
            labels = (
                f" with {', '.join(map(plain, snapshot.labels[:_MOST_LABELS]))}" if snapshot.labels else ""
            )
            return f"opened{' in a milestone' if snapshot.milestone else ''}{labels}"
        case "closed" if snapshot.state is State.DROPPED:
            return "closed unmerged" if snapshot.is_pull_request else "closed as not planned or duplicate"
        case "closed":
            return "merged" if snapshot.is_pull_request else "closed"
        case other:
            return _WORDS.get(other, plain(other.replace("_", " ")))


def delivery_text(event: Event) -> str:
    """GitHub's id of the delivery that brought an event, or how else the event came to be recorded."""
    if event.source is EventSource.BACKFILL:
        return "fetched later"
    if event.source is EventSource.CORRECTION:
        return "found later"
    return code(event.delivery.replace("`", "")) if event.delivery else ""


def short_moment(at: datetime, calendar: Calendar | None) -> str:
    """18 Nov 2026, 09:00, in the team's zone, which the footer names."""
    local = calendar.local(at) if calendar else at
    return f"{full_day(local.date())}, {local:%H:%M}"


def _rest(items: ItemListing) -> Sequence[str]:
    """The values of all rows beyond the shown ones, added up."""
    if not items.amounts:
        return [""] * len(items.head)
    return amount_cells(sum_amounts(items.amounts[_MOST_ROWS:]))


def _events(row: ExplanationRow, calendar: Calendar | None, *, is_verbose: bool) -> list[str]:
    """The cells about a row's events; several events stand below each other."""
    events = row.events
    if not events:
        return [row.nothing or "inferred from a later event", *[""] * (3 if is_verbose else 2)]
    cells = [
        [event_text(event) for event in events],
        [short_moment(event.at, calendar) for event in events],
        [person(event.actor) if event.actor else "not recorded" for event in events],
    ]
    if is_verbose:
        cells.append([delivery_text(event) for event in events])
    return ["<br>".join(cell) for cell in cells]
