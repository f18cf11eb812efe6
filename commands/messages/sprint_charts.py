"""Texts beside the charts of a sprint. Pure functions from facts to Markdown."""

from decimal import Decimal

from charts.reading import list_scope_steps, number, percent, quantity, signed
from commands.formatting.wording import counted, footer, format_moment, named, table, weekday, weekdays
from commands.messages.charts import sprint_argument
from commands.messages.nothing_left import nothing_left_sentence
from commands.messages.progress import (
    done_text,
    hides_open_items,
    is_single,
    open_work_text,
    progress_text,
    share_done,
)
from commands.messages.status import facts_completeness
from commands.messages.time_left import time_left_text
from sprints.burndown import Burndown, BurndownDay, compute_pace, ideal_before, measure_amount
from sprints.facts import Facts, ScopeCause
from sprints.time_left import measure_time_left

# The number of working days in a row without anything done from which on the stretch is reported.
_IDLE_DAYS = 3
_MOST_DAYS = 62


def summarize_burndown(facts: Facts, burndown: Burndown) -> list[str]:
    """The distance to the ideal line and its cause, the largest step, and the pace needed."""
    step = _idle_stretch_or_step(burndown, is_over=facts.sprint.has_ended(facts.as_of))
    return [_position(facts, burndown), step, _needed_pace(facts, burndown)]


def summarize_burnup(facts: Facts, burndown: Burndown) -> list[str]:
    """The work done, the largest change of the scope, and how the scope came about."""
    lines = [_done(facts, burndown), _largest_scope_step(facts, burndown)]
    if not facts.days:  # That it has not begun says more than that nothing is done.
        lines.reverse()
    return [*lines, scope_equation(facts, burndown.unit)]


def scope_equation(facts: Facts, unit: str) -> str:
    """Committed + Added − Removed − Dropped + Re-estimated = Scope in numbers; zeros are left out."""
    if not facts.is_committed:
        scope = quantity(measure_amount(facts.scope, unit), unit)
        return f"**{scope}** planned so far; nothing is committed yet."
    terms = [f"{number(measure_amount(facts.committed, unit))} committed"]
    for name, cause, sign in _TERMS:
        if value := measure_amount(facts.total(cause), unit):
            terms.append(f"{'−' if sign == '−' or value < 0 else '+'} {number(abs(value))} {name}")
    return f"{' '.join(terms)} = **{quantity(measure_amount(facts.scope, unit), unit)} of scope**."


_TERMS = (
    ("added", ScopeCause.ADDED, "+"),
    ("removed", ScopeCause.REMOVED, "−"),
    ("dropped", ScopeCause.DROPPED, "−"),
    ("re-estimated", ScopeCause.REESTIMATED, "+"),
)


def days_table(burndown: Burndown) -> str:
    """The numbers of each day so far."""
    days = [day for day in burndown.days if day.remaining is not None]
    rows = [_day_row(day) for day in days[-_MOST_DAYS:]]
    if len(rows) < len(days):
        rows.insert(0, [f"… {counted(len(days) - len(rows), 'earlier day')}", "", "", "", ""])
    return table(("Day", "Scope", "Done", "Remaining", "Ideal"), rows) if rows else ""


def days_table_title(burndown: Burndown) -> str:
    """The title of the table of days."""
    return f"Data by day, in {'points' if burndown.unit == 'points' else 'items'}"


def sprint_footer(facts: Facts) -> str:
    """The time as of which a sprint's numbers are valid, and their completeness."""
    as_of = format_moment(facts.sprint.calendar.local(facts.as_of))
    return footer(f"As of {as_of}", facts_completeness(facts))


def _day_row(day: BurndownDay) -> list[str]:
    values = (day.scope, day.done, day.remaining, day.ideal)
    return [weekday(day.date), *("" if value is None else number(value) for value in values)]


def _position(facts: Facts, burndown: Burndown) -> str:
    sprint, unit = facts.sprint, burndown.unit
    remaining = open_work_text(facts, unit)
    if sprint.is_due_before_start():
        return "**It is due before it starts**, so there are no days to draw. Move its due date."
    if sprint.has_ended(facts.as_of):
        return _end(facts, unit)
    if not sprint.has_begun(facts.as_of):
        return f"**It has not started**: {remaining} planned so far, starting on {weekday(sprint.first_day)}."
    if not facts.remaining.count:
        line = f"`/sprint close{sprint_argument(sprint.title)}`"
        return f"**{nothing_left_sentence(facts)}** Add the next items, or close it with {line}."
    behind = compute_pace(burndown)
    if behind is None:
        advice = " Give the milestone a due date to see whether that fits." if sprint.due is None else ""
        return f"**{remaining} to do.**{advice}"
    behind = behind.quantize(Decimal("0.1"))
    # No advice here: the ideal line knows nothing of the team's pace, so a forecast may say otherwise.
    if not behind:
        return f"**On the ideal line**, with {remaining} to do."
    if behind < 0:
        ahead = quantity(-behind, unit)
        return f"**{ahead} ahead of the ideal line**, with {remaining} to do."
    return _behind(facts, behind, unit)


def _behind(facts: Facts, behind: Decimal, unit: str) -> str:
    """The distance to the ideal line, split into added scope and work not done."""
    growth = measure_amount(facts.scope, unit) - measure_amount(facts.committed, unit)
    undone = behind - growth
    title = f"**{quantity(behind, unit)} behind the ideal line**"
    scope_line = f"`/sprint scope{sprint_argument(facts.sprint.title)}`"
    scope_advice = f"Agree on what to remove in exchange: {scope_line} lists what was added."
    aging_advice = "See what has been in progress the longest: `/aging`."
    if growth <= 0:
        fell = f", although the scope fell by {number(-growth)}" if growth else ""
        return f"{title}: work that is not done yet{fell}. {aging_advice}"
    if undone <= 0:
        ahead = f", and the work itself is {number(-undone)} ahead" if undone else ""
        return f"{title}: the scope grew by {number(growth)} since the start{ahead}. {scope_advice}"
    parts = f"the scope is {number(growth)} above the start, {number(undone)} more should be done by now"
    return f"{title}: {parts}. {scope_advice if growth >= undone else aging_advice}"


def _end(facts: Facts, unit: str) -> str:
    if not facts.remaining.count:
        if facts.scope.count:
            return "**Everything in scope was done** when it ended."
        return f"**{nothing_left_sentence(facts)}**"
    items = named(item.number for item in facts.carried)
    verb = "was" if is_single(facts, unit) else "were"
    hint = f"`/explain carry-over{sprint_argument(facts.sprint.title)}`"
    return (
        f"**{_left_of_scope(facts, unit)} {verb} not done** when it ended: {items}. {hint} shows how "
        "often each was carried over; split or drop what keeps coming back."
    )


def _left_of_scope(facts: Facts, unit: str) -> str:
    if hides_open_items(facts.remaining, unit):
        return open_work_text(facts, unit)
    remaining, scope = measure_amount(facts.remaining, unit), measure_amount(facts.scope, unit)
    return f"{number(remaining)} of {quantity(scope, unit)}"


def _idle_stretch_or_step(burndown: Burndown, *, is_over: bool) -> str:
    """The longest stretch of working days without anything done, or else the largest step."""
    idle = _longest_idle(burndown)
    if len(idle) >= _IDLE_DAYS:
        subject = "No points were" if burndown.unit == "points" else "Nothing was"
        days = weekdays(idle[0].date, idle[-1].date)
        return f"{subject} done on {len(idle)} working days in a row, {days}."
    steps, scope, done = list[tuple[Decimal, Decimal, BurndownDay]](), burndown.committed, Decimal(0)
    for day in burndown.days:
        if day.scope is not None and day.done is not None:
            steps.append((day.scope - scope, day.done - done, day))
            scope, done = day.scope, day.done
    if not steps:
        return ""
    grown, finished, day = max(steps, key=lambda change: abs(change[0] - change[1]))
    if grown == finished:
        moves = [(day, change, done) for change, done, day in steps if change or done]
        if not moves:
            subject, have = ("No points", "have") if burndown.unit == "points" else ("Nothing", "has")
            return f"{subject} changed." if is_over else f"{subject} {have} changed yet."
        day, grown, finished = moves[-1]
        return (
            f"What remains never changed: on {weekday(day.date)}, scope changed by {signed(grown)} "
            "and as much was done."
        )
    direction = "up" if grown > finished else "down"
    parts = f" ({signed(grown)} of scope, {signed(finished)} done)" if grown else ""
    step = quantity(abs(grown - finished), burndown.unit)
    return f"The largest step: {direction} by {step}{parts} on {weekday(day.date)}."


def _longest_idle(burndown: Burndown) -> list[BurndownDay]:
    """The longest run of past working days on which nothing was done."""
    longest, run, before = list[BurndownDay](), list[BurndownDay](), Decimal(0)
    days = [day for day in burndown.days if day.done is not None]
    for day in days if burndown.is_day_complete else days[:-1]:
        done = day.done or Decimal(0)
        if done != before:
            run = []
        elif day.is_working_day:
            run = [*run, day]
        before = done
        longest = max(longest, run, key=len)
    return longest


def _needed_pace(facts: Facts, burndown: Burndown) -> str:
    unit, sprint = burndown.unit, facts.sprint
    done, remaining = measure_amount(facts.done, unit), measure_amount(facts.remaining, unit)
    if sprint.has_ended(facts.as_of):
        share = share_done(facts.kept, facts.committed, unit)
        if share is None:
            return f"{quantity(done, unit)} done; nothing was committed."
        kept = done_text(facts.kept, facts.committed, unit)
        return f"{quantity(done, unit)} done; of what was committed, {kept} ({percent(share)})."
    if burndown.as_of_day < 0:
        return ""
    passed = sum(day.is_working_day for day in burndown.days[: burndown.as_of_day + 1])
    so_far = f"{number(done / passed, 1)} a working day so far" if passed else "no working day so far"
    if sprint.due is None:
        return f"{quantity(done, unit)} done: {so_far}."
    days = time_left_text(sprint, facts.as_of)
    if not days:
        return f"No working days are left; {so_far}."
    left = len(measure_time_left(sprint, facts.as_of).days)
    if not facts.remaining.count:
        return f"{days}; {so_far}."
    if hides_open_items(facts.remaining, unit):
        return f"{days}, for {open_work_text(facts, unit)}; {so_far}."
    return f"{days}: {number(remaining / left, 1)} a day would be needed, {so_far}."


def _largest_scope_step(facts: Facts, burndown: Burndown) -> str:
    steps, is_over = list_scope_steps(burndown), facts.sprint.has_ended(facts.as_of)
    if not facts.days:
        starts = f"**It has not started**; it starts on {weekday(facts.sprint.first_day)}."
        return "**It had no days**, so its scope never changed." if is_over else starts
    if not steps:
        if facts.ledger:
            size = "was as large at the end" if is_over else "is as large"
            return f"**The scope {size} as at the start**, after {counted(len(facts.ledger), 'change')}."
        if is_over:
            return "**The scope at the end was the same as at the start.**"
        return "**The scope is unchanged since the start.** New requests can wait for the next sprint."
    largest = max(steps, key=lambda step: abs(step.amount))
    day = burndown.days[largest.day].date
    items = sorted({line.number for line in facts.ledger if facts.sprint.calendar.day_of(line.at) == day})
    share = abs(largest.amount) / burndown.committed if burndown.committed else None
    of_commitment = f", {percent(share)} of the commitment" if share is not None else ""
    change = (
        f"{quantity(abs(largest.amount), burndown.unit)} on {weekday(day)}**{of_commitment}: {named(items)}."
    )
    if largest.amount > 0:
        line = f"`/sprint scope{sprint_argument(facts.sprint.title)}`"
        advice = "" if is_over else f" Agree on what to remove in exchange: {line} lists all changes."
        return f"**The scope grew by {change}{advice}"
    return f"**The scope fell by {change}{'' if is_over else ' Check that the goal can still be met.'}"


def _done(facts: Facts, burndown: Burndown) -> str:
    unit = burndown.unit
    text = progress_text(facts, unit)
    latest = burndown.latest
    if latest is None or latest.ideal is None:
        return f"{text}."
    by_now = burndown.committed - latest.ideal
    if burndown.is_day_complete:
        return f"{text}; the ideal line is at {number(by_now)}."
    before = burndown.committed - ideal_before(burndown, burndown.as_of_day)
    if before == by_now:
        return f"{text}; the ideal line is at {number(by_now)}."
    return f"{text}; today the ideal line goes from {number(before)} to {number(by_now)}."
