"""The scope ledger as people read it: what one account did to many items at once is one line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.facts import Amount, Cause, ScopeChange, amounts_of
from sprints.numbering import place

# Up to so many lines say more one by one.
MOST_SINGLE_LINES = 5
_TOGETHER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Scope changes of one cause. More than one of them are the work of `actor` within a minute."""

    changes: tuple[ScopeChange, ...]

    @property
    def at(self) -> datetime:
        """When the first of them happened."""
        return self.changes[0].at

    @property
    def cause(self) -> Cause:
        return self.changes[0].cause

    @property
    def actor(self) -> str | None:
        return self.changes[0].event.actor

    @property
    def amount(self) -> Amount:
        return amounts_of(change.amount for change in self.changes)


def grouped(ledger: Iterable[ScopeChange], most_single: int = MOST_SINGLE_LINES) -> list[LedgerLine]:
    """The ledger's lines in their order. More than `most_single` of one actor and cause within the minute
    that begins with the first of them become one. Nothing is left out, and the sums stay the same.
    """
    runs, latest = list[list[ScopeChange]](), dict[tuple[str, Cause], list[ScopeChange]]()
    for change in ledger:
        # What nobody is known to have done is nobody's bulk change.
        key = (change.event.actor, change.cause) if change.event.actor else None
        run = latest.get(key) if key else None
        if run is not None and change.at - run[0].at < _TOGETHER:
            run.append(change)
            continue
        runs.append([change])
        if key:
            latest[key] = runs[-1]
    lines = list[LedgerLine]()
    for run in runs:
        if len({change.number for change in run}) > most_single:
            lines.append(LedgerLine(tuple(run)))
        else:
            lines += [LedgerLine((change,)) for change in run]
    return sorted(lines, key=lambda line: (line.at, place(line.changes[0].number)))
