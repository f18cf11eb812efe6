"""Keeps a bug with one row from stopping the work on all others."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from structlog.typing import FilteringBoundLogger

from bot.github.client import GitHubRefusedError, GitHubUnavailableError

# These errors would hit the next row as well, and the caller knows when to retry.
_CONCERNS_ALL = (DBAPIError, GitHubRefusedError, GitHubUnavailableError)


@contextmanager
def isolated(log: FilteringBoundLogger, message: str, **details: object) -> Iterator[None]:
    """Log an exception inside, with `message` and `details`, so that the caller goes on with the next row.

    Errors of the database and refusals or outages of GitHub are raised.
    """
    try:
        yield
    except _CONCERNS_ALL:
        raise
    except Exception:
        log.exception(message, **details)
