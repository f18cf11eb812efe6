"""`/agile usage`: what the account has used this month."""

from commands.arguments import Arguments
from commands.cards.billing import NOTHING_IS_SOLD, usage_card
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from marketplace.accounts import billing_of


@command(
    "agile usage",
    summary="what this account has used this month, and who needs a seat",
    level=Level.MAINTAIN,
    examples=("/agile usage",),
)
async def agile_usage(context: Context, _: Arguments) -> Reply:
    """From the usage ledger, which is what is charged for."""
    shop = context.shop
    billing = await billing_of(context.tenant, context.now, shop) if shop else None
    if shop is None or billing is None:
        return Reply((NOTHING_IS_SOLD,))
    card = usage_card(
        billing,
        context.now,
        is_public=not context.project.is_private,
        is_usage_charged=shop.is_usage_charged,
    )
    return Reply((card,))
