"""The database pools of a process, read at each scrape."""

from collections.abc import Iterator

import procrastinate
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from storage.database import Database, PoolState
from storage.jobs import queue_pool_state


class PoolCollector(Collector):
    """Exposes the size and the use of each pool, and how often a connection had to be waited for."""

    def __init__(self, database: Database, queue: procrastinate.App) -> None:
        self._database = database
        self._queue = queue

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges and the counter, with a series for each pool."""
        size = GaugeMetricFamily(
            "agile_database_pool_size", "The most connections that a pool opens.", labels=["pool"]
        )
        in_use = GaugeMetricFamily(
            "agile_database_pool_checked_out", "Connections of a pool that are in use.", labels=["pool"]
        )
        waits = CounterMetricFamily(
            "agile_database_pool_waits",
            "Requests for a connection that had to wait for one.",
            labels=["pool"],
        )
        for name, state in self._read().items():
            size.add_metric([name], state.size)
            in_use.add_metric([name], state.checked_out)
            waits.add_metric([name], state.waits)
        yield size
        yield in_use
        yield waits

    def _read(self) -> dict[str, PoolState]:
        states, queue = self._database.pool_states(), queue_pool_state(self._queue)
        return states if queue is None else {**states, "queue": queue}
