"""The scope ledger for people: bulk changes of one account are grouped into one line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sprints.facts import Amount, ScopeCause, ScopeChange, sum_amounts
from sprints.numbering import split_number

# Up to this number of lines, each is shown by itself.
_MOST_SINGLE_LINES = 5
_GROUP_WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Scope changes of one cause; if more than one, all by `actor` within a minute."""

    changes: tuple[ScopeChange, ...]

    @property
    def at(self) -> datetime:
        """The time of the first change."""
        return self.changes[0].at

    @property
    def cause(self) -> ScopeCause:
        return self.changes[0].cause

    @property
    def actor(self) -> str | None:
        return self.changes[0].event.actor

    @property
    def amount(self) -> Amount:
        return sum_amounts(change.amount for change in self.changes)


def group_ledger(ledger: Iterable[ScopeChange]) -> list[LedgerLine]:
    """Group the ledger's changes, in their order, into lines.

    More than five items changed by one actor for one cause, within the minute that begins with the
    first change, become one line. Nothing is left out, and the sums stay the same.
    """
    runs, latest_run = list[list[ScopeChange]](), dict[tuple[str, ScopeCause], list[ScopeChange]]()
    for change in ledger:
        # Changes without a known actor are not grouped.
        key = (change.event.actor, change.cause) if change.event.actor else None
        run = latest_run.get(key) if key else None
        if run is not None and change.at - run[0].at < _GROUP_WITHIN:
            run.append(change)
            continue
        runs.append([change])
        if key:
            latest_run[key] = runs[-1]
    lines = list[LedgerLine]()
    for run in runs:
        if len({change.number for change in run}) > _MOST_SINGLE_LINES:
            lines.append(LedgerLine(tuple(run)))
        else:
            lines += [LedgerLine((change,)) for change in run]
    return sorted(lines, key=lambda line: (line.at, split_number(line.changes[0].number)))
