"""`/agile plan`: the account's plan, its features, and links to change it."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.billing import NOTHING_IS_SOLD, plan_card
from marketplace.accounts import load_billing
from marketplace.plans import PlanName
from storage.deadlines import Deadlines


@command(
    "agile plan",
    summary="the plan of this account, what it includes, and where to change it",
    level=Level.ADMIN,
    examples=("/agile plan",),
)
async def agile_plan(context: Context, _: Arguments) -> Reply:
    """Show the plan. Links lead to GitHub, Stripe's sign-in or the bot's pages; none signs a person in."""
    offer, now = context.offer, context.now
    billing = await load_billing(context.tenant, now, offer) if offer else None
    if offer is None or billing is None:
        return Reply((NOTHING_IS_SOLD,))
    if (
        billing.deadline is not None
    ):  # The card shows when data will be deleted, so the deadline counts as announced.
        await Deadlines(context.tenant).mark_shown(now)
    account = billing.account.github_id

    def checkout(plan: PlanName, is_yearly: bool) -> str | None:
        return offer.checkout(account, plan, now, is_yearly=is_yearly)

    is_public = not context.project.is_private
    card = plan_card(
        billing,
        offer.links(account),
        checkout,
        is_public=is_public,
        is_usage_charged=offer.is_usage_charged,
    )
    return Reply((card,))
