"""Expectations for an item in progress: how unusual its age is, and how long it may still take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sprints.calendar import Calendar
from sprints.durations import Durations, ServiceLevel, derive_service_level, measure_cycle_times
from sprints.flow import Flow
from sprints.order_statistics import find_nearest_rank

# Recent cycle times are preferred where there are enough of them, because teams change.
WINDOW_DAYS = 90
ENOUGH = 10
# Where the last 90 days tell too little, so many of the items that were done last are measured.
MOST_PAST = 500
# With fewer items that took longer, there is no expectation of the time left.
_ENOUGH_LONGER = 5


@dataclass(frozen=True, slots=True)
class PastCycleTimes:
    """The cycle times behind expectations.

    `window` is the number of days they cover, None for the items that were done last, up to MOST_PAST.
    """

    times: Durations
    window: int | None

    @property
    def level(self) -> ServiceLevel | None:
        """The service level expectation; None with too few items."""
        return derive_service_level(self.times) if self.times.n >= ENOUGH else None


@dataclass(frozen=True, slots=True)
class AgeExpectation:
    """The expectation for an item that is `days` days old: `within` of `n` past items were done by that age.

    `half` and `most` are the ages in days by which half, and 85 %, of the items that took longer were done;
    None with too few such items.
    """

    days: int
    n: int
    within: int
    half: int | None
    most: int | None

    @property
    def share_within(self) -> Decimal:
        """The share of past items done by this age, from 0 to 1; 0 without any."""
        return Decimal(self.within) / self.n if self.n else Decimal(0)


def measure_past(flows: Sequence[Flow], now: datetime, calendar: Calendar) -> PastCycleTimes:
    """Measure the cycle times of the last 90 days or, if these are fewer than ten items, of all `flows`.

    So `flows` are those of the last 90 days or, if these are too few, the last MOST_PAST that were done.
    """
    done, window = select_past(flows, now, calendar)
    return PastCycleTimes(measure_cycle_times(done, calendar), window)


def select_past(
    flows: Sequence[Flow], now: datetime, calendar: Calendar
) -> tuple[Sequence[Flow], int | None]:
    """Select the done items from which usual cycle times are measured, and the window of PastCycleTimes."""
    done = [flow for flow in flows if flow.done_at]
    since = calendar.midnight(calendar.day_of(now) - timedelta(days=WINDOW_DAYS))
    recent = [flow for flow in done if flow.done_at and flow.done_at >= since]
    if measure_cycle_times(recent, calendar).n >= ENOUGH:
        return recent, WINDOW_DAYS
    return done, None


def expect_from_age(days: int, past: Durations) -> AgeExpectation:
    """Return the expectation for an item that has been in progress for `days` days, today included."""
    longer = past.longer_than(days)
    is_enough = len(longer) >= _ENOUGH_LONGER
    half = find_nearest_rank(longer, 50) if is_enough else None
    most = find_nearest_rank(longer, 85) if is_enough else None
    return AgeExpectation(days, past.n, past.within(days), half, most)
