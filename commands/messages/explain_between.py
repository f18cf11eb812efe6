"""Why a number changed between two moments, event by event. Pure functions from values to Markdown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from charts.reading import number, quantity, signed
from commands.formatting.wording import counted, folded, person, plain, table, weekday
from commands.messages.explain import Rule, event_text, short_moment
from sprints.burndown import measure_amount
from sprints.calendar import Calendar
from sprints.comparison import Comparison, NumberChange
from sprints.facts import Amount, sum_amounts
from sprints.model import ItemEvent, LabelEvent
from sprints.numbering import ref

# A longer table is folded; the events beyond the second number become one row.
_MOST_OPEN, _MOST_ROWS = 10, 100
_UNKNOWN_CAUSE = "came with the items it is linked to"

FindActor = Callable[[ItemEvent | LabelEvent], str | None]


@dataclass(frozen=True, slots=True)
class ComparedNumber:
    """A number at two moments. `subject` is whose number it is, a sprint's title or empty.

    `unit` is that of the headline; a number that `counts_items_only` has no points. `find_actor` tells who
    did what an event says.
    """

    rule: Rule
    subject: str
    comparison: Comparison
    unit: str
    calendar: Calendar
    find_actor: FindActor
    counts_items_only: bool = False

    @property
    def units(self) -> tuple[str, ...]:
        return ("count",) if self.counts_items_only else ("points", "count")


def comparison_text(compared: ComparedNumber, footer: str) -> str:
    """The value at both moments, the sum of all changes, and a table with each of them."""
    comparison = compared.comparison
    of_subject = f" · {plain(compared.subject)}" if compared.subject else ""
    parts = [f"### {compared.rule.name}{of_subject}: {_way(compared)}", _span(compared)]
    if comparison.changes:
        parts.append("\n".join(f"- {_equation(compared, unit)}" for unit in compared.units))
        rows = _table(compared)
        is_long = len(comparison.changes) > _MOST_OPEN
        parts.append(folded(f"{counted(len(comparison.changes), 'change')}", rows) if is_long else rows)
    return "\n\n".join([*parts, footer])


def _way(compared: ComparedNumber) -> str:
    """30 → 36 points (+6)."""
    comparison, unit = compared.comparison, compared.unit
    before, after = (measure_amount(amount, unit) for amount in (comparison.before, comparison.after))
    if before == after:
        return f"{quantity(after, unit)}, as before"
    return f"{number(before)} → {quantity(after, unit)} ({signed(after - before)})"


def _span(compared: ComparedNumber) -> str:
    comparison = compared.comparison
    first = _moment_words(comparison.since, compared.calendar)
    last = _moment_words(comparison.until, compared.calendar, is_end=True)
    span = f"from {first} to {last}"
    if not comparison.changes:
        return f"Nothing changed {span}."
    return f"{counted(len(comparison.changes), 'change')} {span}. {compared.rule.meaning}"


def _moment_words(moment: datetime, calendar: Calendar, *, is_end: bool = False) -> str:
    """The beginning or the end of a day, or the time within it."""
    day, local = calendar.day_of(moment), calendar.local(moment)
    if moment != calendar.midnight(day):
        return f"{weekday(day)}, {local:%H:%M}"
    if is_end:
        return f"the end of {weekday(day - timedelta(days=1))}"
    return f"the beginning of {weekday(day)}"


def _equation(compared: ComparedNumber, unit: str) -> str:
    """30 + 8 in 2 changes − 2 in 1 change = **36 points**."""
    comparison = compared.comparison
    values = [measure_amount(change.amount, unit) for change in comparison.changes]
    ups, downs = [value for value in values if value > 0], [value for value in values if value < 0]
    terms = [number(measure_amount(comparison.before, unit))]
    for sign, steps in (("+", ups), ("−", downs)):
        if steps:
            amount = number(abs(sum(steps, Decimal(0))))
            terms.append(f"{sign} {amount} in {counted(len(steps), 'change')}")
    return f"{' '.join(terms)} = **{quantity(measure_amount(comparison.after, unit), unit)}**"


def _table(compared: ComparedNumber) -> str:
    comparison = compared.comparison
    heads = {"points": "Points", "count": "Items"}
    head = ["Item", "What happened", "When", "Who", *(heads[unit] for unit in compared.units)]
    rows = [_moment_row("Before", comparison.since, comparison.before, compared)]
    rows += [_change_row(change, compared) for change in comparison.changes[:_MOST_ROWS]]
    if rest := comparison.changes[_MOST_ROWS:]:
        amount = sum_amounts(change.amount for change in rest)
        rows.append([f"… {len(rest)} more", "", "", "", *_cells(amount, compared, signed)])
    rows.append(_moment_row("After", comparison.until, comparison.after, compared))
    return table(head, rows, numbers_from=4)


def _moment_row(name: str, moment: datetime, amount: Amount, compared: ComparedNumber) -> list[str]:
    cells = [f"**{cell}**" for cell in _cells(amount, compared, number)]
    return [f"**{name}**", "", short_moment(moment, compared.calendar), "", *cells]


def _change_row(change: NumberChange, compared: ComparedNumber) -> list[str]:
    event = change.event
    actor = compared.find_actor(event) if event else None
    return [
        ref(change.number),
        event_text(event) if event else _UNKNOWN_CAUSE,
        short_moment(change.at, compared.calendar),
        person(actor) if actor else "not known",
        *_cells(change.amount, compared, signed),
    ]


def _cells(amount: Amount, compared: ComparedNumber, write: Callable[[Decimal], str]) -> list[str]:
    return [write(measure_amount(amount, unit)) for unit in compared.units]
