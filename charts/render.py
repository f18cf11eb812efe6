"""From a value to its picture, in this process or in a pool's, and to all that goes with the picture.

`Chart` is every value that can be drawn; what belongs to each kind is in one table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

from charts import alt_text as told
from charts import mermaid as twins
from charts import team_alt_text as told_of_team
from charts import team_mermaid as twins_of_team
from charts.locales import ENGLISH, Locale, writing_in
from charts.reading import is_over
from charts.values import Aging, Calibration, CycleScatter, ForecastFan, ThroughputBars, VelocityBars
from sprints.burndown import Burndown
from sprints.burnup import Burnup
from sprints.cumulative_flow import CumulativeFlow

# Counted up with every change that makes the same value look different.
STYLE_VERSION = 2

Chart: TypeAlias = (
    Burndown
    | Burnup
    | VelocityBars
    | ThroughputBars
    | CycleScatter
    | Aging
    | CumulativeFlow
    | ForecastFan
    | Calibration
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of chart: the module that draws it, its story, and its twin in Markdown."""

    module: str
    alt: Callable[[Any], str]
    twin: Callable[[Any], str]


_KINDS: Mapping[type, _Kind] = MappingProxyType(
    {
        Burndown: _Kind("burndown", told.burndown_alt, twins.burndown_mermaid),
        Burnup: _Kind("burnup", told.burnup_alt, twins.burnup_mermaid),
        VelocityBars: _Kind("velocity", told_of_team.velocity_alt, twins_of_team.velocity_mermaid),
        ThroughputBars: _Kind("throughput", told_of_team.throughput_alt, twins_of_team.throughput_mermaid),
        CycleScatter: _Kind("cycle_time", told_of_team.cycle_time_alt, twins_of_team.cycle_time_table),
        Aging: _Kind("aging", told_of_team.aging_alt, twins_of_team.aging_table),
        CumulativeFlow: _Kind(
            "cumulative_flow", told_of_team.cumulative_flow_alt, twins_of_team.cumulative_flow_mermaid
        ),
        ForecastFan: _Kind("fan", told.fan_alt, twins.fan_mermaid),
        Calibration: _Kind("calibration", told_of_team.calibration_alt, twins_of_team.calibration_mermaid),
    }
)


def render(chart: Chart, locale: Locale = ENGLISH) -> bytes:
    """The picture as PNG, its numbers and dates in the form of a locale.

    A function of the module, so that any kind of process pool can call it. matplotlib is loaded here and not
    on import: a process that only hands pictures to a pool and keeps the results stays small and starts at
    once.
    """
    with writing_in(locale):
        png: bytes = import_module(f"charts.{_KINDS[type(chart)].module}").draw(chart)
    return png


def alt_text(chart: Chart) -> str:
    """The story of the picture in two sentences, for readers who cannot see it."""
    return _KINDS[type(chart)].alt(chart)


def twin(chart: Chart) -> str:
    """The picture's twin in Markdown: a Mermaid chart, or a table where Mermaid has no such chart."""
    return _KINDS[type(chart)].twin(chart)


def warm_up() -> None:
    """A pool's initializer: loads matplotlib and its fonts and draws once, before anybody waits for it."""
    from charts.sample import SAMPLE  # noqa: PLC0415

    render(SAMPLE)


def content_key(chart: Chart, locale: Locale = ENGLISH) -> str:
    """A name for the picture: equal for equal pictures, also in other processes and on other machines.

    It covers what is drawn. `as_of` of a burndown only counts by whether the sprint is over; so a picture of
    the same day and numbers, asked for an hour later, is found again.
    """
    # Those of burndowns are as they were when there were no others, so that these keep their names.
    seen = _seen(chart) if isinstance(chart, Burndown) else (_KINDS[type(chart)].module, _plain(chart))
    form: tuple[object, ...] = () if locale.name == ENGLISH.name else (locale.name,)
    # Only where a date has its year, so that all other pictures keep their names on New Year's Day.
    form += (locale.year,) if any(map(locale.needs_year, _dates_in(chart))) else ()
    return sha256(repr((STYLE_VERSION, *seen, *form)).encode()).hexdigest()[:32]


def _seen(burndown: Burndown) -> tuple[object, ...]:
    ghost = [_plain(day.ghost) for day in burndown.days]
    seen: tuple[object, ...] = (
        burndown.unit,
        _plain(burndown.committed),
        burndown.is_day_complete if burndown.latest else None,
        is_over(burndown),
        [
            (
                day.date.isoformat(),
                day.is_working_day,
                _plain(day.remaining),
                _plain(day.scope),
                _plain(day.ideal),
            )
            for day in burndown.days
        ],
    )
    # Only where there is one, so that pictures without keep their names.
    return (*seen, ghost) if any(ghost) else seen


def _dates_in(value: object) -> Iterator[date]:
    """All days that a value holds. Moments are not shown."""
    match value:
        case datetime():
            return
        case date():
            yield value
        case tuple():
            for part in value:
                yield from _dates_in(part)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _dates_in(getattr(value, field.name))


def _plain(value: object) -> object:
    """A value as what is printed of it. 5, 5.0 and 5E+0 are one number and one picture."""
    match value:
        case Decimal():
            return f"{value.normalize() + 0:f}"
        case date():
            return value.isoformat()
        case Burndown():
            return _seen(value), value.is_open_ended
        case ForecastFan():  # It shows how much of today is over.
            sprint = value.sprint
            time = None if sprint.is_day_complete or is_over(sprint) else f"{sprint.as_of:%H:%M}"
            return time, _plain(sprint), _plain(value.days), value.chance
        case tuple():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value):
            return [_plain(getattr(value, field.name)) for field in fields(value)]
        case _:
            return value
