"""Explanations of a sprint's numbers. Pure functions from facts and histories."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from charts.reading import number, percent, quantity
from commands.formatting.wording import counted, plain
from commands.messages.charts import sprint_argument
from commands.messages.explain import (
    Explanation,
    ExplanationRow,
    ItemListing,
    Rule,
    addition_text,
    amount_cells,
)
from commands.messages.progress import hides_open_items
from commands.messages.report import amount_text
from sprints.burndown import measure_amount
from sprints.evidence import Event, find_done_events, find_joining_events
from sprints.facts import Amount, Facts, Item, ScopeCause, ScopeChange, sum_amounts, sum_items
from sprints.history import SprintChange
from sprints.velocity import CarryOver

_JIRA = (
    "[Jira's velocity chart](https://janekbehrens.de/blog/how-sprint-velocity-is-calculated.html): all "
    "estimates when the sprint begins"
)
_BURNUP = "[GitLab's burndown and burnup charts](https://docs.gitlab.com/user/project/milestones/burndown_and_burnup_charts/)"
_SCOPE_CHANGE = (
    "[scope changes in a velocity chart]"
    "(https://brokenbuild.atlassian.net/wiki/spaces/ARG/pages/1372454913/Scrum+team+velocity)"
)
_OURS = "ours, `docs/metrics.md#the-numbers`"
_HEAD = ("Points", "Items")

COMMITTED = Rule(
    "Committed",
    "The estimates, at the sprint's start, of all items that were in it then and neither done nor dropped.",
    _JIRA,
)
ADDED = Rule(
    "Added",
    "The estimate of whatever entered the scope after the commitment, at the moment when it came in.",
    f"{_SCOPE_CHANGE}, “added work”",
)
REMOVED = Rule(
    "Removed",
    "The estimate of whatever left the milestone before the sprint's end, at the moment when it left.",
    f"{_SCOPE_CHANGE}, “removed work”",
)
DROPPED = Rule(
    "Dropped",
    "The estimate of what was dropped in the sprint: not planned, duplicate, closed unmerged, or deleted.",
    _OURS,
)
REESTIMATED = Rule(
    "Re-estimated", "The changes of estimates of what was in the scope and not done, up and down.", _OURS
)
SCOPE = Rule(
    "Scope", "Committed + Added − Removed − Dropped + Re-estimated, at every moment.", f"{_BURNUP}, the total"
)
DONE = Rule(
    "Done",
    "What was in the scope and got done within the sprint, at the estimate that it had when it became done.",
    f"{_BURNUP}, what is completed",
)
REMAINING = Rule(
    "Remaining", "Scope − Done: what is in the sprint and still open.", f"{_BURNUP}, its burndown"
)
SAY_DO = Rule(
    "Say/do",
    "How much of the commitment was done: kept ÷ committed, both at the estimates of the commitment.",
    f"{_OURS}; work added during the sprint does not count",
)
CARRY_OVER = Rule(
    "Carry-over",
    "What was open at the sprint's end, and how often each item has been carried over, this time included.",
    f"{_OURS}; Linear names it “uncompleted issues upon close”",
)


@dataclass(frozen=True, slots=True)
class SprintEvidence:
    """The facts and item histories (by node id) behind the explanations of a sprint."""

    facts: Facts
    histories: Mapping[str, Sequence[SprintChange]]
    unit: str

    def explanation(
        self,
        rule: Rule,
        result: str,
        arithmetic: Sequence[str],
        rows: Iterable[tuple[ExplanationRow, Amount]],
        notes: Sequence[str] = (),
        name: str = "",
        remarks: str = "",
    ) -> Explanation:
        """Build an explanation about this sprint whose list adds up."""
        rows_and_amounts = list(rows)
        total = sum_amounts(amount for _, amount in rows_and_amounts)
        return Explanation(
            rule,
            plain(self.facts.sprint.title),
            result,
            arithmetic,
            ItemListing(
                name or f"{counted(len(rows_and_amounts), 'line')} that add up to it",
                _HEAD,
                [row for row, _ in rows_and_amounts],
                amount_cells(total),
                remarks,
                [amount for _, amount in rows_and_amounts],
            ),
            notes,
            self.facts.sprint.calendar,
        )


def explain_committed(evidence: SprintEvidence) -> Explanation:
    """Explain the commitment by the items and estimates at its moment; later estimates do not count."""
    facts = evidence.facts
    before = min(facts.sprint.committed_at, facts.as_of)
    notes = []
    if facts.sprint.committed_at > facts.sprint.start:
        notes.append(
            "The milestone was created after its first day, so the commitment is its scope at the end of the "
            "day on which it was created."
        )
    rows = _rows(evidence, facts.committed_items, lambda changes: find_joining_events(changes, before))
    return evidence.explanation(
        COMMITTED, amount_text(facts.committed), _sums(facts.committed_items, facts.committed), rows, notes
    )


def explain_cause(evidence: SprintEvidence, rule: Rule, cause: ScopeCause) -> Explanation:
    """Explain one cause of scope changes by its lines of the ledger."""
    lines = [line for line in evidence.facts.ledger if line.cause is cause]
    total = evidence.facts.total(cause)
    rows = [(_ledger_row(line), line.amount) for line in lines]
    arithmetic = [addition_text((line.amount.points for line in lines), _points(total))]
    result = _points(total) if cause is ScopeCause.REESTIMATED else amount_text(total)
    if not lines:
        arithmetic = ["Nothing of that kind has happened in this sprint."]
    return evidence.explanation(rule, result, arithmetic, rows)


def explain_scope(evidence: SprintEvidence) -> Explanation:
    """Explain the scope by its equation and the items in it."""
    facts = evidence.facts
    items = [*facts.done_items, *facts.open_items]
    before = _until(facts)
    rows = _rows(evidence, items, lambda changes: find_joining_events(changes, before), _state)
    return evidence.explanation(
        SCOPE,
        amount_text(facts.scope),
        scope_equations(facts),
        rows,
        [_ask_each(facts.sprint.title)],
        remarks="State",
    )


def explain_done(evidence: SprintEvidence) -> Explanation:
    """Explain the work done by its items and the events that finished them."""
    facts = evidence.facts
    before = _until(facts)
    rows = _rows(evidence, facts.done_items, lambda changes: find_done_events(changes, before))
    return evidence.explanation(DONE, amount_text(facts.done), _sums(facts.done_items, facts.done), rows)


def explain_remaining(evidence: SprintEvidence) -> Explanation:
    """Explain the remaining work as scope − done, with the open items."""
    facts = evidence.facts
    open_items, before = facts.open_items, _until(facts)
    scope_amount, finished, open_amount = facts.scope, facts.done, facts.remaining
    arithmetic = [
        f"{number(scope_amount.points)} scope − {number(finished.points)} done = **{_points(open_amount)}**",
        f"{scope_amount.count} scope − {finished.count} done = **{counted(open_amount.count, 'item')}**",
    ]
    rows = _rows(evidence, open_items, lambda changes: find_joining_events(changes, before))
    return evidence.explanation(REMAINING, amount_text(facts.remaining), arithmetic, rows)


def explain_say_do(evidence: SprintEvidence) -> Explanation:
    """Explain say/do by the committed items, kept or not."""
    facts, unit = evidence.facts, evidence.unit
    kept, promised = measure_amount(facts.kept, unit), measure_amount(facts.committed, unit)
    result = percent(kept / promised) if promised else "n/a"
    arithmetic = [
        f"{number(kept)} kept ÷ {quantity(promised, unit)} committed = **{result}**"
        if promised
        else "Nothing was committed, so there is nothing to divide by."
    ]
    if promised:
        delivered = measure_amount(facts.done, unit)
        arithmetic.append(
            f"For comparison, delivered vs planned: {number(delivered)} done ÷ {number(promised)} "
            "committed = "
            f"{percent(delivered / promised)}, including what was added"
        )
    if hides_open_items(facts.committed - facts.kept, unit):
        arithmetic.append(
            f"In items: {facts.kept.count} of {facts.committed.count} kept; the rest has no points"
        )
    were_done, before = {item.item for item in facts.done_items}, _until(facts)

    def kept_or_not(item: Item) -> str:
        return "yes" if item.item in were_done else "no"

    rows = _rows(
        evidence,
        facts.committed_items,
        lambda changes: find_done_events(changes, before),
        kept_or_not,
        "not done",
    )
    if not facts.sprint.has_ended(facts.as_of):
        arithmetic.append("The sprint is not over, so these are its numbers so far.")
    return evidence.explanation(
        SAY_DO, result, arithmetic, rows, (), f"{counted(len(rows), 'committed item')}, kept or not", "Kept"
    )


def explain_carry_over(evidence: SprintEvidence, carry_over: CarryOver) -> Explanation:
    """Explain carry-over by its items and the number of sprint ends that each has crossed."""
    facts = evidence.facts
    crossed = {carried_item.item.item: carried_item.crossed for carried_item in carry_over.items}
    items, before = [carried_item.item for carried_item in carry_over.items], _until(facts)

    def how_often(item: Item) -> str:
        return counted(crossed[item.item], "time")

    rows = _rows(evidence, items, lambda changes: find_joining_events(changes, before), how_often)
    if not facts.sprint.has_ended(facts.as_of):
        waiting = amount_text(facts.remaining)
        line = f"`/explain remaining{sprint_argument(facts.sprint.title)}`"
        note = f"The sprint is not over. {waiting} would be carried over if it ended now: {line}."
        return evidence.explanation(CARRY_OVER, "none yet", (), rows, [note])
    arithmetic = _sums(items, carry_over.amount)
    repeated = [item for item in items if crossed[item.item] > 1]
    if repeated:
        arithmetic.append(
            f"{counted(len(repeated), 'item')} had been carried over before; split or drop these first"
        )
    return evidence.explanation(
        CARRY_OVER, amount_text(carry_over.amount), arithmetic, rows, remarks="Carried over"
    )


def scope_equations(facts: Facts) -> list[str]:
    """The equation of the sprint's scope in points and in items."""
    lines = []
    for unit in ("points", "count"):
        causes = [(cause, measure_amount(facts.total(cause), unit)) for cause in ScopeCause]
        terms = [
            f"{_SIGNS[cause]} {f'({number(value)})' if value < 0 else number(value)} {_NAMES[cause]}"
            for cause, value in causes
            if unit == "points" or cause is not ScopeCause.REESTIMATED
        ]
        total = quantity(measure_amount(facts.scope, unit), unit)
        lines.append(
            f"{number(measure_amount(facts.committed, unit))} committed {' '.join(terms)} = **{total}**"
        )
    return lines


_SIGNS = {
    ScopeCause.ADDED: "+",
    ScopeCause.REMOVED: "−",
    ScopeCause.DROPPED: "−",
    ScopeCause.REESTIMATED: "+",
}
_NAMES = {
    ScopeCause.ADDED: "added",
    ScopeCause.REMOVED: "removed",
    ScopeCause.DROPPED: "dropped",
    ScopeCause.REESTIMATED: "re-estimated",
}


def _ask_each(title: str) -> str:
    return (
        f"Each term has its own list: `/explain committed{sprint_argument(title)}`, and likewise `added`, "
        "`removed`, `dropped` and `reestimated`."
    )


def _rows(
    evidence: SprintEvidence,
    items: Iterable[Item],
    events_of: Callable[[Sequence[SprintChange]], list[Event]],
    remark: Callable[[Item], str] = lambda _: "",
    nothing: str = "",
) -> list[tuple[ExplanationRow, Amount]]:
    """A row for each item with its amount; `nothing` is the text for items without events."""
    rows = []
    for item in items:
        amount = sum_items([item])
        events = tuple(events_of(evidence.histories.get(item.item, ())))
        points = "not estimated" if item.points is None else number(item.points)
        rows.append((ExplanationRow(item.number, (points, "1"), events, remark(item), nothing), amount))
    return rows


def _ledger_row(line: ScopeChange) -> ExplanationRow:
    remark = "was already done" if line.was_done else ""
    return ExplanationRow(line.number, amount_cells(line.amount), (line.event,), remark)


def _state(item: Item) -> str:
    return "done" if item.done_at else "open"


def _sums(items: Sequence[Item], total: Amount) -> list[str]:
    """Show how the list adds up in points. In items the sum is the length of the list."""
    if not items:
        return []
    not_estimated = sum(item.points is None for item in items)
    zero = f"; {counted(not_estimated, 'item')} not estimated, 0 points each" if not_estimated else ""
    return [f"{addition_text((item.points or Decimal(0) for item in items), _points(total))}{zero}"]


def _points(amount: Amount) -> str:
    return quantity(amount.points, "points")


def _until(facts: Facts) -> datetime:
    return min(facts.sprint.end, facts.as_of) if facts.sprint.end else facts.as_of
