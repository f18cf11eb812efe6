"""`/agile usage`: the account's usage this month."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.billing import NOTHING_IS_SOLD, usage_card
from marketplace.accounts import load_billing


@command(
    "agile usage",
    summary="what this account used this month, and who needs a seat",
    level=Level.MAINTAIN,
    examples=("/agile usage",),
)
async def agile_usage(context: Context, _: Arguments) -> Reply:
    """Show the usage ledger, which is the basis of charges."""
    offer = context.offer
    billing = await load_billing(context.tenant, context.now, offer) if offer else None
    if offer is None or billing is None:
        return Reply((NOTHING_IS_SOLD,))
    card = usage_card(
        billing,
        context.now,
        is_public=not context.project.is_private,
        is_usage_charged=offer.is_usage_charged,
    )
    return Reply((card,))
