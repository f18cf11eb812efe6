"""Texts and tables about a team's metrics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from charts.reading import number
from commands.formatting.wording import counted, full_day, plain, table
from sprints.durations import Durations
from sprints.team import LEAST_PEOPLE, TeamSum, WorkCounts

# The smallest factor between two spans that is reported as a change.
_TIMES = Decimal("1.5")


@dataclass(frozen=True, slots=True)
class MetricsSpan:
    """Four whole weeks of a team. `sums` is None where too few people worked in them."""

    first: date
    last: date
    sums: TeamSum | None
    times: Durations

    @property
    def name(self) -> str:
        return f"{full_day(self.first)} – {full_day(self.last)}"


def team_metrics_text(team: str | None, before: MetricsSpan, now: MetricsSpan) -> str:
    """The largest change, and the figures of both spans."""
    name = plain(team) if team else "everybody here"
    head = ("", now.name, before.name)
    return "\n\n".join(
        [f"### Team metrics · {name}", summarize_team_metrics(before, now), table(head, _rows(before, now))]
    )


def summarize_team_metrics(before: MetricsSpan, now: MetricsSpan) -> str:
    """The figure that changed the most, and a remedy."""
    if now.sums is None:
        return ""
    people = counted(now.sums.people, "person").replace("persons", "people")
    if before.sums is None:
        return f"**{people} at work** in these four weeks; the four before had fewer than {LEAST_PEOPLE}."
    changes = [
        (_measure_change(was, is_now), figure, was, is_now)
        for figure in _FIGURES
        for was, is_now in [(figure.value(before), figure.value(now))]
        if was is not None and is_now is not None
    ]
    factor, figure, was, is_now = max(changes, key=lambda change: change[0])
    if factor < _TIMES:
        return f"**Nothing stands out**: {people} at work, and no figure changed by half or more."
    verb = "rose" if is_now > was else "fell"
    is_better = (is_now > was) == figure.is_more_better
    advice = "See what helped" if is_better else "See what changed: days off, people, or the size of the work"
    at_work = "" if figure is _PEOPLE else f"; {people} at work, {before.sums.people} before"
    return (
        f"**{figure.subject} {verb} from {number(was)} to {number(is_now)}{figure.unit}**, the largest "
        f"change{at_work}. {advice} (`/throughput`, `/cycletime`)."
    )


def _measure_change(was: Decimal, is_now: Decimal) -> Decimal:
    """The factor between two values. A change from or to 0 always stands out, as one from or to 1."""
    more, less = max(was, is_now), min(was, is_now)
    if less:
        return more / less
    return max(more, _TIMES) if more else Decimal(1)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A row of the table: its title, its value in a span, and the words for it in a sentence."""

    title: str
    value: Callable[[MetricsSpan], Decimal | None]
    subject: str
    unit: str = ""
    is_more_better: bool = True


def _count(title: str, count: Callable[[WorkCounts], Decimal | int]) -> _Figure:
    return _Figure(title, lambda span: Decimal(count(span.sums.work)) if span.sums else None, title)


def _level_days(span: MetricsSpan) -> Decimal | None:
    days = span.times.days_percentile(85) if span.sums else None
    return None if days is None else Decimal(days)


_CYCLE_TIME = _Figure(
    "Cycle time, 85 % within", _level_days, "The cycle time of 85 %", " days", is_more_better=False
)
_PEOPLE = _Figure(
    "People", lambda span: Decimal(span.sums.people) if span.sums else None, "The number of people"
)
_FIGURES: Sequence[_Figure] = (
    _count("Issues closed", lambda work: work.issues_closed),
    _count("Points completed", lambda work: work.points_completed),
    _count("Pull requests merged", lambda work: work.pull_requests),
    _count("Commits on the default branch", lambda work: work.commits),
    _CYCLE_TIME,
    _PEOPLE,
)


def _rows(before: MetricsSpan, now: MetricsSpan) -> list[list[str]]:
    return [[figure.title, *(_cell(figure, span) for span in (now, before))] for figure in _FIGURES]


def _cell(figure: _Figure, span: MetricsSpan) -> str:
    value = figure.value(span)
    if value is None:
        return "–"
    if figure is _CYCLE_TIME:
        return f"{counted(int(value), 'day')} (n = {span.times.n})"
    return number(value)
