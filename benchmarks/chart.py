"""How long a new picture takes, against the plain pyplot way to draw and save the same one.

Run `python -m benchmarks.chart [rounds]`. Both ways draw the same sprints, by turns, in one process that has
drawn before. No two rounds draw the same numbers, so neither way can answer from memory.
"""

import asyncio
import json
import sys
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from statistics import median
from time import perf_counter

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from benchmarks import common
from bot.pictures import Drawing, Pictures
from bot.services import services
from bot.settings import Settings
from charts import style
from charts.burndown import draw
from charts.reading import number, scope_steps, signed
from charts.sample import SAMPLE
from sprints.burndown import Burndown
from storage.deliveries import Received, receive

_GOAL, _GOAL_AGAIN = 0.6, 0.05
_SOMEBODY = Received("1", "issues", "opened", 100, 1, "acme", "Organization", 1, b"")
_DPI = 144


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
    known = [day for day in burndown.days if day.remaining is not None]
    remaining = [float(burndown.committed), *(float(day.remaining or 0) for day in known)]
    at = [*range(len(known)), len(known) - 0.5]
    ideal = [float(burndown.committed), *(float(day.ideal or 0) for day in burndown.days)]
    off = [i for i, day in enumerate(burndown.days) if not day.is_working_day]
    for start in (i for i in off if i - 1 not in off):
        axes.axvspan(start, start + 2, color=style.DAY_OFF)
    axes.axvspan(len(known) - 1, len(known), color=style.TODAY)
    axes.plot(range(len(ideal)), ideal, color=style.IDEAL, linewidth=2.5, linestyle="--")
    axes.plot(at, remaining, color=style.REMAINING, linewidth=4, marker="o", markersize=9)
    axes.plot(at[-1], remaining[-1], color=style.REMAINING, marker="o", markersize=15)
    for step in scope_steps(burndown):
        x, y = at[step.day + 1], remaining[step.day + 1]
        axes.plot(x, y, color=style.SCOPE, marker="^" if step.amount > 0 else "v", markersize=16)
        text = signed(step.amount)
        axes.annotate(text, (x, y), (0, 13), textcoords="offset points", ha="center", color=style.SCOPE)
    axes.annotate(f"{number(Decimal(remaining[-1]))}", (at[-1], remaining[-1]), (24, 0), fontsize=34,
                  textcoords="offset points", color=style.REMAINING, weight="bold")  # fmt: skip
    axes.annotate("points left", (at[-1], remaining[-1]), (90, 0), fontsize=20,
                  textcoords="offset points", color=style.REMAINING)  # fmt: skip
    axes.text(11, ideal[11] + 1, "ideal", fontsize=20, color=style.IDEAL)
    axes.set_xticks([i + 0.5 for i in range(len(burndown.days))], [str(d.date.day) for d in burndown.days])
    axes.text(0.5, -0.14, "Nov", fontsize=18, ha="center", transform=axes.get_xaxis_transform())
    axes.text(7.5, -0.14, "today, 23 Nov", fontsize=18, weight="bold", ha="center",
              transform=axes.get_xaxis_transform())  # fmt: skip
    axes.tick_params(labelsize=18, length=0)
    axes.set_xlim(0, len(burndown.days))
    axes.set_ylim(0)
    axes.grid(axis="y", color=style.GRID)
    axes.spines[["left", "top", "right"]].set_visible(False)
    file = BytesIO()
    figure.savefig(file, dpi=_DPI)
    plt.close(figure)
    return file.getvalue()


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    ours, plain, sizes = list[float](), list[float](), list[int]()
    for warm in range(3):
        draw(nth_sprint(1000 + warm))
        plain_draw(nth_sprint(1000 + warm))
    for n in range(rounds):
        burndown = nth_sprint(n)
        started = perf_counter()
        png = draw(burndown)
        between = perf_counter()
        plain_draw(burndown)
        ours.append(between - started)
        plain.append(perf_counter() - between)
        sizes.append(len(png))
    again = asyncio.run(_again(rounds))
    ratio, ratio_again = median(ours) / median(plain), median(again) / median(plain)
    figures = {
        "benchmark": "chart",
        "rounds": rounds,
        "ours_ms": round(median(ours) * 1000, 1),
        "pyplot_ms": round(median(plain) * 1000, 1),
        "ratio": round(ratio, 3),
        "goal": _GOAL,
        "png_bytes": round(median(sizes)),
        "again_ms": round(median(again) * 1000, 2),
        "again_ratio": round(ratio_again, 3),
        "again_goal": _GOAL_AGAIN,
    }
    print(json.dumps(figures))
    verdict = "within" if ratio <= _GOAL else "above"
    print(
        f"A new picture takes {ratio:.2f} of the time of plain pyplot, {verdict} the goal of {_GOAL}; "
        f"one drawn before {ratio_again:.3f} (goal {_GOAL_AGAIN})."
    )


async def _again(rounds: int) -> list[float]:
    """The link of a picture that was drawn before, through the database as an answer gets it."""
    took = list[float]()
    with common.scratch() as folder:
        async with services(Settings(data_dir=folder)) as base:
            async with base.database.at_once() as connection:
                await receive(connection, [_SOMEBODY], [b""])
            drawing = Drawing()
            pictures = Pictures(base.database, drawing, "http://127.0.0.1")
            await pictures.link(1, SAMPLE)
            for _ in range(rounds):
                started = perf_counter()
                await pictures.link(1, SAMPLE)
                took.append(perf_counter() - started)
            drawing.close()
    return took


if __name__ == "__main__":
    main()
