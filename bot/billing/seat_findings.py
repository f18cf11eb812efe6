"""Findings of `doctor` about seats: increases without approval, and increases that Stripe refused."""

from collections.abc import AsyncIterator
from datetime import timedelta

from bot.billing.seat_reporting import SEATS_REFUSED
from bot.services import Services
from commands.formatting.wording import counted
from storage.seat_increases import SeatIncreases
from storage.subscriptions import Subscriptions

# Admins have a working week to approve.
_ANSWERED_WITHIN = timedelta(days=7)
# Seats are reported each night; a success, or no need any more, ends the finding a day later.
_REFUSED_WITHIN = timedelta(hours=36)


async def seat_findings(services: Services, organization_id: int) -> AsyncIterator[str]:
    """Yield findings about one account's seats, each with its remedy."""
    now = services.clock()
    async with services.database.tenant(organization_id) as tenant:
        subscriptions, increases = Subscriptions(tenant), SeatIncreases(tenant)
        account = await subscriptions.account()
        increase, since = await increases.current(), await increases.waiting_since()
        refused_at = await subscriptions.last_audit_at(SEATS_REFUSED)
    if account is None:
        return
    if increase is not None and since is not None and now - since >= _ANSWERED_WITHIN:
        yield (
            f"{account.name} pays for {counted(increase.before, 'seat')} and has needed {increase.after} "
            f"since {since:%Y-%m-%d}, but no admin has approved them with `/agile seats` yet; nothing is "
            "charged for them until then, so write to the account's owners (docs/billing.md)"
        )
    if refused_at is not None and now - refused_at < _REFUSED_WITHIN:
        yield (
            f"Stripe refused more seats for {account.name}, last on {refused_at:%Y-%m-%d}; see the log; the "
            "plan stays the same, and this is tried again every night"
        )
