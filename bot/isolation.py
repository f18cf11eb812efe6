"""Keeps a bug with one row from stopping the work on all others."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from structlog.typing import FilteringBoundLogger

from bot.github.client import GitHubRefusedError, GitHubUnavailableError

# These concern whatever comes next as well, and who called knows when to try again.
_CONCERNS_ALL = (DBAPIError, GitHubRefusedError, GitHubUnavailableError)


@contextmanager
def isolated(log: FilteringBoundLogger, message: str, **details: object) -> Iterator[None]:
    """Logs what goes wrong inside, with `message` and `details`, and lets the caller go on with the next row.

    Raises what says that the database or GitHub is away or refuses.
    """
    try:
        yield
    except _CONCERNS_ALL:
        raise
    except Exception:
        log.exception(message, **details)
