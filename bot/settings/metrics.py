"""Settings of `GET /metrics`: a port of its own, a bearer token, or neither."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.settings.secret import Secret

_HOST = "127.0.0.1"
# What a header can carry, long enough that nobody guesses it.
_TOKEN = re.compile(r"[!-~]{16,200}")


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where metrics are served: on `port` of `host`, else with `token` on the web server, else nowhere.

    With both, the token is asked for on the port as well.
    """

    host: str = _HOST
    port: int | None = None
    token: Secret | None = None

    @property
    def worker_port(self) -> int | None:
        """The port of the worker that `serve` starts, where the web server's process has `port`."""
        return None if self.port is None else self.port + 1

    @property
    def is_on_web_port(self) -> bool:
        """Whether the web server answers `GET /metrics`."""
        return self.port is None and self.token is not None


def read_metrics(
    environment: Mapping[str, str], problems: list[str], read_port: Callable[[str, int], int], web_port: int
) -> MetricsSettings:
    """Read the settings. Adds a sentence to `problems` for each that is malformed or contradicts another.

    `read_port` reads a port by its setting's name and an example; `web_port` is the web server's own.
    """
    port = read_port("METRICS_PORT", 9100) if environment.get("METRICS_PORT") else None
    if port is not None:
        _check_port(port, web_port, problems)
    host = environment.get("METRICS_HOST")
    if host and port is None:
        problems.append("METRICS_HOST has no effect without METRICS_PORT; set both or neither")
    token = environment.get("METRICS_TOKEN")
    if token and not _TOKEN.fullmatch(token):
        problems.append(
            "METRICS_TOKEN must have 16 to 200 characters, without spaces and accents; "
            "make one with `openssl rand -hex 32`"
        )
    return MetricsSettings(host or _HOST, port, Secret(token) if token else None)


def _check_port(port: int, web_port: int, problems: list[str]) -> None:
    """Both processes of `serve` need a port that is not the web server's: this one and the next."""
    if web_port in {port, port + 1}:
        problems.append(
            f"METRICS_PORT is {port}, and `serve` also uses {port + 1} for its worker; "
            f"PORT is {web_port}, so choose another METRICS_PORT"
        )
    elif port == 65535:
        problems.append(
            "METRICS_PORT must be at most 65534, because `serve` uses the next one for its worker"
        )
