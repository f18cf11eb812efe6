"""Explanations of velocity and of the numbers of flow. Pure functions from values to Markdown."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from charts.reading import number, quantity, short_day
from commands.formatting.wording import counted
from commands.messages.cycletime import left_out_sentence
from commands.messages.explain import Explanation, ExplanationRow, ItemListing, Rule
from commands.messages.flow_window import Window
from commands.messages.velocity import sprints_table
from sprints.calendar import Calendar
from sprints.durations import Durations, measure_ages, measure_cycle_times, measure_lead_times
from sprints.evidence import find_closing_event, find_opening_event, find_start_event
from sprints.flow import Flow
from sprints.model import ItemEvent
from sprints.numbering import split_number
from sprints.starts import StartSignal
from sprints.throughput import Throughput
from sprints.velocity import LEAST_SPRINTS, Velocity

_KANBAN = (
    "[Kanban Guide, explained]"
    "(https://prokanban.org/blog/the-kanban-pocket-guide-chapter-6-the-basic-metrics-of-flow/)"
)
VELOCITY = Rule(
    "Velocity",
    "What a finished sprint completed, including work added to it. The result is the median of the "
    "last 3 to 7 sprints.",
    "[Jira's velocity chart](https://janekbehrens.de/blog/how-sprint-velocity-is-calculated.html), "
    "with the median instead of the mean",
)
THROUGHPUT = Rule("Throughput", "The number of items done per unit of time, whatever their size.", _KANBAN)
CYCLE_TIME = Rule(
    "Cycle time",
    "From the first start of an item until it was last done, in local days: finish − start + 1.",
    _KANBAN,
)
LEAD_TIME = Rule(
    "Lead time",
    "From the creation of an item until it was last done, in local days: finish − creation + 1.",
    "ours, `docs/metrics.md#flow`",
)
WIP = Rule(
    "Work in progress", "The items that were started and are neither done, dropped nor paused.", _KANBAN
)
SIGNALS = {
    StartSignal.COMMAND: "set by a command",
    StartSignal.STATUS: "status",
    StartSignal.LABEL: "label",
    StartSignal.PULL_REQUEST: "pull request",
    StartSignal.ASSIGNED: "assigned",
}
_PERCENTS = (50, 85, 95)


@dataclass(frozen=True, slots=True)
class FlowEvidence:
    """The flows and events behind an explanation of flow, and the days that it covers.

    `flows` are at least the open ones, `done` those done within the window, including those whose work other
    items cover. `events` are those of the items explained, and of the pull requests that close them, by node
    id.
    """

    flows: Sequence[Flow]
    done: Sequence[Flow]
    events: Mapping[str, Sequence[ItemEvent]]
    window: Window
    calendar: Calendar
    now: datetime


def explain_velocity(velocity: Velocity, calendar: Calendar) -> Explanation:
    """Explain velocity by its sprints' values in ascending order and their median."""
    unit = velocity.unit
    explanation = Explanation(VELOCITY, f"the last {counted(velocity.n, 'sprint')}", "too few to say", ())
    table = sprints_table(velocity, calendar)
    notes = [table, 'To see what a sprint completed, item by item: `/explain done for:"…"`.'] if table else []
    if velocity.median is None:
        too_few = f"{counted(velocity.n, 'sprint')} finished; a velocity needs {LEAST_SPRINTS}."
        return replace(explanation, arithmetic=[too_few], notes=notes)
    ordered = sorted(velocity.values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        middle_text = f"the median is **{quantity(velocity.median, unit)}**"
    else:
        low, high = (number(value) for value in ordered[middle - 1 : middle + 1])
        mean = quantity(velocity.median, unit)
        middle_text = f"the median is ({low} + {high}) ÷ 2 = **{mean}**"
    arithmetic = [f"In ascending order {', '.join(map(number, ordered))}: {middle_text}"]
    if unit == "count":
        arithmetic.append("In items, by choice or because not all of these sprints were estimated.")
    return replace(explanation, result=quantity(velocity.median, unit), arithmetic=arithmetic, notes=notes)


def explain_throughput(evidence: FlowEvidence, throughput: Throughput) -> Explanation:
    """Explain throughput by the items done, added up by weeks or days."""
    counted_items = [flow for flow in evidence.done if not flow.is_covered]
    weeks = len(throughput.days) > 7
    terms = (
        [f"{week.count} (week of {short_day(week.monday)})" for week in throughput.weeks]
        if weeks
        else [f"{day.count} ({short_day(day.date)})" for day in throughput.days]
    )
    total = counted(throughput.total, "item")
    arithmetic = [f"{' + '.join(terms)} = **{total}**"]
    if covered := len(evidence.done) - len(counted_items):
        arithmetic.append(
            f"Not counted: {counted(covered, 'done item')} already covered by linked items (parents, "
            "pull requests)"
        )
    rows = [_row(evidence, flow, "1", THROUGHPUT) for flow in _by_done(counted_items)]
    items = ItemListing(
        f"The {total}, in the order in which they were done", ("Items",), rows, (str(len(rows)),)
    )
    return Explanation(THROUGHPUT, evidence.window.name, total, arithmetic, items, calendar=evidence.calendar)


def explain_cycle_time(evidence: FlowEvidence) -> Explanation:
    """Explain cycle time by each item's days and their percentiles."""
    return _durations(evidence, CYCLE_TIME, measure_cycle_times)


def explain_lead_time(evidence: FlowEvidence) -> Explanation:
    """Explain lead time by each item's days since creation and their percentiles."""
    return _durations(evidence, LEAD_TIME, measure_lead_times)


def explain_wip(evidence: FlowEvidence) -> Explanation:
    """Explain work in progress by its items, when each was started, and by which signal."""
    ages_by_start = measure_ages(evidence.flows, evidence.now, evidence.calendar)
    rows = []
    for age in ages_by_start:
        start = find_start_event(age.flow, evidence.events)
        days = f"{'at least ' if age.is_at_least else ''}{age.days}"
        rows.append(ExplanationRow(age.flow.number, (days,), (start,) if start else (), _signal(age.flow)))
    open_flows = [flow for flow in evidence.flows if flow.is_open and not flow.is_covered]
    started = [flow for flow in open_flows if flow.started_at]
    not_started, paused = len(open_flows) - len(started), sum(flow.is_paused for flow in started)
    total = counted(len(ages_by_start), "item")
    arithmetic = [f"{len(open_flows)} open − {not_started} not started − {paused} paused = **{total}**"]
    items = ItemListing(f"The {total}, the oldest first", ("Days",), rows, remarks="Started by")
    return Explanation(WIP, "now", total, arithmetic, items, calendar=evidence.calendar)


def percentile_text(days: Sequence[int], percent: int) -> str:
    """The place of a percentile among `days` in ascending order, and its value."""
    exact, place = Decimal(percent * len(days)) / 100, -(-percent * len(days) // 100)
    value = counted(days[place - 1], "day")
    return f"{percent} % of {len(days)} is {number(exact)}, so position {place}: **{value}**"


def _durations(
    evidence: FlowEvidence, rule: Rule, measure: Callable[[Iterable[Flow], Calendar], Durations]
) -> Explanation:
    durations = measure(evidence.done, evidence.calendar)
    days = durations.days
    rows = list[tuple[int, ExplanationRow]]()
    for flow in evidence.done:
        rows += [(d, _row(evidence, flow, str(d), rule)) for d in measure([flow], evidence.calendar).days]
    rows.sort(key=lambda row: (-row[0], split_number(row[1].number)))
    if not days:
        note = left_out_sentence(durations)
        return Explanation(
            rule, evidence.window.name, "nothing to measure", [note], calendar=evidence.calendar
        )
    spread = ", ".join(
        f"{count} × {day}" if count > 1 else str(day) for day, count in sorted(Counter(days).items())
    )
    arithmetic = [
        f"In ascending order, in days: {spread}",
        *(percentile_text(days, percent) for percent in _PERCENTS),
        left_out_sentence(durations),
    ]
    result = f"85 % within {counted(durations.days_percentile(85) or 0, 'day')}"
    items = ItemListing(
        f"The {counted(len(rows), 'item')}, the longest first",
        ("Days",),
        [row for _, row in rows],
        remarks="Started by",
    )
    return Explanation(rule, evidence.window.name, result, arithmetic, items, calendar=evidence.calendar)


def _row(evidence: FlowEvidence, flow: Flow, value: str, rule: Rule) -> ExplanationRow:
    """A done item with the event that began its time and the event that ended it."""
    item_events = evidence.events.get(flow.item, ())
    started = {
        CYCLE_TIME: find_start_event(flow, evidence.events),
        LEAD_TIME: find_opening_event(item_events),
    }.get(rule)
    events = tuple(event for event in (started, find_closing_event(flow, item_events)) if event)
    return ExplanationRow(flow.number, (value,), events, _signal(flow) if rule is CYCLE_TIME else "")


def _signal(flow: Flow) -> str:
    return SIGNALS[flow.start_signal] if flow.start_signal else ""


def _by_done(flows: Iterable[Flow]) -> list[Flow]:
    done = [(flow.done_at, flow.number, flow) for flow in flows if flow.done_at]
    return [flow for _, _, flow in sorted(done, key=lambda entry: entry[:2])]
