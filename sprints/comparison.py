"""Why a number changed between two moments: its value at the first one, and each change until the second."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sprints.facts import Amount, Facts, ScopeCause, sum_amounts
from sprints.flow import Flow
from sprints.model import ItemEvent, LabelEvent
from sprints.numbering import Number, split_number

# The events by which an item's work begins or continues, and those by which it ends or rests.
_BEGINNINGS = {"started", "reopened", "assigned", "labeled", "status_changed", "opened", "unblocked"}
_ENDINGS = {"closed", "paused", "deleted", "transferred", "unstarted", "unassigned", "unlabeled"}


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A change of a number by `amount` at `at`. `event` caused it; None where no single event did."""

    at: datetime
    number: Number
    amount: Amount
    event: ItemEvent | LabelEvent | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number at two moments, with all changes in `[since, until)` in the order of time."""

    since: datetime
    until: datetime
    before: Amount
    changes: tuple[NumberChange, ...]

    @property
    def change(self) -> Amount:
        return sum_amounts(change.amount for change in self.changes)

    @property
    def after(self) -> Amount:
        return self.before + self.change


def compare_moments(changes: Iterable[NumberChange], since: datetime, until: datetime) -> Comparison:
    """Compare a number, given as all changes that it is the sum of, at two moments."""
    ordered = list(changes)
    return Comparison(
        since,
        until,
        sum_amounts(change.amount for change in ordered if change.at < since),
        tuple(change for change in ordered if since <= change.at < until and change.amount != Amount()),
    )


def list_changes(facts: Facts, metric: str) -> list[NumberChange]:
    """List all changes of a number of a sprint; `metric` is a key of `COMPARABLE`."""
    return COMPARABLE[metric](facts)


def _list_steps(facts: Facts, signs: tuple[int, int]) -> list[NumberChange]:
    """List the changes of scope × `signs[0]` + done × `signs[1]`."""
    scope_sign, done_sign = signs
    return [
        NumberChange(
            step.at,
            step.number,
            Amount(
                step.scope.points * scope_sign + step.done.points * done_sign,
                step.scope.count * scope_sign + step.done.count * done_sign,
            ),
            step.event,
        )
        for step in facts.steps
    ]


def _list_causes(facts: Facts, cause: ScopeCause) -> list[NumberChange]:
    return [
        NumberChange(line.at, line.number, line.amount, line.event)
        for line in facts.ledger
        if line.cause is cause
    ]


COMPARABLE: Mapping[str, Callable[[Facts], list[NumberChange]]] = {
    "scope": lambda facts: _list_steps(facts, (1, 0)),
    "done": lambda facts: _list_steps(facts, (0, 1)),
    "remaining": lambda facts: _list_steps(facts, (1, -1)),
    "added": lambda facts: _list_causes(facts, ScopeCause.ADDED),
    "removed": lambda facts: _list_causes(facts, ScopeCause.REMOVED),
    "dropped": lambda facts: _list_causes(facts, ScopeCause.DROPPED),
    "reestimated": lambda facts: _list_causes(facts, ScopeCause.REESTIMATED),
}


def find_moved_flows(flows_before: Iterable[Flow], flows_after: Iterable[Flow]) -> tuple[set[str], set[str]]:
    """Find the items that came into progress between two moments, and those that went out of it."""
    before = {flow.item for flow in flows_before if flow.is_in_progress}
    after = {flow.item for flow in flows_after if flow.is_in_progress}
    return after - before, before - after


def compare_work_in_progress(
    flows_before: Sequence[Flow],
    flows_after: Sequence[Flow],
    events: Mapping[str, Sequence[ItemEvent]],
    since: datetime,
    until: datetime,
) -> Comparison:
    """Compare the work in progress at two moments; of each item only its way from one to the other counts.

    `events` are those of the items that `find_moved_flows` finds.
    """
    came, went = find_moved_flows(flows_before, flows_after)
    flows = {flow.item: flow for flow in (*flows_before, *flows_after)}
    changes = list[NumberChange]()
    for item in came | went:
        flow, sign = flows[item], 1 if item in came else -1
        event = _find_cause(flow, events.get(item, ()), since, until, is_beginning=sign > 0)
        moment = event.at if event else _moment_of(flow, since, until, is_beginning=sign > 0)
        changes.append(NumberChange(moment, flow.number, Amount(count=sign), event))
    return Comparison(
        since,
        until,
        Amount(count=sum(flow.is_in_progress for flow in flows_before)),
        tuple(sorted(changes, key=lambda change: (change.at, split_number(change.number)))),
    )


def _find_cause(
    flow: Flow, events: Iterable[ItemEvent], since: datetime, until: datetime, *, is_beginning: bool
) -> ItemEvent | None:
    """Find the event within a span that brought an item into progress, or out of it."""
    names = _BEGINNINGS if is_beginning else _ENDINGS
    fitting = [event for event in events if since <= event.at < until and event.event in names]
    moment = _moment_of(flow, since, until, is_beginning=is_beginning)
    exact = [event for event in fitting if event.at == moment]
    return next(reversed(exact or fitting), None)


def _moment_of(flow: Flow, since: datetime, until: datetime, *, is_beginning: bool) -> datetime:
    """The moment within a span at which an item came into progress, or left it; else the span's end."""
    pause = flow.pauses[-1].span if flow.pauses else None
    moments = (
        [pause.until if pause else None, flow.started_at]
        if is_beginning
        else [flow.done_at, flow.dropped_at, pause.since if pause else None]
    )
    return next((moment for moment in moments if moment and since <= moment < until), until)
