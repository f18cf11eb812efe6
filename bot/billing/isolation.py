"""Keeps what fails for one account, or for one subscription, from ending the work on all others."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.typing import FilteringBoundLogger

from bot.billing.stripe_client import StripeRefusedError, StripeUnavailableError
from bot.github.client import GitHubRefusedError, GitHubUnavailableError
from marketplace.github_purchases import PurchaseError
from storage.database import Database
from storage.lookups import all_tenants

_REFUSALS = (StripeRefusedError, GitHubRefusedError, PurchaseError)
_CONCERN_ALL = (StripeUnavailableError, GitHubUnavailableError, PoolTimeoutError, OSError)
# Of PostgreSQL's SQLSTATE: a connection that failed, and a server that was stopped by its operator.
_AWAY = ("08", "57P")
# After so many failures in a row Stripe is away, and not just one object there.
_MOST_FAILURES_IN_A_ROW = 3


class FailuresInARow:
    """Tells one object that Stripe cannot show, or has locked, from Stripe being away."""

    def __init__(self) -> None:
        self._count = 0

    def note(self, problem: StripeUnavailableError) -> None:
        """Count a failure. Raises it again where Stripe is away."""
        self._count += 1
        if self._count >= _MOST_FAILURES_IN_A_ROW:
            raise problem

    def end(self) -> None:
        """Stripe has answered."""
        self._count = 0


@contextmanager
def isolated_account(
    log: FilteringBoundLogger, message: str, organization_id: int, **details: object
) -> Iterator[None]:
    """Log what fails inside, with `message` and `details`, and let the caller go on with the next account.

    Whatever is logged inside names the tenant.

    Raises what says that the database, GitHub or Stripe is away, since that concerns the next one as well.
    """
    with (
        structlog.contextvars.bound_contextvars(organization=organization_id),
        isolated_work(log, message, **details),
    ):
        yield


@contextmanager
def isolated_work(log: FilteringBoundLogger, message: str, **details: object) -> Iterator[None]:
    """The same for what is not one account's, such as one line of a list."""
    try:
        yield
    except _CONCERN_ALL:
        raise
    except _REFUSALS as problem:
        log.error(message, reason=str(problem), **details)  # noqa: TRY400 - a refusal is no bug
    except DBAPIError as problem:
        if _is_away(problem):
            raise
        log.exception(message, **details)
    except Exception:
        log.exception(message, **details)


async def all_accounts(database: Database) -> Sequence[int]:
    """The ids of all tenants."""
    async with database.unscoped() as connection:
        return await all_tenants(connection)


def _is_away(problem: DBAPIError) -> bool:
    state: str | None = getattr(problem.orig, "sqlstate", None)
    return state is None or state.startswith(_AWAY)
