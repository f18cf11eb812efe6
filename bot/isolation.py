"""Failure isolation: a bug with one row does not stop the work on all others."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from structlog.typing import FilteringBoundLogger

from bot.github.client import GitHubRefusedError, GitHubUnavailableError

# These would fail the next row as well, and the caller knows when to try again.
_SHARED_FAILURES = (DBAPIError, GitHubRefusedError, GitHubUnavailableError)


@contextmanager
def isolated(log: FilteringBoundLogger, message: str, **details: object) -> Iterator[None]:
    """Log an exception raised inside, with `message` and `details`, so that the caller can go on.

    Exceptions that say that the database or GitHub is away or refuses are raised. Billing has its own rules:
    see bot/billing/isolation.py.
    """
    try:
        yield
    except _SHARED_FAILURES:
        raise
    except Exception:
        log.exception(message, **details)
