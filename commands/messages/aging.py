"""Texts and tables about the age of work in progress."""

from collections.abc import Sequence

from commands.formatting.wording import counted, full_day, named, table
from sprints.calendar import Calendar
from sprints.durations import Age, Durations
from sprints.expectation import ENOUGH
from sprints.numbering import ref

_MOST_ROWS = 40


def summarize_aging(ages: Sequence[Age], finished: Durations) -> list[str]:
    """The oldest item and a remedy, the amount of work in progress, and doubts about the data."""
    if not ages:
        return ["**Nothing is in progress.** Start the next item with `/start`."]
    return [_outlier(ages, finished), _amount_sentence(ages, finished), _data_doubts(ages, finished)]


def ages_table(ages: Sequence[Age], calendar: Calendar) -> str:
    """A table of the items in progress, the oldest first."""
    rows = []
    for age in ages[:_MOST_ROWS]:
        day = full_day(calendar.day_of(age.flow.started_at)) if age.flow.started_at else ""
        blocked_by = _blockers(age).strip() or "yes" if age.flow.open_blocks else ""
        start = f"{'before ' if age.is_at_least else ''}{day}"
        rows.append([ref(age.flow.number), start, _age_text(age), blocked_by])
    if rest := ages[_MOST_ROWS:]:
        rows.append([f"… {len(rest)} more", "", f"{rest[0].days} days or fewer", ""])
    return table(("Item", "Started", "In progress", "Blocked"), rows, numbers_from=4) if rows else ""


def _outlier(ages: Sequence[Age], finished: Durations) -> str:
    limit, oldest = finished.days_percentile(85), ages[0]
    oldest_text = f"{ref(oldest.flow.number)} has been in progress for {_age_text(oldest)}"
    if limit is None:
        rank = "longer than anything else" if len(ages) > 1 else "the only item in progress"
        return f"**{oldest_text}**, {rank}. Ask what it is waiting for."
    overdue = [age for age in ages if age.days > limit]
    usual = f"85 % of finished items took at most {limit}"
    if not overdue:
        return f"**Nothing is older than usual**: {oldest_text}, {usual}. Finish it before you start another."
    advice = "Ask what it is waiting for and record it with `/blocked`, or `/split` off what can be finished."
    if oldest.flow.open_blocks:
        advice = f"It is blocked{_blockers(oldest)}. Resolve that first."
    if len(overdue) == 1:
        return f"**{oldest_text}**, {usual}. {advice}"
    other_items = named(age.flow.number for age in overdue[1:])
    return f"**{oldest_text}**, {usual}; also older than that: {other_items}. {advice}"


def _amount_sentence(ages: Sequence[Age], finished: Durations) -> str:
    half, most = finished.days_percentile(50), finished.days_percentile(85)
    count_text = f"{counted(len(ages), 'item')} in progress"
    if half is None or most is None:
        return f"{count_text}; no items have been finished yet, so there is no usual time to compare with."
    beyond_half = sum(half < age.days <= most for age in ages)
    beyond = sum(age.days > most for age in ages)
    young = len(ages) - beyond_half - beyond
    return (
        f"{count_text}: {young} up to {counted(half, 'day')} old (half of finished items took no longer), "
        f"{beyond_half} up to {counted(most, 'day')}, {beyond} older."
    )


def _data_doubts(ages: Sequence[Age], finished: Durations) -> str:
    sentences = []
    if at_least := [age.flow.number for age in ages if age.is_at_least]:
        sentences.append(
            f"The exact age of {named(at_least)} is not known, because work had started before I saw it."
        )
    if 0 < finished.n < ENOUGH:
        sentences.append(f"What is usual is based on only {counted(finished.n, 'finished item')}.")
    return " ".join(sentences)


def _blockers(age: Age) -> str:
    """The known blockers in this repository: ` by #9 and #12`. Empty for others."""
    numbers = [block.number for block in age.flow.open_blocks if block.number]
    return f" by {named(numbers)}" if numbers else ""


def _age_text(age: Age) -> str:
    return f"{'at least ' if age.is_at_least else ''}{counted(age.days, 'day')}"
