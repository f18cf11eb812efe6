"""`/aging`: the age of work in progress, and the items that are older than usual."""

from collections.abc import Sequence

from charts.values import build_aging as aging_of
from commands.formatting.wording import counted, footer, full_day, moment, named, plain, table
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.charts import AS, ChartText, reply_with
from commands.shared.choosing import resolve_facts
from sprints.calendar import Calendar
from sprints.durations import Age, Durations, measure_ages
from sprints.expectation import ENOUGH, measure_past
from sprints.numbering import ref

_MOST_ROWS = 40


@command(
    "aging",
    summary="what is in progress, the oldest first, beside how long finished items took",
    level=Level.READ,
    feature="flow",
    arguments=(Argument("for", ArgumentKind.TEXT, "only what is open in the sprint with this title"), AS),
    examples=("/aging", '/aging for:"Sprint 24"', "/aging as:table"),
)
async def aging(context: Context, arguments: Arguments) -> Reply:
    """Show the age of items in progress; the ones older than 85 % of finished items come first."""
    flows, calendar, title = await context.read_flows(), context.calendar, arguments.text("for")
    ages, name = measure_ages(flows, context.now, calendar), "in progress now"
    if title is not None:
        facts = await resolve_facts(context, title)
        members = {item.number for item in facts.items}
        ages, name = [age for age in ages if age.flow.number in members], plain(facts.sprint.title)
    past = measure_past(flows, context.now, calendar)
    finished, days = past.times, f"the last {past.window} days" if past.window else "all that is known"
    as_of = moment(calendar.local(context.now))
    usual = f"compared with {counted(finished.n, 'item')} done in {days}" if finished.n else ""
    text = ChartText(
        f"Age of work · {name}",
        aging_reading(ages, finished),
        "Items in progress, the oldest first",
        ages_table(ages, calendar),
        footer(f"As of {as_of}", usual, "days = today − start + 1"),
    )
    return reply_with(context, text, aging_of(ages, finished) if ages else None, arguments.text("as"))


def aging_reading(old: Sequence[Age], finished: Durations) -> list[str]:
    """What is older than usual and what to do about it, how much is in progress, and how that is known."""
    if not old:
        return ["**Nothing is in progress.** Take up the next item, and say so with `/start`."]
    return [_outlier(old, finished), _amount(old, finished), _doubts(old, finished)]


def ages_table(old: Sequence[Age], calendar: Calendar) -> str:
    """The items, the oldest first."""
    rows = []
    for age in old[:_MOST_ROWS]:
        since = full_day(calendar.day_of(age.flow.started_at)) if age.flow.started_at else ""
        held = _by(age).strip() or "yes" if age.flow.open_blocks else ""
        known = f"{'before ' if age.is_at_least else ''}{since}"
        rows.append([ref(age.flow.number), known, _days(age), held])
    if rest := old[_MOST_ROWS:]:
        rows.append([f"… {len(rest)} more", "", f"{rest[0].days} days or fewer", ""])
    return table(("Item", "Started", "In progress", "Blocked"), rows, numbers_from=4) if rows else ""


def _outlier(old: Sequence[Age], finished: Durations) -> str:
    limit, oldest = finished.days_percentile(85), old[0]
    since = f"{ref(oldest.flow.number)} has been in progress for {_days(oldest)}"
    if limit is None:
        return f"**{since}**, longer than anything else. Ask what it waits for."
    late = [age for age in old if age.days > limit]
    usual = f"85 % of finished items took at most {limit}"
    if not late:
        return f"**Nothing is older than usual**: {since}, {usual}. Finish it before you start another."
    do = "Ask what it waits for and say so with `/blocked`, or `/split` off what can be finished."
    if oldest.flow.open_blocks:
        do = f"It is blocked{_by(oldest)}: clear that first."
    if len(late) == 1:
        return f"**{since}**, {usual}. {do}"
    others = named(age.flow.number for age in late[1:])
    return f"**{since}**, {usual}; older than that as well: {others}. {do}"


def _amount(old: Sequence[Age], finished: Durations) -> str:
    half, most = finished.days_percentile(50), finished.days_percentile(85)
    said = f"{counted(len(old), 'item')} in progress"
    if half is None or most is None:
        return f"{said}; no finished item tells yet how long is usual."
    beyond_half = sum(half < age.days <= most for age in old)
    beyond = sum(age.days > most for age in old)
    young = len(old) - beyond_half - beyond
    return (
        f"{said}: {young} up to {counted(half, 'day')} old (half of finished items took no longer), "
        f"{beyond_half} up to {counted(most, 'day')}, {beyond} older."
    )


def _doubts(old: Sequence[Age], finished: Durations) -> str:
    said = []
    if at_least := [age.flow.number for age in old if age.is_at_least]:
        said.append(f"Of {named(at_least)} only a least age is known: work had begun before it was seen.")
    if 0 < finished.n < ENOUGH:
        said.append(f"What is usual is known from {counted(finished.n, 'finished item')} only.")
    return " ".join(said)


def _by(age: Age) -> str:
    """By which issues of this repository it is blocked, as far as they are known."""
    numbers = [block.number for block in age.flow.open_blocks if block.number]
    return f" by {named(numbers)}" if numbers else ""


def _days(age: Age) -> str:
    return f"{'at least ' if age.is_at_least else ''}{counted(age.days, 'day')}"
