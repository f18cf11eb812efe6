"""Texts of a sprint's report and of its summary. Pure functions from values to Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from charts.reading import number, percent, quantity, signed, unit_word
from commands.formatting.wording import counted, folded, footer, format_moment, full_day, person, plain, table
from commands.messages.causes import CAUSES
from commands.messages.charts import sprint_argument
from commands.messages.completeness import completeness_text
from commands.messages.progress import done_text, share_done
from sprints.burndown import Burndown, measure_amount
from sprints.facts import Amount
from sprints.late import LateCredit
from sprints.milestone import Sprint
from sprints.numbering import Number, ref
from sprints.people import remove_duplicate_logins
from sprints.report import Report, ReportEntry, ReportSection
from sprints.thanks import Thanks
from sprints.velocity import SprintOutcome, Velocity, compute_velocity
from sprints.waits import ItemWait, WaitKind

_MOST_WAITS = 3
_MOST_CARRIED = 10
# The rest of a longer list becomes one line.
_MOST_LISTED = 60


@dataclass(frozen=True, slots=True)
class ClosedSnapshot:
    """The stored snapshot of a closed sprint's numbers. `revision` counts from 1."""

    revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ReportData:
    """The values of a report or a summary.

    `outcomes` are those of the sprints that had ended when this one did, including its own once it has ended.
    `crossed` is the number of sprint ends that an item has crossed, by item number. `verdict` is `met`,
    `missed`, or None before anybody has judged the goal. `footnotes` are corrections made after the
    snapshot. `hears_answers` is False where the reader cannot give commands.
    """

    sprint: Sprint
    report: Report
    as_of: datetime
    outcomes: Sequence[SprintOutcome] = ()
    crossed: Mapping[Number, int] = field(default_factory=dict)
    verdict: str | None = None
    credit: LateCredit | None = None
    snapshot: ClosedSnapshot | None = None
    waits: Sequence[ItemWait] = ()
    thanks: Sequence[Thanks] = ()
    footnotes: Sequence[str] = ()
    burndown: Burndown | None = None
    hears_answers: bool = True


def report_text(sheet: ReportData) -> str:
    """The report: the sprint's result, every number with its items, and later corrections."""
    return _joined(
        [
            *_opening(sheet, "report"),
            numbers_table(sheet.report, is_committed=_is_committed(sheet)),
            _velocity(sheet),
            _carried(sheet),
            _lists(sheet.report, is_committed=_is_committed(sheet)),
            _footnotes(sheet),
            _footer(sheet),
        ]
    )


def summary_head(sheet: ReportData) -> str:
    """The summary down to its chart: the results of the sprint and of its goal."""
    return _joined(_opening(sheet, "summary"))


def summary_details(sheet: ReportData) -> str:
    """The summary below its chart, including the longest waits and thanks.

    It leaves out corrections made after the snapshot, so that it can be posted again unchanged.
    """
    return _joined(
        [
            numbers_table(sheet.report, is_committed=_is_committed(sheet)),
            _velocity(sheet),
            _carried(sheet),
            _waits(sheet),
            _thanks(sheet.thanks),
            _lists(sheet.report, is_committed=_is_committed(sheet)),
            _footer(sheet),
        ]
    )


def numbers_table(report: Report, *, is_committed: bool = True) -> str:
    """The steps from the commitment to the work left, in both units, with say/do and delivered vs planned.

    Before the commitment is made, there is only the scope.
    """
    rows: list[tuple[str, ...]] = [("Committed", *_cells(report.committed.total))] if is_committed else []
    for name, cause, sign in CAUSES:
        total = report.changes[cause].total
        if report.changes[cause].entries:
            rows.append((name, _signed(total.points, sign), _signed(Decimal(total.count), sign)))
    rows += [
        ("**Scope**", *_cells(report.scope, bold=True)),
        ("Done", *_cells(report.done.total)),
        (f"**{_left_name(report)}**", *_cells(report.left.total, bold=True)),
    ]
    if report.late.entries:
        rows.append(("– of it done late", *_cells(report.late.total)))
    if report.committed.entries and is_committed:
        rows.append(("Say/do: part of the commitment done", *map(_share, _in_both(report.say_do))))
        rows.append(("Delivered vs planned: all done ÷ commitment", *map(_share, _in_both(report.delivered))))
    return table(("", "Points", "Items"), rows)


def result_sentence(report: Report) -> str:
    """Say how much of the commitment was done, and what is left."""
    unit = report.unit
    if report.committed.entries and not measure_amount(report.committed.total, unit):
        unit = "count"  # The committed items are worth no points, so items count.
    if not measure_amount(report.done.total, unit) and not report.committed.entries:
        unit = "count"  # Nothing was committed, and what is done is worth no points.
    done, committed = measure_amount(report.done.total, unit), measure_amount(report.committed.total, unit)
    was = "was" if report.is_over else "is"
    if not committed:
        return f"**{quantity(done, unit)} {_be(done, was)} done**; nothing was committed."
    kept = measure_amount(report.kept.total, unit)
    share = percent(share_done(report.kept.total, report.committed.total, unit) or Decimal(0))
    part = done_text(report.kept.total, report.committed.total, unit)
    text = f"**{part} committed {_be(committed, was)} done ({share})**"
    text += f", {quantity(done, unit)} in all." if done != kept else "."
    if not report.left.entries:
        return f"{text} Nothing {'was left' if report.is_over else 'is left'}."
    remainder = "carried over" if report.is_over else "still to do"
    return f"{text} {amount_text(report.left.total)} {remainder}."


def amount_text(amount: Amount) -> str:
    """An amount in both units: 5 points in 2 items."""
    return f"{quantity(amount.points, 'points')} in {counted(amount.count, 'item')}"


def inline_list(texts: Sequence[str]) -> str:
    """Items separated by commas; of many only the first, with the number of the others."""
    more = [f"{len(texts) - _MOST_CARRIED} more"] if len(texts) > _MOST_CARRIED else []
    return ", ".join([*texts[:_MOST_CARRIED], *more])


def few_values(past: Velocity) -> str:
    """The values of one or two sprints, too few for a median: 18 and 24 points."""
    *earlier, last = past.values
    return " and ".join([*map(number, earlier), quantity(last, past.unit)])


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _opening(sheet: ReportData, kind: str) -> list[str]:
    sprint = sheet.sprint
    result = result_sentence(sheet.report) if _is_committed(sheet) else _planned_sentence(sheet)
    return [f"### {plain(sprint.title)} · {kind}", result, _goal(sheet), _when(sheet)]


def _is_committed(sheet: ReportData) -> bool:
    return sheet.as_of > sheet.sprint.committed_at or sheet.report.is_over


def _planned_sentence(sheet: ReportData) -> str:
    """A sprint before its commitment, in which nothing is promised yet."""
    return f"**{amount_text(sheet.report.scope)}** planned so far; nothing is committed yet."


def _when(sheet: ReportData) -> str:
    sprint = sheet.sprint
    until = full_day(sprint.due) if sprint.due else "no due date"
    dates = f"{full_day(sprint.first_day)} – {until}"
    if not sheet.report.is_over:
        is_planned = not sprint.has_begun(sheet.as_of)
        return (
            f"{dates} · {'not started yet' if is_planned else 'still running: these are its numbers so far'}"
        )
    if sprint.is_deleted:
        return f"{dates} · abandoned"
    if sprint.last_day and sprint.last_day != sprint.due:
        return f"{dates} · closed on {full_day(sprint.last_day)}"
    return dates


def _goal(sheet: ReportData) -> str:
    goal = sheet.sprint.goal
    if not goal:
        return ""
    if sheet.verdict:
        return f"**Goal {sheet.verdict}:** {plain(goal)}"
    if not sheet.report.is_over or not sheet.hears_answers:
        return f"**Goal:** {plain(goal)}"
    title = sprint_argument(sheet.sprint.title)
    met, missed = (f"`/sprint goal {verdict}{title}`" for verdict in ("met", "missed"))
    return f"**Goal:** {plain(goal)} – was it met? Run {met} or {missed}."


def _be(value: Decimal, singular: str) -> str:
    if value == 1:
        return singular
    return {"was": "were", "is": "are"}[singular]


def _left_name(report: Report) -> str:
    return "Carried over" if report.is_over else "Open"


def _in_both(ratio: Callable[[str], Decimal | None]) -> tuple[Decimal | None, Decimal | None]:
    return ratio("points"), ratio("count")


def _share(share: Decimal | None) -> str:
    return "–" if share is None else percent(share)


def _velocity(sheet: ReportData) -> str:
    own_outcome = next(
        (outcome for outcome in sheet.outcomes if outcome.milestone == sheet.sprint.milestone), None
    )
    before = [outcome for outcome in sheet.outcomes if outcome.milestone != sheet.sprint.milestone]
    if own_outcome and own_outcome.is_abandoned:
        return "It was abandoned, so it doesn't count towards velocity."
    unit = compute_velocity([*before, own_outcome] if own_outcome else before).unit
    past = _velocity_before(compute_velocity(before, unit))
    if own_outcome is None:
        return f"**Velocity:** {past}" if before else ""
    credit = sheet.credit.amount if sheet.credit else None
    late = f" ({quantity(measure_amount(credit, unit), unit)} of it done late)" if credit else ""
    return f"**Velocity:** {quantity(measure_amount(own_outcome.completed, unit), unit)}{late}. {past}"


def _velocity_before(past: Velocity) -> str:
    if past.n == 0:
        return "There is no earlier sprint to compare with."
    if past.median is None or past.least is None or past.most is None:
        sprints = "sprint" if past.n == 1 else "sprints"
        return f"The {sprints} before it: {few_values(past)}; a median needs three."
    spread = f"{number(past.least)} to {number(past.most)}"
    return f"The {past.n} sprints before it: median {quantity(past.median, past.unit)}, from {spread}."


def _carried(sheet: ReportData) -> str:
    report = sheet.report
    if not report.left.entries:
        return ""
    late = set(report.late.numbers)
    items = [
        _left_item(entry, report, sheet.crossed.get(entry.number, 0), is_late=entry.number in late)
        for entry in report.left.entries
    ]
    return f"**{_left_name(report)}:** {inline_list(items)}."


def _left_item(entry: ReportEntry, report: Report, crossed: int, *, is_late: bool) -> str:
    notes = [_estimate_text(entry)]
    if report.is_over and crossed > 1:
        notes.append(f"for the {_ordinal(crossed)} time")
    if is_late:
        notes.append("done late")
    return f"{ref(entry.number)} ({', '.join(notes)})"


def _ordinal(count: int) -> str:
    if count % 100 in {11, 12, 13}:
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }"


def _waits(sheet: ReportData) -> str:
    if not sheet.waits:
        return ""
    lines = [f"- {ref(wait.number)}: {wait_text(wait)}" for wait in sheet.waits[:_MOST_WAITS]]
    return "**Longest waits**\n" + "\n".join(lines)


def wait_text(wait: ItemWait) -> str:
    """Say how long an item waited, and for what."""
    days = counted(wait.elapsed.days, "day")
    if wait.kind is WaitKind.BLOCKED:
        return f"blocked for {days}{'' if wait.is_over else ', and still blocked at the end'}"
    if wait.is_over:
        return f"{days} until work on it started"
    return f"{days}, and no work on it had started"


def _thanks(thanks: Iterable[Thanks]) -> str:
    texts = [
        f"{group.kind.value}: {', '.join(map(person, remove_duplicate_logins(group.people)))}"
        for group in thanks
    ]
    return f"**Thank you** – {'; '.join(texts)}." if texts else ""


def _lists(report: Report, *, is_committed: bool) -> str:
    parts = [("Committed" if is_committed else "Planned", report.committed, ""), ("Done", report.done, "")]
    parts += [(name, report.changes[cause], sign) for name, cause, sign in CAUSES]
    parts += [(_left_name(report), report.left, ""), ("Done late", report.late, "")]
    lists = [_listed(name, part, sign) for name, part, sign in parts if part.entries]
    return folded("The items behind these numbers", "\n\n".join(lists)) if lists else ""


def _listed(name: str, part: ReportSection, sign: str) -> str:
    shown, rest = part.entries[:_MOST_LISTED], ReportSection(part.entries[_MOST_LISTED:])
    lines = [f"- {ref(entry.number)} · {_estimate_text(entry, sign)}" for entry in shown]
    if rest.entries:
        lines.append(f"- and {len(rest.entries)} more · {amount_text(rest.total)}")
    total = amount_text(part.total)
    if sign == "±":
        changes = counted(len(part.entries), "change")
        total = f"{_points_change(part.total.points)} in {changes}"
    return f"**{name}: {total}**\n" + "\n".join(lines)


def _estimate_text(entry: ReportEntry, sign: str = "") -> str:
    if sign == "±":
        return _points_change(entry.amount.points)
    return quantity(entry.amount.points, "points") if entry.is_estimated else "not estimated"


def _points_change(points: Decimal) -> str:
    return f"{signed(points)} {unit_word(points, 'points')}"


def _footnotes(sheet: ReportData) -> str:
    if not sheet.footnotes:
        return ""
    lines = "\n".join(f"- {note}" for note in sheet.footnotes)
    effect = "the numbers don't change" if sheet.snapshot else "the sprint runs again"
    return folded(f"{counted(len(sheet.footnotes), 'thing')} became known later; {effect}", lines)


def _footer(sheet: ReportData) -> str:
    calendar = sheet.sprint.calendar
    if sheet.snapshot:
        taken_at = format_moment(calendar.local(sheet.snapshot.at))
        revision = f", revision {sheet.snapshot.revision}" if sheet.snapshot.revision > 1 else ""
        return footer(f"Frozen on {taken_at}{revision}", _completeness(sheet))
    as_of = f"As of {format_moment(calendar.local(sheet.as_of))}"
    if not sheet.report.is_over:
        return footer(as_of, _completeness(sheet))
    until = (
        "provisional until a day after the closing" if sheet.sprint.closed_at else _not_closed(sheet.sprint)
    )
    return footer(as_of, until, _completeness(sheet))


def _not_closed(sprint: Sprint) -> str:
    line = f"`/sprint close{sprint_argument(sprint.title)}`"
    return f"provisional until a day after {line}, or at most three days after its end"


def _completeness(sheet: ReportData) -> str:
    report = sheet.report
    return completeness_text(
        sheet.sprint.calendar, report.reconstructed_before, report.gaps, report.first_seen, most_named=5
    )


def _cells(amount: Amount, *, bold: bool = False) -> tuple[str, str]:
    mark = "**" if bold else ""
    return f"{mark}{number(amount.points)}{mark}", f"{mark}{amount.count}{mark}"


def _signed(value: Decimal, sign: str) -> str:
    if not value:
        return "0"
    return signed(value) if sign == "±" else f"{sign}{number(value)}"
