"""Texts shown before and after a sprint is closed. Pure functions from values to Markdown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from charts.reading import quantity
from commands.formatting.wording import counted, full_day, named, plain
from commands.messages.charts import sprint_argument
from commands.messages.report import amount_text, inline_list, numbers_table, result_sentence
from sprints.facts import Item, ScopeCause, sum_items
from sprints.milestone import Sprint
from sprints.numbering import ref
from sprints.report import Report

_PROVISIONAL = "Its numbers are provisional until a day after closing."


@dataclass(frozen=True, slots=True)
class Closing:
    """The effects of closing a sprint.

    `moved` are the items open in it. They go to the sprint `target`, or to the backlog if that is None.
    `credited` are items that were done late and will count for its velocity.
    """

    sprint: Sprint
    report: Report
    moved: Sequence[Item]
    target: Sprint | None
    credited: Sequence[Item] = ()
    warnings: Sequence[str] = ()

    @property
    def where(self) -> str:
        """The title of the target sprint, or "the backlog"."""
        return plain(self.target.title) if self.target else "the backlog"

    @property
    def summary(self) -> str:
        """The effects in one line, as an infinitive."""
        verb = "close" if self.sprint.closed_at is None else "tidy up"
        text = f"{verb} {plain(self.sprint.title)}"
        if not self.moved:
            return text
        return f"{text} and move {counted(len(self.moved), 'item')} to {self.where}"


def closing_preview(closing: Closing) -> str:
    """The text shown before a sprint is closed: its result, the items that stay, and the items that move."""
    parts = [
        result_sentence(closing.report),
        *(f"> [!WARNING]\n> {warning}" for warning in closing.warnings),
        numbers_table(closing.report),
        _done(closing.report),
        _dropped(closing.report),
        _moves(closing, "Will move"),
        _credited(closing, "will count"),
    ]
    return "\n\n".join(part for part in parts if part)


def closed_sprint_text(closing: Closing) -> str:
    """The text shown after a sprint was closed."""
    report = replace(closing.report, is_over=True)
    report_line = f"`/sprint report{sprint_argument(closing.sprint.title)}`"
    parts = [
        f"### {plain(closing.sprint.title)} is closed",
        result_sentence(report),
        numbers_table(report),
        _moves(closing, "Moved"),
        _credited(closing, "counts"),
        f"{_PROVISIONAL} {report_line} shows them{_way_back(closing)}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _way_back(closing: Closing) -> str:
    """A hint at `/agile undo`."""
    return f"; `/agile undo` reopens it{' and moves the items back' if closing.moved else ''}"


def closing_dry_run(closing: Closing) -> str:
    """The answer to `dry-run:yes`: the preview, with a note that nothing was changed."""
    heading = f"### Would {closing.summary}"
    note = "Nothing was changed. To apply this, run it without `dry-run:yes`, and tick the box."
    return "\n\n".join([heading, closing_preview(closing), f"<sub>{note}</sub>"])


def early_warning(sprint: Sprint, days: int) -> str:
    """The warning that a sprint is closed `days` days before it is due."""
    due = full_day(sprint.due) if sprint.due else ""
    return f"It is due on {due}. If you close it now, it ends {counted(days, 'day')} early."


def before_start_warning(sprint: Sprint) -> str:
    """The warning that a sprint is closed before it starts."""
    return (
        f"It starts on {full_day(sprint.first_day)}. If you close it before that, it counts as "
        "abandoned and not towards velocity."
    )


def _done(report: Report) -> str:
    if not report.done.entries:
        return "**Done and stays:** nothing."
    return f"**Done and stays** ({amount_text(report.done.total)}): {named(report.done.numbers)}."


def _dropped(report: Report) -> str:
    dropped = report.changes[ScopeCause.DROPPED]
    return f"**Dropped** ({amount_text(dropped.total)}): {named(dropped.numbers)}." if dropped.entries else ""


def _moves(closing: Closing, verb: str) -> str:
    if not closing.moved:
        return "No items are open, so nothing moves."
    listed = inline_list([_item_text(item) for item in closing.moved])
    covered = sum(item.is_covered for item in closing.moved)
    amount = amount_text(sum_items(item for item in closing.moved if not item.is_covered))
    more = f", and {counted(covered, 'item')} already covered by linked items" if covered else ""
    return f"**{verb} to {closing.where}** ({amount}{more}): {listed}."


def _item_text(item: Item) -> str:
    if item.is_covered:
        return f"{ref(item.number)} (covered by linked items)"
    points = "not estimated" if item.points is None else quantity(item.points, "points")
    return f"{ref(item.number)} ({points})"


def _credited(closing: Closing, verb: str) -> str:
    if not closing.credited:
        return ""
    numbers = named(item.number for item in closing.credited)
    return (
        f"**Done late, {verb} towards its velocity** ({amount_text(sum_items(closing.credited))}): {numbers}."
    )


def title_list(sprints: Iterable[Sprint]) -> str:
    """The quoted titles of sprints, to choose from."""
    return ", ".join(f"“{plain(sprint.title)}”" for sprint in sprints)
