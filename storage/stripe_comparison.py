"""Results of the last nightly comparisons with Stripe and the Marketplace, for `doctor`, over all tenants."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import clockwork

# More would only fill the operator's screen.
_MOST_UNCLEAR = 50
_LONGEST_FAILURE = 200


class ComparisonKind(StrEnum):
    """The kinds of nightly comparisons; the values name their rows of `clockwork`."""

    SUBSCRIPTIONS = "comparison with Stripe"
    PAYMENTS = "comparison of refunds and disputes with Stripe"
    MARKETPLACE = "comparison with the Marketplace"


class UnclearSubscription(msgspec.Struct, frozen=True):
    """A subscription at Stripe of no known account, with the reason. `account` is GitHub's id.

    `has_failed`: looking up its account or storing it failed.
    """

    subscription: str
    customer: str
    account: int | None
    reason: str
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """The result of the last comparison: its time, unclear subscriptions, and why the latest try failed."""

    compared_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None
    unclear: tuple[UnclearSubscription, ...] = ()


async def record_comparison(
    connection: AsyncConnection, result: ComparisonResult, of: ComparisonKind
) -> None:
    """Store the result of a comparison in place of the last one."""
    state = msgspec.to_builtins(result) | {"unclear": msgspec.to_builtins(result.unclear[:_MOST_UNCLEAR])}
    fresh = insert(clockwork).values(name=of.value, state=state, updated_at=func.app_now())
    changed = {"state": fresh.excluded.state, "updated_at": fresh.excluded.updated_at}
    await connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changed))


async def record_comparison_failure(
    connection: AsyncConnection, of: ComparisonKind, problem: Exception, now: datetime
) -> None:
    """Store why a comparison failed, beside the result of the last complete one."""
    before = await last_comparison(connection, of)
    failed = replace(before, failed_at=now, failure=str(problem)[:_LONGEST_FAILURE])
    await record_comparison(connection, failed, of)


async def last_comparison(connection: AsyncConnection, of: ComparisonKind) -> ComparisonResult:
    """Return the result of the last comparison; an empty one before the first."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == of.value))
    return msgspec.convert(state, ComparisonResult) if state else ComparisonResult()
