"""Rows of the table of targets: from the lines of other benchmarks, with limits and verdicts."""

import pytest

from benchmarks.scale_rows import (
    Row,
    Target,
    percentile,
    rows_of_answer,
    rows_of_events,
    rows_of_queue,
    rows_of_reads,
)


def _command(name: str, large_p50: float, large_p99: float, megabytes: int) -> dict[str, object]:
    large = {"p50_ms": large_p50, "p99_ms": large_p99, "held_ms": 5.0, "megabytes": megabytes}
    return {"items": 50_000, "command": name, "large": large, "small": {"p50_ms": 10.0}}


def test_a_row_is_reached_only_if_each_figure_keeps_within_its_limit() -> None:
    row = Row("part", "Something", (Target("p50_ms", 80, 80), Target("p99_ms", 251, 250)), {"answers": 3})

    figures = row.figures()

    assert figures["reached"] is False
    assert figures["limits"] == {"p50_ms": 80, "p99_ms": 250}
    assert (figures["p99_ms"], figures["answers"]) == (251, 3)
    assert str(row) == "Something: p50_ms 80 (≤ 80, reached), p99_ms 251 (≤ 250, missed)."


def test_a_rate_must_be_at_least_its_limit() -> None:
    assert not Target("per_s", 149, 150, is_minimum=True).is_reached
    assert Target("per_s", 150, 150, is_minimum=True).is_reached


def test_a_percentile_is_a_measured_value() -> None:
    values = [float(number) for number in range(100, 0, -1)]

    assert [percentile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    assert percentile([7.0], 0.99) == 7
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_reads_are_judged_by_the_dearest_and_by_the_steepest_command() -> None:
    small_past = {"items": 500, "past": {"projected_s": 1, "measured_s": 1, "held_ms": 1, "megabytes": 9}}
    past = {"projected_s": 20.0, "measured_s": 9.5, "held_ms": 101.0, "megabytes": 200}
    lines = [
        {"items": 50_000, "past": past},
        small_past,
        _command("my", 20.0, 90.0, 120),
        _command("risk", 12.0, 400.0, 251),
    ]

    dearest, ratio, night = rows_of_reads(lines)

    assert "/risk" in dearest.measured
    assert [target.value for target in dearest.targets] == [400.0, 251]
    assert "/my" in ratio.measured
    assert [target.value for target in ratio.targets] == [2.0]
    assert [target.is_reached for target in night.targets] == [True, False, True]


def test_lines_of_other_benchmarks_become_rows() -> None:
    burst = {"benchmark": "events", "worker_batch_per_s": 1000}
    spread = {"benchmark": "events-spread", "tenants": 1000, "worker_per_s": 149}
    events = rows_of_events([burst, spread | {"worker_cpu_ms_per_event": 5.5}])
    (answer,) = rows_of_answer([{"answers": 9, "bot_p50_ms": 79, "bot_p99_ms": 251, "script_p50_ms": 9}])
    fetch = {"measured": "fetch"}
    (sweep,) = rows_of_queue([fetch, {"measured": "sweep", "ended": 10, "worst_ms": 49, "p50_ms": 30}])

    assert [row.figures()["reached"] for row in (*events, answer, sweep)] == [True, False, False, True]
