"""The outlook of a sprint: its numbers and the team's past sprints as inputs of the forecast.

One unit for all: points where this sprint and enough of the past ones are estimated, else items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sprints.burndown import measure_amount
from sprints.calendar import Calendar, days_between, working_days
from sprints.durations import select_done
from sprints.facts import Amount, Day, Facts
from sprints.flow import Flow
from sprints.forecast import FanDay, Forecast, Refusal, derive_seed, forecast_days, forecast_sprint
from sprints.forecast_chance import compute_chance
from sprints.forecast_inputs import FEW_SPRINTS, ForecastHistory, Moment, PastSprint, RunningSprint
from sprints.milestone import Sprint
from sprints.time_left import list_working_days_left
from sprints.velocity import SprintOutcome

# The number of last working days that supplement a team's few sprints.
_WINDOW = 60
UNITS = ("points", "count")


@dataclass(frozen=True, slots=True)
class SprintRecord:
    """A finished sprint: its days, and its outcome."""

    sprint: Sprint
    days: tuple[Day, ...]
    outcome: SprintOutcome


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The data behind every forecast of a repository's sprints.

    `records` are its sprints that have ended. `flows` are recent ones of its items: their daily throughput
    supplements few records. `tenant` is part of the seed.
    """

    records: tuple[SprintRecord, ...]
    flows: tuple[Flow, ...]
    tenant: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """A running sprint and all inputs of its forecast. Amounts are in `unit`: points or items (`count`).

    `days` are the working days left, today included. The same facts always give the same forecast.
    """

    facts: Facts
    unit: str
    now: RunningSprint
    history: ForecastHistory
    days: tuple[date, ...]
    seed: int
    past: TrackRecord

    @property
    def takes_points(self) -> bool:
        """Whether an amount without a unit means points: else it means items."""
        is_estimated = self.facts.unit == "points" and "points" in choose_units(self.facts, self.past)
        return self.unit == "points" or is_estimated

    def forecast(self) -> Forecast | Refusal:
        """Forecast the sprint."""
        return forecast_sprint(self.now, self.history, self.seed)

    def chance(self) -> float | None:
        """Compute only the chance of `forecast`, in a tenth of its time. None where that refuses."""
        if not self.history.finished_items:
            return None
        return compute_chance(self.now, self.history, self.seed)

    def fan(self) -> tuple[FanDay, ...] | Refusal:
        """Forecast the work done day by day."""
        return forecast_days(self.now, self.history, self.seed, self.days)

    def with_facts(self, facts: Facts) -> "Outlook | Refusal":
        """Return the outlook for changed numbers of the sprint at the same moment (`sprints.what_if`)."""
        return build_outlook(facts, self.past)

    def chance_of(self, facts: Facts) -> float | None:
        """Compute the chance to finish for changed numbers of the sprint. None without a forecast."""
        outlook = self.with_facts(facts)
        return outlook.chance() if isinstance(outlook, Outlook) else None


def build_outlook(
    facts: Facts, past: TrackRecord, histories: Mapping[str, ForecastHistory] | None = None
) -> Outlook | Refusal:
    """Build the outlook of a sprint as of its facts.

    In points if every open item is estimated. Else a sprint is done when its points and all of its items are
    done: of the two units the one with the lower chance counts. `histories` are those of `build_histories`,
    for callers that ask often.
    """
    sprint, as_of = facts.sprint, facts.as_of
    if sprint.due is None or sprint.end is None:
        return Refusal(
            "Without a due date there is no end to forecast for; `/forecast` shows when it may be done."
        )
    if sprint.has_ended(as_of):
        return Refusal("The sprint has ended.")
    if sprint.is_due_before_start():
        return Refusal("The sprint is due before it starts.")
    units = choose_units(facts, past)
    histories = histories or build_histories(facts, past, units)
    return min((_in_unit(facts, past, unit, histories[unit]) for unit in units), key=_sort_key)


def build_outlook_in_items(
    facts: Facts, past: TrackRecord, histories: Mapping[str, ForecastHistory]
) -> Outlook:
    """Build the outlook of a sprint with a due date in items, whatever its unit."""
    return _in_unit(facts, past, "count", histories["count"])


def _sort_key(outlook: Outlook) -> tuple[float, bool]:
    """Order outlooks by chance, the lower first; among equal ones the sprint's own unit comes first."""
    chance = outlook.chance()
    return 2.0 if chance is None else chance, outlook.unit != outlook.facts.unit


def _in_unit(facts: Facts, past: TrackRecord, unit: str, history: ForecastHistory) -> Outlook:
    days = tuple(list_working_days_left(facts.sprint, facts.as_of))
    # The seed is fixed per sprint, so that forecasts differ only if their inputs do.
    seed = derive_seed(past.tenant, facts.sprint.milestone)
    now = _now(facts, unit, len(days))
    return Outlook(facts, unit, now, history, days, seed, past)


def build_histories(
    facts: Facts, past: TrackRecord, units: Sequence[str] = UNITS
) -> dict[str, ForecastHistory]:
    """Build the histories of a forecast by unit. They depend neither on open work nor on the due date."""
    return {unit: _history(facts, past, unit) for unit in units}


def _history(facts: Facts, past: TrackRecord, unit: str) -> ForecastHistory:
    as_of, calendar = facts.as_of, facts.sprint.calendar
    records = [record for record in past.records if _is_usable(record, as_of)]
    records = [record for record in records if unit == "count" or record.outcome.unit == "points"]
    flows = past.flows if len(records) < FEW_SPRINTS else ()
    return ForecastHistory(
        finished_items=_finished_items(facts, records, flows),
        own=tuple(_past(record, unit) for record in records),
        days=_daily_throughput(flows, calendar, calendar.day_of(as_of), unit),
    )


def choose_units(facts: Facts, past: TrackRecord) -> list[str]:
    """Choose the units in which a sprint has to be done: the less estimated unit may be the harder one.

    The choice does not depend on what is done, so that an item that joins or leaves never moves the chance in
    the wrong direction. For an empty sprint, past ones decide.
    """
    records = [record for record in past.records if _is_usable(record, facts.as_of)]
    estimated = sum(record.outcome.unit == "points" for record in records)
    # Work that is added to an empty sprint will be estimated as in past ones.
    if not any(item.points for item in facts.items) and (facts.scope.count or not records):
        return ["count"]
    if records and estimated < min(FEW_SPRINTS, len(records)):
        return ["count"]
    return ["points"] if all(item.points for item in facts.open_items) else ["points", "count"]


def needs_days(records: Sequence[SprintRecord], as_of: datetime) -> bool:
    """Return whether too few sprints are usable, so that daily throughput has to supplement them."""
    return sum(_is_usable(record, as_of) for record in records) < FEW_SPRINTS


def _is_usable(record: SprintRecord, as_of: datetime) -> bool:
    """Return whether a forecast can learn from a sprint: it ended before this moment, and held something."""
    outcome = record.outcome
    has_days = any(record.sprint.calendar.is_working_day(day.date) for day in record.days)
    return (
        outcome.end <= as_of and not outcome.is_abandoned and has_days and bool(record.days[-1].scope.count)
    )


def _now(facts: Facts, unit: str, days_left: int) -> RunningSprint:
    sprint = facts.sprint
    length = len(working_days(sprint.calendar, sprint.first_day, sprint.due)) if sprint.due else 0
    passed = length - days_left + _part_of_today(sprint, facts.as_of)
    elapsed = min(max(passed / length, 0.0), 1.0) if length else 1.0
    return RunningSprint(elapsed, _amount(facts.done, unit), _amount(facts.scope, unit), days_left, length)


def _part_of_today(sprint: Sprint, as_of: datetime) -> float:
    """Return how much of today is over, if it is a working day of the sprint: done work counts at once."""
    calendar = sprint.calendar
    today = calendar.day_of(as_of)
    if today < sprint.first_day or not calendar.is_working_day(today):
        return 0.0
    midnight, end = calendar.midnight(today), calendar.next_midnight(as_of)
    return (as_of - midnight) / (end - midnight)


def _past(record: SprintRecord, unit: str) -> PastSprint:
    """Convert a sprint's days to moments: one at the beginning, and one at the end of each working day."""
    calendar = record.sprint.calendar
    length = len(working_days(calendar, record.days[0].date, record.days[-1].date))
    moments = {0.0: Moment(0.0, 0.0, _amount(record.outcome.committed, unit))}
    passed = 0
    for day in record.days:
        passed += calendar.is_working_day(day.date)
        # Work done on a day off counts at the end of the working day before it.
        elapsed = passed / length
        moments[elapsed] = Moment(elapsed, _amount(day.done, unit), _amount(day.scope, unit))
    last = record.days[-1]
    return PastSprint(
        tuple(moments.values()), _amount(last.done, unit), _amount(last.scope, unit), working_days=length
    )


def _finished_items(facts: Facts, records: Sequence[SprintRecord], flows: Sequence[Flow]) -> int:
    """Count the done items: in sprints, or in the repository where these are more."""
    in_sprints = facts.done.count + sum(record.outcome.completed.count for record in records)
    return max(in_sprints, sum(flow.done_at is not None and not flow.is_covered for flow in flows))


def _daily_throughput(flows: Sequence[Flow], calendar: Calendar, today: date, unit: str) -> tuple[float, ...]:
    """Sum the work done on each of the last working days; work on days off counts on the next working day."""
    if not flows:  # Returning early also keeps the window from starting before the calendar's first day.
        return ()
    done = select_done(flows, today - timedelta(days=2 * _WINDOW), today - timedelta(days=1), calendar)
    counted = [flow for flow in done if flow.done_at and not flow.is_covered]
    if not counted:
        return ()
    amounts = dict[date, float]()
    for flow in counted:
        day = calendar.day_of(flow.done_at) if flow.done_at else today
        amounts[day] = amounts.get(day, 0.0) + (float(flow.points or 0) if unit == "points" else 1.0)
    throughput, carried = list[float](), 0.0
    for day in days_between(min(amounts), today - timedelta(days=1)):
        carried += amounts.get(day, 0.0)
        if calendar.is_working_day(day):
            throughput.append(carried)
            carried = 0.0
    return tuple(throughput[-_WINDOW:])


def _amount(amount: Amount, unit: str) -> float:
    return float(measure_amount(amount, unit))
