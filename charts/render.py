"""Charts from values: their pictures, rendered in this process or in a pool's, alt texts and Markdown.

`Chart` is every value that can be drawn; one table holds what belongs to each kind.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

from charts import alt_text as alt_texts
from charts import mermaid, team_alt_text, team_mermaid
from charts.locales import ENGLISH, Locale, use_locale
from charts.reading import is_over
from charts.themes import Theme
from charts.values import Aging, Calibration, CycleScatter, ForecastFan, ThroughputBars, VelocityBars
from sprints.burndown import Burndown
from sprints.burnup import Burnup
from sprints.cumulative_flow import CumulativeFlow

# Increased with every change that makes the same value look different.
STYLE_VERSION = 3

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
    """A kind of chart: the module that draws it, its alt text, and its Markdown form."""

    module: str
    alt: Callable[[Any], str]
    markdown: Callable[[Any], str]


_KINDS: Mapping[type, _Kind] = MappingProxyType(
    {
        Burndown: _Kind("burndown", alt_texts.describe_burndown, mermaid.write_burndown),
        Burnup: _Kind("burnup", alt_texts.describe_burnup, mermaid.write_burnup),
        VelocityBars: _Kind("velocity", team_alt_text.describe_velocity, team_mermaid.write_velocity),
        ThroughputBars: _Kind("throughput", team_alt_text.describe_throughput, team_mermaid.write_throughput),
        CycleScatter: _Kind("cycle_time", team_alt_text.describe_cycle_time, team_mermaid.write_cycle_times),
        Aging: _Kind("aging", team_alt_text.describe_aging, team_mermaid.write_aging),
        CumulativeFlow: _Kind(
            "cumulative_flow", team_alt_text.describe_cumulative_flow, team_mermaid.write_cumulative_flow
        ),
        ForecastFan: _Kind("fan", alt_texts.describe_fan, mermaid.write_fan),
        Calibration: _Kind("calibration", team_alt_text.describe_calibration, team_mermaid.write_calibration),
    }
)


def render(chart: Chart, locale: Locale = ENGLISH, theme: Theme = Theme.LIGHT) -> bytes:
    """Draw the picture as PNG, its numbers and dates in the form of a locale.

    A module-level function, so that any kind of process pool can call it. matplotlib is loaded here and not
    on import: a process that only hands pictures to a pool and keeps the results stays small and starts fast.
    """
    with use_locale(locale):
        png: bytes = import_module(f"charts.{_KINDS[type(chart)].module}").draw(chart, theme)
    return png


def describe_chart(chart: Chart) -> str:
    """Describe the picture in two sentences, for readers who cannot see it."""
    return _KINDS[type(chart)].alt(chart)


def write_markdown(chart: Chart) -> str:
    """Write the picture's Markdown form: a Mermaid chart, or a table where Mermaid has no such chart."""
    return _KINDS[type(chart)].markdown(chart)


def warm_up() -> None:
    """Initialize a pool's process: load matplotlib and its fonts and draw once, before the first request."""
    from charts.sample import SAMPLE  # noqa: PLC0415

    render(SAMPLE)


def compute_content_key(chart: Chart, locale: Locale = ENGLISH, theme: Theme = Theme.LIGHT) -> str:
    """Hash the content of a picture: equal pictures have equal hashes on every machine.

    `as_of` of a burndown only counts by whether the sprint is over; so a picture of the same day and numbers,
    asked for an hour later, is found again.
    """
    # Keys of burndowns lack the kind, so that pictures from before there were other kinds keep their keys.
    visible = _visible(chart) if isinstance(chart, Burndown) else (_KINDS[type(chart)].module, _plain(chart))
    form: tuple[object, ...] = () if locale.name == ENGLISH.name else (locale.name,)
    # The year only counts where a date shows it, so that other pictures keep their keys on New Year's Day.
    form += (locale.year,) if any(map(locale.needs_year, _list_dates(chart))) else ()
    form += () if theme is Theme.LIGHT else (theme.value,)
    return sha256(repr((STYLE_VERSION, *visible, *form)).encode()).hexdigest()[:32]


def _visible(burndown: Burndown) -> tuple[object, ...]:
    ghost = [_plain(day.ghost) for day in burndown.days]
    visible: tuple[object, ...] = (
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
    # A ghost only counts where there is one, so that pictures without one keep their keys.
    return (*visible, ghost) if any(ghost) else visible


def _list_dates(value: object) -> Iterator[date]:
    """Yield all days that a value contains. Times are not shown in pictures."""
    match value:
        case datetime():
            return
        case date():
            yield value
        case tuple():
            for part in value:
                yield from _list_dates(part)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _list_dates(getattr(value, field.name))


def _plain(value: object) -> object:
    """Convert a value to its shown form: 5, 5.0 and 5E+0 are one number and one picture."""
    match value:
        case Decimal():
            return f"{value.normalize() + 0:f}"
        case date():
            return value.isoformat()
        case Burndown():
            return _visible(value), value.is_open_ended
        case ForecastFan():  # Its picture shows how much of today is over.
            sprint = value.sprint
            time = None if sprint.is_day_complete or is_over(sprint) else f"{sprint.as_of:%H:%M}"
            return time, _plain(sprint), _plain(value.days), value.chance
        case tuple():
            return [_plain(part) for part in value]
        case _ if is_dataclass(value):
            return [_plain(getattr(value, field.name)) for field in fields(value)]
        case _:
            return value
