"""The instruments of one process: counters and histograms that product code updates where things happen.

No label holds anything of a tenant or of a stranger. Each value comes from a fixed list, from the code or
from a status of HTTP (bot/metrics/label_values.py), so the number of series is bounded.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric

from bot.metrics.label_values import choose_call_status, name_github_call, name_stripe_call
from bot.metrics.rate_limits import RateLimits

# Upper bounds in seconds. A request takes milliseconds, a job up to minutes, and a reply waits for GitHub.
_REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_JOB_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_WAIT_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600)
_RENDER_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Registry(CollectorRegistry):
    """A registry that leaves out when each series began, which doubles the series and which nothing uses."""

    def collect(self) -> Iterator[Metric]:
        for family in super().collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


class Instruments:
    """The instruments of one process, in a registry of their own."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.registry = registry = Registry()
        self.deliveries = Counter(
            "agile_deliveries", "Webhook requests of GitHub.", ["event", "outcome"], registry=registry
        )
        self.processed = Counter(
            "agile_deliveries_processed", "Stored deliveries by result.", ["outcome"], registry=registry
        )
        self.recording = Histogram(
            "agile_delivery_recording_seconds",
            "From the storing of a delivery until its facts were recorded.",
            buckets=_WAIT_BOUNDS,
            registry=registry,
        )
        self.requests = Counter(
            "agile_http_requests",
            "Requests to the web server.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "agile_http_request_seconds",
            "Time in which a request was answered.",
            ["route"],
            buckets=_REQUEST_BOUNDS,
            registry=registry,
        )
        self.jobs = Counter("agile_jobs", "Runs of jobs.", ["task", "outcome"], registry=registry)
        self.job_seconds = Histogram(
            "agile_job_seconds", "Time of a job's run.", ["task"], buckets=_JOB_BOUNDS, registry=registry
        )
        self.reply = Histogram(
            "agile_reply_seconds",
            "From the storing of a delivery until GitHub accepted a reply to it.",
            buckets=_WAIT_BOUNDS,
            registry=registry,
        )
        self.renders = Histogram(
            "agile_render_seconds",
            "Time to draw a picture, with the wait for a free process.",
            buckets=_RENDER_BOUNDS,
            registry=registry,
        )
        self.github_calls = Counter(
            "agile_github_calls", "Requests to GitHub's API.", ["kind", "status"], registry=registry
        )
        self.stripe_calls = Counter(
            "agile_stripe_calls", "Requests to Stripe's API.", ["kind", "status"], registry=registry
        )
        self.rate_limits = RateLimits(clock)
        registry.register(self.rate_limits)

    @contextmanager
    def time_job(self, task: str) -> Iterator[None]:
        """Measure a run of a job: `succeeded`, or `failed` where it raised an exception."""
        outcome, began = "failed", perf_counter()
        try:
            yield
            outcome = "succeeded"
        finally:
            self.jobs.labels(task, outcome).inc()
            self.job_seconds.labels(task).observe(perf_counter() - began)

    def count_github_call(self, url: str, status: int | None) -> None:
        """Count a request to GitHub; without a status, GitHub did not answer."""
        self.github_calls.labels(name_github_call(url), choose_call_status(status)).inc()

    def count_stripe_call(self, url: str, status: int | None) -> None:
        """Count a request to Stripe; without a status, Stripe did not answer."""
        self.stripe_calls.labels(name_stripe_call(url), choose_call_status(status)).inc()
