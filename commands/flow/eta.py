"""`/eta`: this item's age compared with the usual, and when other items of its age were done."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.eta import eta_text
from commands.shared.choosing import require_item
from commands.shared.work import read_past, read_work


@command(
    "eta",
    summary="how old this item is against what is usual, and when others of its age were done",
    level=Level.READ,
    examples=("/eta",),
    feature="forecasts",
)
async def eta(context: Context, _: Arguments) -> Reply:
    """Forecast from the cycle times of the repository's own items, in days."""
    number = context.request.thread
    await require_item(context, number)
    work = await read_work(context)
    flows = await context.flows.of_numbers([number], context.now)
    flow = flows[-1] if flows else None
    if flow is None:
        raise UserError(f"I have no history of #{number} yet. Please ask again in a moment.")
    if flow.is_covered:
        kind = "the issues that it closes" if flow.is_pull_request else "its sub-issues"
        raise UserError(f"The work of #{number} is counted through {kind}. Run `/eta` there.")
    return Reply((eta_text(flow, await read_past(context), work),))
