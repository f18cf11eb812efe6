"""`/agile seats`: the people who need a seat, the price of seats, and an increase that waits for approval."""

from commands.formatting.wording import counted
from commands.framework.arguments import Arguments
from commands.framework.changes import ApproveSeats, Changes
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.billing import IN_PUBLIC, NOTHING_IS_SOLD
from commands.messages.seats import approved_text, increase_text, seats_card
from marketplace.accounts import load_billing


@command(
    "agile seats",
    summary="who needs a seat, what a seat costs, and seats that need your approval",
    level=Level.ADMIN,
    examples=("/agile seats",),
    is_changing=True,
)
async def agile_seats(context: Context, _: Arguments) -> Reply | Changes:
    """Offer an increase that waits for approval. In public repositories, say nothing of money or people."""
    offer, now = context.offer, context.now
    billing = await load_billing(context.tenant, now, offer) if offer is not None and offer.is_on else None
    if billing is None:
        return Reply((NOTHING_IS_SOLD,))
    if not context.project.is_private:
        return Reply((IN_PUBLIC,))
    card, increase = seats_card(billing, now), billing.seat_increase
    if increase is None or not increase.is_waiting or not await _is_admin_on_github(context):
        return Reply((card,))
    step = ApproveSeats(
        increase.reference, increase.before, increase.after, increase.unit_amount, increase.currency
    )
    return Changes(
        f"pay for {counted(increase.after, 'seat')} instead of {increase.before}",
        (step,),
        approved_text(increase),
        f"{increase_text(increase, billing)}\n\n{card}",
        needs_consent=True,
    )


async def _is_admin_on_github(context: Context) -> bool:
    """Whether GitHub calls the asker an admin of this repository.

    A team may let others run this command, and grant roles for commands; neither may cost the account money.
    """
    return await context.github.find_level(context.request.sender) is Level.ADMIN
