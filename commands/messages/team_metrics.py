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
        # A change from or to 0 is measured as one from or to 1, because no ratio to 0 exists.
        (max(is_now, was) / max(min(is_now, was), Decimal(1)), title, was, is_now)
        for title, value in _FIGURES
        for was, is_now in [(value(before.sums.work), value(now.sums.work))]
    ]
    largest = max((change for change in changes if change[0] >= _TIMES), default=None)
    if largest is None:
        return f"**Nothing stands out**: {people} at work, and no figure changed by half or more."
    _, title, was, is_now = largest
    verb = "rose" if is_now > was else "fell"
    advice = (
        "See what changed: days off, people, or the size of the work" if is_now < was else "See what helped"
    )
    return (
        f"**{title} {verb} from {number(was)} to {number(is_now)}**, the largest change; {people} at work, "
        f"{before.sums.people} before. {advice} (`/throughput`, `/cycletime`)."
    )


_FIGURES: Sequence[tuple[str, Callable[[WorkCounts], Decimal]]] = (
    ("Issues closed", lambda work: Decimal(work.issues_closed)),
    ("Points completed", lambda work: work.points_completed),
    ("Pull requests merged", lambda work: Decimal(work.pull_requests)),
    ("Commits on the default branch", lambda work: Decimal(work.commits)),
)


def _rows(before: MetricsSpan, now: MetricsSpan) -> list[list[str]]:
    rows = [
        [title, *(number(value(span.sums.work)) if span.sums else "–" for span in (now, before))]
        for title, value in _FIGURES
    ]
    rows.append(["Cycle time, 85 % within", *(_level(span) for span in (now, before))])
    rows.append(["People", *(str(span.sums.people) if span.sums else "–" for span in (now, before))])
    return rows


def _level(span: MetricsSpan) -> str:
    days = span.times.days_percentile(85)
    if days is None or span.sums is None:
        return "–"
    return f"{counted(days, 'day')} (n = {span.times.n})"
