"""Rows of the table of targets: figures with their limits, and the machine's load beside them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from benchmarks import common

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A measured value and its limit: at most this, or if `is_minimum`, at least this.

    The name says the unit, such as `p99_ms`.
    """

    name: str
    value: float
    limit: float
    is_minimum: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the value keeps within the limit."""
        return self.value >= self.limit if self.is_minimum else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.is_minimum else "≤"
        return f"{self.name} {self.value:g} ({sign} {self.limit:g}, {_verdict(self.is_reached)})"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: what was measured, in how large a service, against which targets.

    `others` are figures without a target that help to read the others.
    """

    part: str
    measured: str
    targets: Sequence[Target]
    others: Mapping[str, Any] = field(default_factory=dict)

    def figures(self) -> Json:
        """The row as JSON."""
        return {
            "benchmark": "scale",
            "part": self.part,
            "measured": self.measured,
            **{target.name: target.value for target in self.targets},
            "limits": {target.name: target.limit for target in self.targets},
            "reached": all(target.is_reached for target in self.targets),
            **self.others,
        }

    def __str__(self) -> str:
        return f"{self.measured}: {', '.join(map(str, self.targets))}."


def report(row: Row) -> None:
    """Print a row as a JSON line and as a sentence, with the machine's load average of a minute."""
    machine = {"load_average": round(os.getloadavg()[0], 2), "cpus": os.cpu_count()}
    common.report(row.figures() | machine, str(row))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that a share (0 to 1) of the values does not exceed. ValueError if empty."""
    if not values:
        raise ValueError("there are no values")
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1]


def rows_of_reads(lines: Iterable[Json]) -> list[Row]:
    """The rows of `benchmarks.reads`: dearest command, largest ratio, night after a backfill."""
    commands, pasts = list[Json](), list[Json]()
    for line in lines:
        (commands if "command" in line else pasts).append(line)
    dearest = max(commands, key=lambda line: line["large"]["p99_ms"])
    steepest = max(commands, key=_ratio)
    largest = max(pasts, key=lambda line: line["items"])
    items, past = largest["items"], largest["past"]
    return [
        Row(
            "reads",
            f"Dearest read command among {items:,} items, /{dearest['command']}",
            (
                Target("p99_ms", dearest["large"]["p99_ms"], 500),
                Target("megabytes", max(line["large"]["megabytes"] for line in commands), 250),
            ),
            {"held_ms": max(line["large"]["held_ms"] for line in commands)},
        ),
        Row(
            "reads",
            f"Among {items:,} items ÷ among {items // 100:,}, /{steepest['command']}",
            (Target("ratio", round(_ratio(steepest), 2), 1.5),),
            {"ratios": {line["command"]: round(_ratio(line), 2) for line in commands}},
        ),
        Row(
            "reads",
            f"Night after a backfill of {items:,} items",
            (
                Target("seconds", round(past["projected_s"] + past["measured_s"], 1), 30),
                Target("held_ms", past["held_ms"], 100),
                Target("megabytes", past["megabytes"], 250),
            ),
            {"projected_s": past["projected_s"], "measured_s": past["measured_s"]},
        ),
    ]


def rows_of_events(lines: Iterable[Json]) -> list[Row]:
    """The row of `benchmarks.events`: a tenant's burst, and deliveries that are spread over tenants."""
    rows = list[Row]()
    for line in lines:
        if line["benchmark"] == "events":
            target = Target("per_s", line["worker_batch_per_s"], 1000, is_minimum=True)
            rows.append(Row("events", "Worker, events of one tenant's burst", (target,)))
        else:
            target = Target("per_s", line["worker_per_s"], 150, is_minimum=True)
            others = {"cpu_ms_per_event": line["worker_cpu_ms_per_event"]}
            measured = f"Worker, events spread over {line['tenants']:,} tenants"
            rows.append(Row("events", measured, (target,), others))
    return rows


def rows_of_answer(lines: Iterable[Json]) -> list[Row]:
    """The row of `benchmarks.answer`."""
    return [
        Row(
            "answer",
            "/sprint status under 50 events a second",
            (Target("p50_ms", line["bot_p50_ms"], 80), Target("p99_ms", line["bot_p99_ms"], 250)),
            {"answers": line["answers"], "script_p50_ms": line["script_p50_ms"]},
        )
        for line in lines
    ]


def rows_of_queue(lines: Iterable[Json]) -> list[Row]:
    """The row of `benchmarks.queue` about the sweep; its other lines have no target."""
    return [
        Row(
            "queue",
            f"Sweep with {line['ended']:,} ended jobs",
            (Target("worst_ms", line["worst_ms"], 50),),
            {"p50_ms": line["p50_ms"]},
        )
        for line in lines
        if line["measured"] == "sweep"
    ]


def _ratio(line: Json) -> float:
    return float(line["large"]["p50_ms"] / line["small"]["p50_ms"])


def _verdict(is_reached: bool) -> str:
    return "reached" if is_reached else "missed"
