"""Texts and tables about cycle times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from commands.formatting.wording import counted, full_day, table
from sprints.durations import Durations, Exclusion
from sprints.expectation import ENOUGH
from sprints.numbering import Number, ref

_MOST_ROWS = 40
# An item stands out if it took more than this many times the median.
_TIMES = 2
_NONE = (
    "**No item with a known start was done in these days.** Work counts as started by `/start`, an “in "
    "progress” label, a pull request that closes it, or an assignment."
)
_EXCLUSION_REASONS = {
    Exclusion.NOT_STARTED: "never told to be started",
    Exclusion.START_NOT_DATED: "started at an unknown time",
    Exclusion.ZERO: "started and done in the same second",
    Exclusion.NEGATIVE: "started only after they were done",
}


@dataclass(frozen=True, slots=True)
class TimedItem:
    """A done item and its cycle time in local days, the first and the last included."""

    number: Number
    started: date
    done: date
    days: int


def summarize_cycletime(items: Sequence[TimedItem], durations: Durations) -> list[str]:
    """The longest cycle time, the expectation for the next items, and the items left out."""
    if not items:
        return [_NONE, left_out_sentence(durations)]
    return [_outlier(items, durations), _expectation(durations), left_out_sentence(durations)]


def items_table(items: Sequence[TimedItem]) -> str:
    """A table of the items, the longest cycle time first."""
    rows = [[ref(i.number), full_day(i.started), full_day(i.done), str(i.days)] for i in items[:_MOST_ROWS]]
    if rest := items[_MOST_ROWS:]:
        rows.append([f"… {len(rest)} more", "", "", f"{rest[0].days} or fewer"])
    return table(("Item", "Started", "Done", "Days"), rows, numbers_from=3) if rows else ""


def left_out_sentence(durations: Durations) -> str:
    """The number of done items without a cycle time, by reason, and of items that were reopened."""
    sentences = []
    if durations.excluded_count:
        reasons = ", ".join(f"{count} {_EXCLUSION_REASONS[reason]}" for reason, count in durations.excluded)
        sentences.append(f"Left out: {counted(durations.excluded_count, 'done item')} ({reasons}).")
    if durations.reopened:
        sentences.append(
            f"{durations.reopened} of {counted(durations.n, 'item')} had been done before and opened again."
        )
    return " ".join(sentences)


def _outlier(items: Sequence[TimedItem], durations: Durations) -> str:
    longest, half = items[0], durations.days_percentile(50) or 0
    took = f"{ref(longest.number)} took {counted(longest.days, 'day')}"
    if len(items) < 3 or longest.days <= _TIMES * half:
        return f"**Nothing stands out**: the longest, {took}, half of them at most {half}."
    return (
        f"**{took}**, half of the items took at most {half}. `/explain cycle time` shows what began and "
        "ended it. If it was large, `/split` the next one like it; if it waited, `/blocked` shows that."
    )


def _expectation(durations: Durations) -> str:
    half, most, nearly_all = (durations.days_percentile(percent) for percent in (50, 85, 95))
    if durations.n < ENOUGH:
        return (
            f"Only {counted(durations.n, 'item')} so far, too few to promise anything: half took at most "
            f"{half} days, 85 % at most {most}."
        )
    return (
        f"Expect **85 % of items within {counted(most or 0, 'day')}**; half take at most {half}, "
        f"95 % at most {nearly_all}."
    )
