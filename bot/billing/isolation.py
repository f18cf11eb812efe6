"""Failure isolation of billing: a failure for one account or subscription does not stop all others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.typing import FilteringBoundLogger

from bot.billing.stripe_port import StripeRefusedError, StripeUnavailableError
from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from marketplace.github_purchases import PurchaseError
from storage.database import Database
from storage.work_lookups import tenants_with_billing, tenants_with_work

_REFUSALS = (StripeRefusedError, GitHubRefusedError, PurchaseError)
_SHARED_FAILURES = (StripeUnavailableError, GitHubUnavailableError, PoolTimeoutError, OSError)
# Classes of PostgreSQL's SQLSTATE: connection exceptions, and operator intervention.
_UNAVAILABLE_STATES = ("08", "57P")
# After this many failures in a row, Stripe itself is unavailable, and not just one object there.
_MAX_CONSECUTIVE_FAILURES = 3


class ConsecutiveFailures:
    """Distinguishes a single object that Stripe cannot show or has locked from Stripe being unavailable."""

    def __init__(self) -> None:
        self._count = 0

    def record(self, problem: StripeUnavailableError) -> None:
        """Count a failure. Raises it again after too many in a row."""
        self._count += 1
        if self._count >= _MAX_CONSECUTIVE_FAILURES:
            raise problem

    def reset(self) -> None:
        """Start counting again, because Stripe has answered."""
        self._count = 0


@contextmanager
def isolated_account(
    log: FilteringBoundLogger, message: str, organization_id: int, **details: object
) -> Iterator[None]:
    """Log an exception raised inside, with `message` and `details`, so that the caller can go on.

    All log lines inside name the tenant. Exceptions that say that the database, GitHub or Stripe is
    unavailable are raised, since they would fail the next account as well.
    """
    with (
        structlog.contextvars.bound_contextvars(organization=organization_id),
        isolated_work(log, message, **details),
    ):
        yield


@contextmanager
def isolated_work(log: FilteringBoundLogger, message: str, **details: object) -> Iterator[None]:
    """Isolate failures like `isolated_account`, for work that is not one account's."""
    try:
        yield
    except _SHARED_FAILURES:
        raise
    except _REFUSALS as problem:
        log.error(message, reason=str(problem), **details)  # noqa: TRY400 - a refusal is no bug
    except DBAPIError as problem:
        if _is_database_away(problem):
            raise
        log.exception(message, **details)
    except Exception:
        log.exception(message, **details)


def accounts_with_billing(database: Database) -> AsyncIterator[int]:
    """The ids of the tenants that bought something, have notices about it, or whose data is to be deleted."""
    return tenants_with_work(database, tenants_with_billing)


def _is_database_away(problem: DBAPIError) -> bool:
    state: str | None = getattr(problem.orig, "sqlstate", None)
    return state is None or state.startswith(_UNAVAILABLE_STATES)
