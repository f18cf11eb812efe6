"""Texts and tables about cumulative flow."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from commands.formatting.wording import counted, table, weekday, weekdays
from sprints.calendar import Calendar
from sprints.cumulative_flow import CumulativeFlow, FlowDay

_MOST_DAYS = 62
# The number of working days in a row without a departure from which on a standstill is reported.
_IDLE_DAYS = 3
# The smallest growth, in items, that is reported: one more item is nothing unusual.
_GROWS_BY = 2


def summarize_cumulative_flow(flow: CumulativeFlow, calendar: Calendar, today: date) -> list[str]:
    """Describe the bottleneck, the items by state, and the standstill or peak."""
    if not flow.days[-1].arrived:
        return ["**There is nothing to draw**: there were no items in this period."]
    return [_growth_sentence(flow, today), _states(flow), _standstill(flow, calendar, today)]


def flow_table(flow: CumulativeFlow) -> str:
    """A table of each day's items by state; the states add up to the items that had arrived.

    A state in which no item was on any of these days has no column.
    """
    days = flow.days[-_MOST_DAYS:]
    columns = _list_states(days)
    head = ["Day", *columns, "**Arrived**"]
    rows = [
        [weekday(day.date), *(str(counts[n]) for counts in columns.values()), f"**{day.arrived}**"]
        for n, day in enumerate(days)
    ]
    if len(rows) < len(flow.days):
        earlier = f"… {counted(len(flow.days) - len(rows), 'earlier day')}"
        rows.insert(0, [earlier, *[""] * (len(head) - 1)])
    return table(head, rows)


def sum_text(flow: CumulativeFlow) -> str:
    """Say which columns of the table add up to the items that had arrived."""
    names = [name.lower() for name in _list_states(flow.days[-_MOST_DAYS:])]
    return f"{' + '.join(names)} = arrived" if len(names) > 1 else ""


def _list_states(days: Sequence[FlowDay]) -> dict[str, list[int]]:
    """The numbers of items by state on each day, without states in which no item was on any of them."""
    states = {
        "Waiting": [day.waiting for day in days],
        "In progress": [day.in_progress for day in days],
        "Done": [day.done for day in days],
        "Dropped": [day.dropped for day in days],
    }
    return {name: counts for name, counts in states.items() if any(counts)}


def _growth_sentence(flow: CumulativeFlow, today: date) -> str:
    first, last = flow.days[0], flow.days[-1]
    is_over = last.date < today
    since = f"since the end of {weekday(first.date)}"
    if is_over:
        since = f"from the end of {weekdays(first.date, last.date)}"
    started, departed = last.started - first.started, _departed(last) - _departed(first)
    departures = f"{departed} {_departure(flow)}"
    if last.in_progress - first.in_progress >= _GROWS_BY:
        growth = f"**Work in progress grew from {first.in_progress} to {last.in_progress}** {since}"
        advice = " Finish something before you start more: `/aging` shows the oldest."
        return f"{growth}: {started} started, {departures}.{'' if is_over else advice}"
    arrived = last.arrived - first.arrived
    if last.waiting - first.waiting >= _GROWS_BY:
        growth = f"**Waiting work grew from {first.waiting} to {last.waiting}** {since}"
        advice = " Agree on what to drop or postpone."
        return f"{growth}: {arrived} arrived, {started} started.{'' if is_over else advice}"
    if not last.waiting + last.in_progress:
        return f"**Everything is {_departure(flow)}.**"
    if not started + departed:
        advice = " Ask what is in the way: `/standup`."
        return f"**Nothing moved** {since}: none started, none {_departure(flow)}.{'' if is_over else advice}"
    return f"**Nothing piled up** {since}: {arrived} arrived, {started} started, {departures}."


def _states(flow: CumulativeFlow) -> str:
    """The items by state; an item that was done and reopened has arrived twice, which is named."""
    day = flow.days[-1]
    states = [(day.waiting, "waiting"), (day.in_progress, "in progress"), (day.done, "done")]
    parts = [f"{count} {name}" for count, name in [*states, (day.dropped, "dropped")] if count]
    if not flow.returned:
        return f"{' + '.join(parts)} = **{counted(day.arrived, 'item')}** on {weekday(day.date)}."
    total = f"{' + '.join(parts)} = **{day.arrived} arrivals** on {weekday(day.date)}"
    again = f"{flow.returned} of the {day.done} done items came back, each counted as a new arrival"
    return f"{total}. {again}: **{counted(day.done - flow.returned, 'item')}** stayed done."


def _departure(flow: CumulativeFlow) -> str:
    """The words for leaving the flow. "Left" alone could also mean the work that remains."""
    return "done or dropped" if flow.days[-1].dropped else "done"


def _standstill(flow: CumulativeFlow, calendar: Calendar, today: date) -> str:
    """The longest row of working days before today on which no item left, or else the peak."""
    longest, run = list[FlowDay](), list[FlowDay]()
    for before, day in pairwise(flow.days):
        if _departed(day) != _departed(before) or day.date >= today:
            run = []
        elif calendar.is_working_day(day.date) and before.waiting + before.in_progress:
            run = [*run, day]
        longest = max(longest, run, key=len)
    if len(longest) < _IDLE_DAYS:
        return _peak(flow)
    return (
        f"Nothing was {_departure(flow)} on {len(longest)} working days in a row, "
        f"{weekdays(longest[0].date, longest[-1].date)}."
    )


def _peak(flow: CumulativeFlow) -> str:
    peak = max(flow.days, key=lambda day: day.in_progress)
    if not peak.in_progress:
        return ""
    return f"The most was in progress on {weekday(peak.date)}: {counted(peak.in_progress, 'item')} at once."


def _departed(day: FlowDay) -> int:
    return day.done + day.dropped
