"""Texts that compare a planned sprint's load with the team's usual one. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from charts.reading import number, quantity
from commands.formatting.wording import counted, folded, footer, format_moment, full_day, named, plain, table
from commands.messages.capacity import absence_hint, capacity_list, capacity_text
from commands.messages.empty_sprint import empty_text, no_goal_text
from commands.messages.progress import progress_text
from commands.messages.report import amount_text
from sprints.burndown import measure_amount
from sprints.calendar import working_days
from sprints.capacity import Capacity, PersonCapacity
from sprints.facts import Amount, Facts, Item, sum_items
from sprints.load import choose_load_unit, compare_load
from sprints.milestone import Sprint
from sprints.numbering import ref, split_number
from sprints.velocity import Velocity

_MOST_LISTED = 60


@dataclass(frozen=True, slots=True)
class LoadComparison:
    """A planned sprint beside the velocity in each unit.

    `points` is None where some of the sprints counted are not estimated well enough. `lengths` are the
    working days of the sprints counted. `before` is the running sprint that ends first, `open_before` its
    open work. `capacity` is None where it is not known who is in the team; `absent` are then the people who
    are known to be away. `is_fallback` states that the next sprint was asked for, and there is none.
    """

    facts: Facts
    items: Velocity
    points: Velocity | None
    lengths: Sequence[int] = ()
    before: Sprint | None = None
    open_before: Amount = Amount()  # noqa: RUF009 - an immutable value
    capacity: Capacity | None = None
    absent: Sequence[PersonCapacity] = ()
    is_fallback: bool = False

    @property
    def unit(self) -> str:
        """`points` where both the plan and the past sprints are estimated, else `count`."""
        return choose_load_unit(self.facts, self.points)

    @property
    def velocity(self) -> Velocity:
        """The velocity in the comparison's unit."""
        return self.points if self.points and self.unit == "points" else self.items


def plan_text(plan: LoadComparison) -> str:
    """The verdict on a sprint's plan, and the numbers behind it."""
    sprint = plan.facts.sprint
    as_of = format_moment(sprint.calendar.local(plan.facts.as_of))
    parts = [
        f"### {plain(sprint.title)} · plan",
        _no_next(plan) if plan.is_fallback else "",
        _frame(plan),
        f"**Goal:** {plain(sprint.goal)}" if sprint.goal else no_goal_text(sprint.title),
        _verdict(plan),
        _capacity(plan),
        _table(plan),
        _carry(plan),
        _length(plan),
        _not_estimated(plan.facts),
        _candidates(plan.facts),
        capacity_list(plan.capacity) if plan.capacity else "",
        footer(f"As of {as_of}", f"n = {plan.velocity.n}"),
    ]
    return "\n\n".join(part for part in parts if part)


def list_working_days(sprint: Sprint) -> list[date] | None:
    """A sprint's working days; None without an end."""
    last = sprint.due or sprint.last_day
    if last is None or last < sprint.first_day:
        return None
    return working_days(sprint.calendar, sprint.first_day, last)


def count_working_days(sprint: Sprint) -> int | None:
    """The number of a sprint's working days; None without an end."""
    days = list_working_days(sprint)
    return None if days is None else len(days)


def _no_next(plan: LoadComparison) -> str:
    state = "the last one" if plan.facts.sprint.has_ended(plan.facts.as_of) else "the running one"
    return f"**There is no next sprint yet, so this is {state}.** To plan the next one: `/sprint start`."


def _frame(plan: LoadComparison) -> str:
    sprint, days = plan.facts.sprint, count_working_days(plan.facts.sprint)
    until = full_day(sprint.due) if sprint.due else "no due date"
    as_of = plan.facts.as_of
    state = "over" if sprint.has_ended(as_of) else "running" if sprint.has_begun(as_of) else "planned"
    working = f" · {counted(days, 'working day')}" if days is not None else ""
    return f"{full_day(sprint.first_day)} – {until}{working} · {state}"


def _verdict(plan: LoadComparison) -> str:
    unit, past = plan.unit, plan.velocity
    load = measure_amount(plan.facts.scope, unit)
    if past.median is None or past.most is None:
        ended = f"{counted(past.n, 'sprint')} has" if past.n == 1 else f"{counted(past.n, 'sprint')} have"
        return (
            f"**{quantity(load, unit)} planned.** Only {ended} ended so far; I need three to compare."
            if past.n
            else f"**{quantity(load, unit)} planned.** No sprint has ended yet to compare with."
        )
    usual = f"median of the last {past.n} sprints, {quantity(past.median, unit)}"
    comparison = compare_load(plan.facts, plan.items, plan.points)
    over = quantity(load - past.median, unit)
    if comparison and comparison.is_above_most:
        return (
            f"**Overloaded:** {quantity(load, unit)} planned, {over} more than the {usual}, "
            "and more than in any of those sprints."
        )
    if comparison and comparison.is_above_median:
        return f"**A stretch:** {quantity(load, unit)} planned, {over} more than the {usual}."
    if load > past.median:
        return (
            f"**{progress_text(plan.facts, unit)}.** The last {past.n} sprints completed "
            f"{quantity(past.median, unit)} (median) and at most {number(past.most)}."
        )
    room = past.median - load
    if not room:
        return f"**It fits:** {quantity(load, unit)} planned, as much as the {usual}."
    return f"**It fits:** {quantity(load, unit)} planned, {quantity(room, unit)} less than the {usual}."


def _capacity(plan: LoadComparison) -> str:
    if plan.capacity is None:
        return absence_hint(plan.absent)
    load = measure_amount(plan.facts.scope, plan.unit)
    return capacity_text(plan.capacity, plan.velocity.median, load, plan.unit)


def _table(plan: LoadComparison) -> str:
    scope = plan.facts.scope
    columns = [
        [number(scope.points), *_past(plan.points, scope.points)],
        [str(scope.count), *_past(plan.items, Decimal(scope.count))],
    ]
    names = ["**Planned**", f"Velocity, median of {plan.velocity.n}", "Least – most", "Planned − median"]
    if plan.velocity.is_too_few:
        names, columns = names[:1], [column[:1] for column in columns]
    elif plan.capacity and plan.capacity.percent not in {None, 100}:
        names.append(f"Median at {plan.capacity.percent} % capacity")
        columns[0].append(_scale(plan.capacity, plan.points))
        columns[1].append(_scale(plan.capacity, plan.items))
    return table(("", "Points", "Items"), list(zip(names, *columns, strict=True)))


def _past(past: Velocity | None, load: Decimal) -> tuple[str, str, str]:
    if past is None or past.median is None or past.least is None or past.most is None:
        return "–", "–", "–"
    difference = load - past.median
    sign = "+" if difference > 0 else ""
    spread = f"{number(past.least)} – {number(past.most)}"
    return number(past.median), spread, f"{sign}{number(difference)}"


def _scale(capacity: Capacity, past: Velocity | None) -> str:
    scaled = capacity.scale(past.median) if past and past.median is not None else None
    return "–" if scaled is None else number(scaled)


def _carry(plan: LoadComparison) -> str:
    if plan.before is None or not plan.open_before.count:
        return ""
    whole = plan.facts.scope + plan.open_before
    return (
        f"{plain(plan.before.title)} still holds {amount_text(plan.open_before)} that are open. "
        f"If all of it moved here, this would be {amount_text(whole)}."
    )


def _length(plan: LoadComparison) -> str:
    """A note on a sprint with more or fewer working days than the sprints it is compared with."""
    length = count_working_days(plan.facts.sprint)
    if length is None or not plan.lengths or plan.velocity.is_too_few:
        return ""
    usual = median(plan.lengths)
    if length == usual:
        return ""
    word = "fewer" if length < usual else "more"
    usual_days = number(Decimal(str(usual)))
    return (
        f"It has **{word} working days** than usual: {length}; the median of the sprints compared is "
        f"{usual_days}."
    )


def _counted(facts: Facts) -> list[Item]:
    states = {"open", "done"}
    return [item for item in facts.items if item.state in states and not item.is_covered]


def _not_estimated(facts: Facts) -> str:
    missing = [item for item in _counted(facts) if item.points is None and item.state == "open"]
    if not missing:
        return ""
    are = "is" if len(missing) == 1 else "are"
    numbers = named(item.number for item in missing)
    return f"**{counted(len(missing), 'item')} {are} not estimated** and worth 0 points here: {numbers}."


def _candidates(facts: Facts) -> str:
    items = sorted(_counted(facts), key=lambda item: (-(item.points or 0), split_number(item.number)))
    if not items:
        return empty_text(facts.sprint.title)
    lines = [f"- {ref(item.number)} · {_size_text(item)}" for item in items[:_MOST_LISTED]]
    rest = items[_MOST_LISTED:]
    if rest:
        lines.append(f"- and {len(rest)} more · {amount_text(sum_items(rest))}")
    return folded(f"Planned: {amount_text(facts.scope)}", "\n".join(lines))


def _size_text(item: Item) -> str:
    points = "not estimated" if item.points is None else quantity(item.points, "points")
    return f"{points}, done" if item.state == "done" else points
