"""Texts and tables about cycle times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from commands.formatting.wording import counted, full_day, table
from sprints.durations import Durations, Exclusion
from sprints.expectation import ENOUGH, PastCycleTimes
from sprints.numbering import Number, ref

_MOST_ROWS = 40
# An item stands out if it took more than this many times the median.
_TIMES = 2
_NONE = (
    "**No item with a known start was done in this period.** Work counts as started by `/start`, an “in "
    "progress” label, a pull request that closes it, or an assignment."
)
_EXCLUSION_REASONS = {
    Exclusion.NOT_STARTED: "without a recorded start",
    Exclusion.START_NOT_DATED: "started at an unknown time",
    Exclusion.ZERO: "started and done in the same second",
    Exclusion.NEGATIVE: "started only after being done",
}


@dataclass(frozen=True, slots=True)
class TimedItem:
    """A done item and its cycle time in local days, the first and the last included."""

    number: Number
    started: date
    done: date
    days: int


def summarize_cycletime(
    items: Sequence[TimedItem], durations: Durations, usual: PastCycleTimes | None = None
) -> list[str]:
    """The expectation for the next items, the longest cycle time, and the items left out.

    `usual` are the usual cycle times, where the items are those of other days.
    """
    if not items:
        return [_NONE, left_out_sentence(durations)]
    return [_expectation(durations, usual), _outlier(items, durations), left_out_sentence(durations)]


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
            f"{durations.reopened} of {counted(durations.n, 'item')} had been done before and then reopened."
        )
    return " ".join(sentences)


def _outlier(items: Sequence[TimedItem], durations: Durations) -> str:
    longest, half = items[0], durations.days_percentile(50) or 0
    took = f"{ref(longest.number)} took {counted(longest.days, 'day')}"
    if len(items) == 1:
        return f"{took}, the only item so far."
    if len(items) < 3 or longest.days <= _TIMES * half:
        return (
            f"**Nothing stands out**: the longest is {ref(longest.number)} with "
            f"{counted(longest.days, 'day')}, and half of the items took at most {half}."
        )
    return (
        f"**{took}**, half of the items took at most {half}. `/explain cycle time` shows what started "
        "and ended it. If it was large, `/split` the next one like it; if it was waiting, record "
        "that with `/blocked` next time."
    )


def _usual(usual: PastCycleTimes) -> str:
    """The service level expectation beside other days."""
    if usual.level is None:
        return ""
    days = f"the last {usual.window} days" if usual.window else "all recorded history"
    level = counted(usual.level.days, "day")
    return f"Expectation from {days}: {usual.level.percent} % within {level}."


def _expectation(durations: Durations, usual: PastCycleTimes | None) -> str:
    half, most, nearly_all = (durations.days_percentile(percent) for percent in (50, 85, 95))
    if usual is not None:
        shares = f"**85 % within {counted(most or 0, 'day')}**, half within {half}, 95 % within {nearly_all}."
        return f"{shares} {_usual(usual)}".strip()
    if durations.n < ENOUGH:
        return (
            f"**85 % within {counted(most or 0, 'day')}**, half within {counted(half or 0, 'day')}; "
            f"with {counted(durations.n, 'item')} so far, that is too few to rely on."
        )
    return (
        f"Expect **85 % of items within {counted(most or 0, 'day')}**; half take at most {half}, "
        f"95 % at most {nearly_all}."
    )
