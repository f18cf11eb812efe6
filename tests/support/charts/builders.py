"""Burndowns to draw, written as the figures that matter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from sprints.burndown import Burndown, BurndownDay
from sprints.calendar import Calendar, days_between

MONDAY = date(2026, 11, 16)


def burndown(
    committed: float | str,
    remaining: Sequence[float | str],
    *,
    days: int = 14,
    start: date = MONDAY,
    unit: str = "points",
    scope: Mapping[int, float | str] | None = None,
    open_ended: bool = False,
    days_later: int = 0,
) -> Burndown:
    """A sprint of `days` days with `remaining` at the end of each day so far.

    `scope` holds the change of scope by day. `days_later` moves the moment of looking beyond the last
    figures, as when a sprint is over.
    """
    total, steps = Decimal(str(committed)), scope or {}
    calendar = days_between(start, start + timedelta(days=(len(remaining) if open_ended else days) - 1))
    calendar = calendar or [start] if open_ended else calendar
    working = sum(map(Calendar().is_working_day, calendar)) or len(calendar)
    rows, passed, in_scope = list[BurndownDay](), 0, total
    for i, day in enumerate(calendar):
        passed += Calendar().is_working_day(day) or working == len(calendar)
        in_scope += Decimal(str(steps.get(i, 0)))
        left = Decimal(str(remaining[i])) if i < len(remaining) else None
        is_known = left is not None
        rows.append(
            BurndownDay(
                day,
                Calendar().is_working_day(day),
                left,
                in_scope if is_known else None,
                in_scope - left if left is not None else None,
                None if open_ended else total * (working - passed) / working,
            )
        )
    seen = start + timedelta(days=len(remaining) - 1 + days_later)
    as_of = datetime.combine(seen, time(15, 20), UTC)
    return Burndown(unit, total, tuple(rows), as_of, open_ended, days_later > 0)


def long_run(days: int, known_days: int, start_value: int = 3000) -> list[float]:
    """Remaining work that falls with a wobble, the same in every run."""
    return [
        max(
            0,
            round(
                start_value * (1 - i / days)
                + start_value * 0.04 * (((i // max(1, days // 60)) * 7919) % 13 - 6) / 6
            ),
        )
        for i in range(known_days)
    ]


def moved(value: Burndown, on: int, to: int) -> Burndown:
    """The same sprint, planned to end after `to` days and then, on the day `on`, at its last day instead."""
    working = [day.is_working_day for day in value.days]
    rows = list[BurndownDay]()
    at_move = value.committed * (sum(working[:to]) - sum(working[:on])) / sum(working[:to])
    for i, day in enumerate(value.days):
        first = value.committed * (sum(working[:to]) - sum(working[: i + 1])) / sum(working[:to])
        left = first if i < on else at_move * sum(working[i + 1 :]) / sum(working[on:])
        rows.append(replace(day, ideal=left, ghost=first if on <= i < to else None))
    return replace(value, days=tuple(rows))


CASES = {
    "behind": burndown(34, [34, 31, 31, 29, 26, 26, 26, 17], scope={2: 8, 4: -3}),
    "ahead": burndown(34, [30, 24, 20, 12, 10, 10, 10, 6], scope={3: -4}),
    "finished": burndown(21, [21, 18, 18, 13, 8, 8, 8, 8, 5, 3, 3, 0, 0, 0], days_later=3),
    "unfinished": burndown(
        21, [21, 21, 18, 18, 18, 18, 18, 18, 15, 13, 13, 11, 11, 11], scope={8: 5}, days_later=3
    ),
    "not_started": burndown(30, [], days_later=-2),
    "first_day": burndown(30, [28]),
    "three_days": burndown(5, [4.5, 2], days=3, start=date(2026, 11, 25)),
    "one_day": burndown(3, [1], days=1),
    "half_points": burndown(0.5, [0.5, 0.5], days=5),
    "zero_committed": burndown(0, [0, 0, 5, 3], scope={2: 5}),
    "nothing_at_all": burndown(0, [0, 0], days=10),
    "no_days": burndown(8, [], days=0),
    "open_ended": burndown(12, [12, 12, 14, 11, 11, 11, 9, 7], open_ended=True, scope={2: 2}),
    "open_not_started": burndown(12, [], open_ended=True),
    "open_years": burndown(900, long_run(1500, 1300, 900), open_ended=True, start=date(2023, 3, 8)),
    "items": burndown(9, [9, 8, 8, 7, 6], unit="count", scope={3: 1}),
    "month": burndown(
        80, long_run(31, 12, 80), days=31, start=date(2026, 12, 21), scope={1: 5, 2: 3, 5: -2, 8: 13}
    ),
    "quarter": burndown(240, long_run(90, 52, 240), days=90, start=date(2026, 10, 1), scope={30: 22, 31: -8}),
    "big_year": burndown(
        3000,
        long_run(400, 180),
        days=400,
        start=date(2026, 5, 4),
        scope={i: (i % 5 - 2) * 7 for i in range(3, 170, 4)},
    ),
    "busy_scope": burndown(
        40, [44, 47, 45, 49, 53, 53, 53, 50, 52, 49], scope={0: 6, 1: 5, 2: 1, 3: 6, 4: 8, 7: -2, 8: 5, 9: 1}
    ),
    "weekend_only": burndown(4, [2], days=2, start=date(2026, 11, 21)),
    "last_day": burndown(34, [34, 31, 31, 29, 26, 26, 26, 17, 14, 12, 9, 5, 5, 5]),
    "last_day_ahead": burndown(34, [30, 26, 20, 10, 6, 6, 6, 4, 2, 2, 1, 0, 0, 0]),
    "moved": moved(burndown(34, [34, 31, 31, 29, 26, 26, 26, 22], days=18, scope={2: 3}), on=7, to=12),
    "moved_at_once": moved(burndown(20, [18], days=12, start=MONDAY), on=0, to=5),
    "moved_when_long": moved(
        burndown(240, long_run(90, 52, 240), days=90, start=date(2026, 10, 1)), on=40, to=62
    ),
    "huge": burndown(1234567.25, [1234567.25, 1000000], days=10),
}
