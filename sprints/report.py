"""A sprint's report: every total with the list that it adds up from.

It is made of plain values (plain.py), so that a finished sprint's report comes from its stored snapshot and
is the same whenever it is asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sprints.burndown import Burndown, build_burndown_from_days
from sprints.facts import Amount, ScopeCause, sum_amounts
from sprints.gaps import EventGap, GapCause
from sprints.milestone import Sprint
from sprints.numbering import Number
from sprints.plain import parse_days

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReportEntry:
    """An item's contribution to a total. `at` is its time, in a part that lists changes.

    An item that is not `is_estimated` is worth 0 points.
    """

    number: Number
    amount: Amount
    is_estimated: bool = True
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A total and its list."""

    entries: tuple[ReportEntry, ...] = ()

    @property
    def total(self) -> Amount:
        return sum_amounts(entry.amount for entry in self.entries)

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The numbers of the items, each once."""
        return tuple(dict.fromkeys(entry.number for entry in self.entries))


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a sprint that is running or `is_over`.

    `left` was open at its end, or is open now; `late` is the part of it that was done after the end. `kept`
    is the part of the commitment that was done, at the estimates of the commitment. `unit` is the unit
    that its estimates allow (`points` or `count`: items).
    """

    unit: str
    is_over: bool
    committed: ReportSection
    changes: Mapping[ScopeCause, ReportSection]
    done: ReportSection
    left: ReportSection
    kept: ReportSection
    late: ReportSection = field(default_factory=ReportSection)
    is_complete: bool = True
    reconstructed_before: datetime | None = None
    first_seen: tuple[Number, ...] = ()
    gaps: tuple[EventGap, ...] = ()

    @property
    def scope(self) -> Amount:
        """The whole scope: done, and left."""
        return self.done.total + self.left.total

    def say_do(self, unit: str) -> Decimal | None:
        """Return kept ÷ committed; None if nothing was committed."""
        return _ratio(self.kept.total, self.committed.total, unit)

    def delivered(self, unit: str) -> Decimal | None:
        """Return done ÷ committed, which may exceed 1; None if nothing was committed."""
        return _ratio(self.done.total, self.committed.total, unit)


def build_report(values: Mapping[str, Any], *, is_over: bool) -> Report:
    """Build the report from a sprint's plain values.

    For a sprint that is over they are those as of its end, with `late` as it became known afterwards.
    """
    covered = set(values["covered"])
    members = {item["number"]: item for item in values["items"]}
    left = [item for item in values["items"] if item["state"] == "open" and item["number"] not in covered]
    if is_over:
        left = [_member(members, number) for number in values["carried"]["items"]]
    committed = _part(values["committed_items"])
    done = _part(values["done_items"])
    return Report(
        unit=values["unit"],
        is_over=is_over,
        committed=committed,
        changes={cause: _changes(values["changes"], cause) for cause in ScopeCause},
        done=done,
        left=_part(left),
        kept=ReportSection(tuple(entry for entry in committed.entries if entry.number in set(done.numbers))),
        late=_part(_member(members, number) for number in values["late"]["items"]),
        is_complete=values["complete"],
        reconstructed_before=_moment(values["reconstructed_before"]),
        first_seen=tuple(values["first_seen_later"]),
        # Snapshots of an older version have no gaps.
        gaps=tuple(_gap(gap) for gap in values.get("gaps", ())),
    )


def build_final_burndown(values: Mapping[str, Any], sprint: Sprint) -> Burndown | None:
    """Build the burndown of a sprint that is over, from its plain values. None without an end or days."""
    if sprint.end is None or not values["days"]:
        return None
    commitment = Amount(Decimal(str(values["points"]["committed"])), values["count"]["committed"])
    # The last day counts as over, even if the milestone was closed within it.
    days, unit = parse_days(values, sprint.calendar), values["unit"]
    burndown = build_burndown_from_days(sprint, commitment, days, sprint.end, unit)
    carried = values["carried"]
    has_hidden = unit == "points" and not carried["points"]
    return replace(burndown, hidden=carried["count"]) if has_hidden else burndown


def _member(members: Mapping[Number, Any], number: Number) -> Mapping[str, Any]:
    member: Mapping[str, Any] = members.get(number) or {"number": number, "points": None}
    return member


def _part(items: Iterable[Mapping[str, Any]]) -> ReportSection:
    return ReportSection(tuple(_entry(item) for item in items))


def _entry(item: Mapping[str, Any]) -> ReportEntry:
    points = item["points"]
    size = _ZERO if points is None else Decimal(str(points))
    return ReportEntry(item["number"], Amount(size, 1), points is not None)


def _changes(ledger: Iterable[Mapping[str, Any]], cause: ScopeCause) -> ReportSection:
    return ReportSection(
        tuple(
            ReportEntry(
                line["number"], Amount(Decimal(str(line["points"])), line["count"]), at=_moment(line["at"])
            )
            for line in ledger
            if line["cause"] == cause.value
        )
    )


def _gap(gap: Mapping[str, Any]) -> EventGap:
    ended_at = datetime.fromisoformat(gap["to"]) if gap["to"] else None
    return EventGap(GapCause(gap["cause"]), datetime.fromisoformat(gap["from"]), ended_at, gap["read_again"])


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _ratio(part: Amount, whole: Amount, unit: str) -> Decimal | None:
    numerator, denominator = (part.points, whole.points) if unit == "points" else (part.count, whole.count)
    return Decimal(numerator) / denominator if denominator else None
