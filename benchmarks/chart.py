"""How long a new picture of each kind takes, against the plain pyplot way to draw and save the same one.

Run `python -m benchmarks.chart [rounds]`. Both ways draw the same values, by turns, in one process that has
drawn before. No two rounds draw the same numbers, so neither way can answer from memory.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from statistics import median
from time import perf_counter

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from benchmarks import common
from benchmarks import plain_charts as plain_ways
from bot.publishing.pictures import ChartRenderer, Pictures
from bot.services import open_services
from bot.settings import Settings
from charts import style
from charts.reading import list_scope_steps, number, signed
from charts.render import Chart, render
from charts.sample import SAMPLE
from charts.themes import PALETTES, Ink, Theme
from sprints.burndown import Burndown
from sprints.burnup import Burnup
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.projects import Projects, RepositoryName

_GOAL, _GOAL_AGAIN = 0.6, 0.05
_SOMEBODY = ReceivedDelivery("1", "issues", "opened", 100, 1, "acme", "Organization", 1, b"")
_DPI = 144
COLOURS = PALETTES[Theme.LIGHT]


def nth_sprint(n: int) -> Burndown:
    """The sample with other numbers: point 0, figures, scope and ideal all move."""
    more = Decimal(n)
    days = [
        replace(
            day,
            remaining=None if day.remaining is None else day.remaining + more,
            scope=None if day.scope is None else day.scope + more,
            ideal=None if day.ideal is None else day.ideal * (SAMPLE.committed + more) / SAMPLE.committed,
        )
        for day in SAMPLE.days
    ]
    return replace(SAMPLE, committed=SAMPLE.committed + more, days=tuple(days))


def plain_draw(burndown: Burndown) -> bytes:
    """What one writes without thinking about time: the same elements, dates and labels, at the same size."""
    figure, axes = plt.subplots(figsize=(style.WIDTH / 72, style.HEIGHT / 72), dpi=_DPI)
    measured_days = [day for day in burndown.days if day.remaining is not None]
    remaining = [float(burndown.committed), *(float(day.remaining or 0) for day in measured_days)]
    at = [*range(len(measured_days)), len(measured_days) - 0.5]
    ideal = [float(burndown.committed), *(float(day.ideal or 0) for day in burndown.days)]
    off = [i for i, day in enumerate(burndown.days) if not day.is_working_day]
    for start in (i for i in off if i - 1 not in off):
        axes.axvspan(start, start + 2, color=COLOURS[Ink.DAY_OFF])
    axes.axvspan(len(measured_days) - 1, len(measured_days), color=COLOURS[Ink.TODAY])
    axes.plot(range(len(ideal)), ideal, color=COLOURS[Ink.IDEAL], linewidth=2.5, linestyle="--")
    axes.plot(at, remaining, color=COLOURS[Ink.REMAINING], linewidth=4, marker="o", markersize=9)
    axes.plot(at[-1], remaining[-1], color=COLOURS[Ink.REMAINING], marker="o", markersize=15)
    for step in list_scope_steps(burndown):
        x, y = at[step.day + 1], remaining[step.day + 1]
        axes.plot(x, y, color=COLOURS[Ink.SCOPE], marker="^" if step.amount > 0 else "v", markersize=16)
        text = signed(step.amount)
        axes.annotate(
            text, (x, y), (0, 13), textcoords="offset points", ha="center", color=COLOURS[Ink.SCOPE]
        )
    axes.annotate(f"{number(Decimal(remaining[-1]))}", (at[-1], remaining[-1]), (24, 0), fontsize=34,
                  textcoords="offset points", color=COLOURS[Ink.REMAINING], weight="bold")  # fmt: skip
    axes.annotate("points left", (at[-1], remaining[-1]), (90, 0), fontsize=20,
                  textcoords="offset points", color=COLOURS[Ink.REMAINING])  # fmt: skip
    axes.text(11, ideal[11] + 1, "ideal", fontsize=20, color=COLOURS[Ink.IDEAL])
    axes.set_xticks([i + 0.5 for i in range(len(burndown.days))], [str(d.date.day) for d in burndown.days])
    axes.text(0.5, -0.14, "Nov", fontsize=18, ha="center", transform=axes.get_xaxis_transform())
    axes.text(7.5, -0.14, "today, 23 Nov", fontsize=18, weight="bold", ha="center",
              transform=axes.get_xaxis_transform())  # fmt: skip
    axes.tick_params(labelsize=18, length=0)
    axes.set_xlim(0, len(burndown.days))
    axes.set_ylim(0)
    axes.grid(axis="y", color=COLOURS[Ink.GRID])
    axes.spines[["left", "top", "right"]].set_visible(False)
    file = BytesIO()
    figure.savefig(file, dpi=_DPI)
    plt.close(figure)
    return file.getvalue()


def nth_charts(n: int) -> list[Chart]:
    """One of each kind, all with other numbers than the last ones."""
    sprint = nth_sprint(n)
    return [
        sprint,
        Burnup(sprint),
        plain_ways.nth_velocity(n),
        plain_ways.nth_throughput(n),
        plain_ways.nth_cycle_time(n),
        plain_ways.nth_aging(n),
        plain_ways.nth_flow(n),
        plain_ways.nth_fan(Burnup(sprint), n),
        plain_ways.nth_calibration(n),
    ]


def plain(chart: Chart) -> bytes:
    return plain_draw(chart) if isinstance(chart, Burndown) else plain_ways.PLAIN[type(chart)](chart)


@dataclass
class _Times:
    """What one kind of chart took in both ways, in seconds, and the sizes of our pictures."""

    ours: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.plain)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    for warm in range(3):
        for chart in nth_charts(1000 + warm):
            render(chart)
            plain(chart)
    times = {type(chart).__name__: _Times() for chart in nth_charts(0)}
    for n in range(rounds):
        for chart in nth_charts(n):
            _draw_both(chart, times[type(chart).__name__])
    again = asyncio.run(_again(rounds))
    burndown = times["Burndown"]
    ratio_again = median(again) / median(burndown.plain)
    figures = {
        "benchmark": "chart",
        "rounds": rounds,
        "ours_ms": round(median(burndown.ours) * 1000, 1),
        "pyplot_ms": round(median(burndown.plain) * 1000, 1),
        "ratio": round(burndown.ratio, 3),
        "ratios": {name: round(kind.ratio, 3) for name, kind in times.items()},
        "goal": _GOAL,
        "png_bytes": {name: round(median(kind.sizes)) for name, kind in times.items()},
        "again_ms": round(median(again) * 1000, 2),
        "again_ratio": round(ratio_again, 3),
        "again_goal": _GOAL_AGAIN,
    }
    print(json.dumps(figures))
    for name, kind in times.items():
        print(f"{name}: {median(kind.ours) * 1000:.1f} ms, plain pyplot {median(kind.plain) * 1000:.1f} ms")
    slowest = max(times, key=lambda name: times[name].ratio)
    ratio = times[slowest].ratio
    verdict = "within" if ratio <= _GOAL else "above"
    print(
        f"A new picture takes at most {ratio:.2f} of the time of plain pyplot ({slowest}), {verdict} the "
        f"goal of {_GOAL}; one drawn before {ratio_again:.3f} (goal {_GOAL_AGAIN})."
    )


def _draw_both(chart: Chart, times: _Times) -> None:
    started = perf_counter()
    png = render(chart)
    between = perf_counter()
    plain(chart)
    times.ours.append(between - started)
    times.plain.append(perf_counter() - between)
    times.sizes.append(len(png))


async def _again(rounds: int) -> list[float]:
    """The link of a picture that was drawn before, through the database as an answer gets it."""
    took = list[float]()
    with common.scratch() as folder:
        async with open_services(Settings(data_dir=folder)) as base:
            async with base.database.autocommit() as connection:
                await receive_deliveries(connection, [_SOMEBODY], [b""])
            async with base.database.tenant(1) as tenant:
                seen = RepositoryName("R_1", "acme/shop", False, None, datetime.now(UTC))
                project = await Projects(tenant).get(await Projects(tenant).remember(seen))
            if project is None:
                raise RuntimeError("the repository was not kept")
            renderer = ChartRenderer()
            pictures = Pictures(base.database, renderer, "http://127.0.0.1")
            await pictures.link(1, project, SAMPLE)
            await pictures.finish()
            for _ in range(rounds):
                started = perf_counter()
                await pictures.link(1, project, SAMPLE)
                took.append(perf_counter() - started)
            renderer.close()
    return took


if __name__ == "__main__":
    main()
