"""What came of the last nightly comparison with Stripe, kept for `doctor`. It names no tenant's rows."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import clockwork

_NAME = "comparison with Stripe"
# More would only fill the operator's screen.
_MOST_UNCLEAR = 50


class UnclearSubscription(msgspec.Struct, frozen=True):
    """A subscription at Stripe that belongs to no account of ours, and why. `account` is GitHub's id.

    `has_failed`: whose it is was not found out, or it could not be kept.
    """

    subscription: str
    customer: str
    account: int | None
    reason: str
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """When subscriptions were compared last, what was unclear, and why the latest try failed, if it did."""

    compared_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None
    unclear: tuple[UnclearSubscription, ...] = ()


async def note_comparison(connection: AsyncConnection, result: ComparisonResult) -> None:
    """Keep the result in the place of the last one."""
    state = msgspec.to_builtins(result) | {"unclear": msgspec.to_builtins(result.unclear[:_MOST_UNCLEAR])}
    fresh = insert(clockwork).values(name=_NAME, state=state, updated_at=func.app_now())
    changed = {"state": fresh.excluded.state, "updated_at": fresh.excluded.updated_at}
    await connection.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=changed))


async def last_comparison(connection: AsyncConnection) -> ComparisonResult:
    """The last result; an empty one before the first comparison."""
    state = await connection.scalar(select(clockwork.c.state).where(clockwork.c.name == _NAME))
    return msgspec.convert(state, ComparisonResult) if state else ComparisonResult()
