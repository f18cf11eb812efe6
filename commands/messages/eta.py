"""The text of `/eta`: an item's age, how unusual it is, and when items of that age were done."""

from collections.abc import Sequence
from datetime import timedelta

from charts.reading import percent
from commands.formatting.wording import counted, footer, format_moment, full_day, weekday
from commands.messages.work import blockers_text, duration_text, ordinal, since_text
from sprints.blocked import add_up_blocked_time
from sprints.durations import Exclusion, count_days
from sprints.expectation import ENOUGH, AgeExpectation, PastCycleTimes, expect_from_age
from sprints.flow import Flow
from sprints.work import RepositoryWork

_LEFT_OUT = {
    Exclusion.NOT_STARTED: "not started",
    Exclusion.START_NOT_DATED: "start without a date",
    Exclusion.ZERO: "started and done at the same moment",
    Exclusion.NEGATIVE: "done before the start",
}
_USUAL, _UNUSUAL = 50, 85
_LONGEST_BREAK = 60


def eta_text(flow: Flow, past: PastCycleTimes, work: RepositoryWork) -> str:
    """The answer, then the data behind it."""
    parts = [*_answer(flow, past, work), *_delays(flow, work), _sources(past, work)]
    return "\n\n".join(part for part in parts if part)


def days_old(flow: Flow, work: RepositoryWork) -> int:
    """The item's age in local days, the day of its start and today (or its last day) included."""
    if flow.started_at is None:
        return 0
    return count_days(flow.started_at, flow.done_at or work.now, work.calendar)


def _answer(flow: Flow, past: PastCycleTimes, work: RepositoryWork) -> Sequence[str]:
    if flow.dropped_at:
        day = work.calendar.day_of(flow.dropped_at)
        return [f"#{flow.number} was dropped on {full_day(day)}."]
    if flow.done_at:
        return [_done(flow, past, work)]
    if flow.started_at is None:
        return [_not_started(flow, past)]
    expected = expect_from_age(days_old(flow, work), past.times)
    return [
        _age(flow, expected, past, work),
        _level(flow, expected, past, work),
        _ahead(flow, expected, past, work),
    ]


def _done(flow: Flow, past: PastCycleTimes, work: RepositoryWork) -> str:
    if flow.started_at is None or not flow.is_start_dated:
        return f"#{flow.number} is done, but I don't know when it was started."
    expected = expect_from_age(days_old(flow, work), past.times)
    text = f"#{flow.number} is done. It took {counted(expected.days, 'day')}"
    return (
        f"{text}; {percent(expected.share_within)} of the items took that long or less."
        if _has_expectation(past)
        else f"{text}."
    )


def _not_started(flow: Flow, past: PastCycleTimes) -> str:
    text = f"**#{flow.number} is not started**, so it has no age yet."
    if not _has_expectation(past):
        return f"{text} {_too_few(past)}"
    half, most = (past.times.days_percentile(level) for level in (_USUAL, _UNUSUAL))
    return (
        f"{text} Once started, half of the items were done within {_days(half)}, 85 % within {_days(most)}."
    )


def _age(flow: Flow, expected: AgeExpectation, past: PastCycleTimes, work: RepositoryWork) -> str:
    at_least = "" if flow.is_start_dated else "at least "
    text = f"**#{flow.number} is {at_least}in its {ordinal(expected.days)} day** ({_since_start(flow, work)})"
    if past.level is None:
        return f"{text}. {_too_few(past)}"
    if expected.days > past.level.days:
        verdict = "unusually long"
    else:
        usual = past.times.days_percentile(_USUAL) or 0
        verdict = "longer than most" if expected.days > usual else "nothing unusual"
    return f"{text}: {verdict}. {percent(expected.share_within)} of the items were done by that day."


def _level(flow: Flow, expected: AgeExpectation, past: PastCycleTimes, work: RepositoryWork) -> str:
    """The item's age against the service level expectation."""
    level = past.level
    if level is None:
        return ""
    left = level.days - expected.days
    text = f"85 % of the items are done by their {ordinal(level.days)} day"
    if left < 0:
        return f"{text}: it is {_days(-left)} past that."
    return f"{text}: for this one, that is {_reached(flow, level.days, work) if left else 'today'}."


def _ahead(flow: Flow, expected: AgeExpectation, past: PastCycleTimes, work: RepositoryWork) -> str:
    """Say when items that were at least this old were done."""
    longer = expected.n - expected.within
    if not _has_expectation(past):
        return ""
    if expected.half is None or expected.most is None:
        if not longer:
            return "None of them took longer, so I can't predict when it will be done."
        return f"Only {counted(longer, 'item')} took longer: too few to predict when it will be done."
    by = f"Of the {longer} that took longer,"
    half, most = (f"**{_reached(flow, days, work)}**" for days in (expected.half, expected.most))
    if expected.half == expected.most:
        return f"{by} most were done by their {ordinal(expected.most)} day: for this one {most}."
    return (
        f"{by} half were done by their {ordinal(expected.half)} day and "
        f"85 % by their {ordinal(expected.most)}: "
        f"for this one {half} and {most}."
    )


def _reached(flow: Flow, days: int, work: RepositoryWork) -> str:
    """The day on which the item reaches an age in days, or the next working day."""
    first = work.calendar.day_of(flow.started_at or work.now)
    day = first + timedelta(days=days - 1)
    coming = (day + timedelta(days=n) for n in range(_LONGEST_BREAK))
    return weekday(next(filter(work.calendar.is_working_day, coming), day))


def _delays(flow: Flow, work: RepositoryWork) -> list[str]:
    """List the waits that have delayed the item since its start."""
    parts = []
    end = flow.done_at or work.now
    waited = add_up_blocked_time(flow.blocks, end, flow.started_at)
    if flow.open_blocks:
        parts.append(f"**Blocked:** {blockers_text(flow.open_blocks)}.")
    if flow.started_at and waited:
        parts.append(f"It was blocked for {duration_text(waited)} of that time.")
    if flow.is_paused:
        paused = since_text(flow.pauses[-1].span.since, work.now, work.calendar)
        parts.append(
            f"It has been paused {paused}, but its age keeps counting, as it did for the other items."
        )
    return ["\n".join(parts)] if parts else []


def _sources(past: PastCycleTimes, work: RepositoryWork) -> str:
    window = f"the last {past.window} days" if past.window else "all recorded history"
    left_out = ", ".join(f"{count} {_LEFT_OUT[why]}" for why, count in past.times.excluded)
    return footer(
        f"Cycle times of {counted(past.times.n, 'item')} done, {window}",
        f"left out: {left_out}" if left_out else "",
        "ages include days off; the dates are always working days",
        f"as of {format_moment(work.calendar.local(work.now))}",
    )


def _has_expectation(past: PastCycleTimes) -> bool:
    return past.level is not None


def _too_few(past: PastCycleTimes) -> str:
    return f"A prediction needs {ENOUGH} items with a known start and end; there {_be_count(past.times.n)}."


def _be_count(count: int) -> str:
    return {0: "is none", 1: "is 1"}.get(count, f"are {count}")


def _since_start(flow: Flow, work: RepositoryWork) -> str:
    return since_text(flow.started_at or work.now, work.now, work.calendar)


def _days(count: int | None) -> str:
    return counted(count or 0, "day")
