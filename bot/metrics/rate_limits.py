"""GitHub's remaining rate limits as its last answers told them, without a series for each installation."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cachetools import LRUCache
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# GitHub's names of its limits. https://docs.github.com/en/rest/rate-limit
_RESOURCES = ("core", "graphql")
_MOST_INSTALLATIONS = 10_000
_LOW_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Limit:
    """An hourly limit: how many requests it allows, how many are left, and when it begins anew."""

    limit: int
    remaining: int
    reset_at: datetime


class RateLimits(Collector):
    """Remembers the limits of each installation, and exposes the lowest and how many are low."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._limits: dict[str, LRUCache[int | None, _Limit]] = {
            resource: LRUCache(_MOST_INSTALLATIONS) for resource in _RESOURCES
        }

    def note(self, installation: int | None, headers: Mapping[str, str]) -> None:
        """Note the limit in an answer's headers; `installation` is None for the App itself.

        Answers without these headers, or about another limit, are ignored.
        """
        limits = self._limits.get(headers.get("X-RateLimit-Resource", ""))
        values = [headers.get(f"X-RateLimit-{name}", "") for name in ("Limit", "Remaining", "Reset")]
        if limits is None or not all(value.isdecimal() and len(value) < 12 for value in values):
            return
        limit, remaining, reset = map(int, values)
        limits[installation] = _Limit(limit, remaining, datetime.fromtimestamp(reset, UTC))

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; a limit that has begun anew since is left out."""
        lowest = GaugeMetricFamily(
            "agile_github_rate_limit_lowest_remaining",
            "The fewest requests that any installation has left in this hour.",
            labels=["resource"],
        )
        low = GaugeMetricFamily(
            "agile_github_rate_limit_low_installations",
            "Installations with less than a tenth of this hour's requests left.",
            labels=["resource"],
        )
        now = self._clock()
        for resource, limits in self._limits.items():
            current = [limit for limit in limits.values() if limit.reset_at > now]
            if current:
                lowest.add_metric([resource], min(limit.remaining for limit in current))
            is_low = [limit.remaining < limit.limit * _LOW_SHARE for limit in current]
            low.add_metric([resource], sum(is_low))
        yield lowest
        yield low
