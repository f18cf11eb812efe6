"""`/pause`: record that work on this item rests until `/start`."""

from dataclasses import replace

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, RecordFact
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.items.start import list_wips_after
from commands.messages.item_start import sentence_with_wips
from commands.messages.work import reason_sentence, since_text
from commands.shared.work import read_work, resolve_open_item
from sprints.numbering import local_number
from sprints.pauses import Pause
from sprints.spans import TimeSpan


@command(
    "pause",
    summary="says that work on this item rests until `/start`",
    level=Level.TRIAGE,
    arguments=(Argument("reason", ArgumentKind.TEXT, "why", is_positional=True),),
    examples=("/pause", '/pause reason:"waits for the design"'),
    is_changing=True,
)
async def pause(context: Context, arguments: Arguments) -> Changes:
    """Pause an item: it is not in progress any more, but its cycle time keeps running."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    if flow.started_at is None:
        raise UserError(
            f"#{flow.number} has not been started, so there is nothing to pause. `/start` starts it."
        )
    summary = f"pause #{flow.number}"
    if flow.is_paused:
        paused_since = since_text(flow.pauses[-1].span.since, work.now, work.calendar)
        return Changes(
            summary, (), f"#{flow.number} is already paused ({paused_since}). `/start` resumes it."
        )
    paused = replace(flow, pauses=(*flow.pauses, Pause(TimeSpan(work.now))))
    reason = arguments.text("reason") or ""
    text = f"**#{flow.number} is paused**" + (f": {reason_sentence(reason)}" if reason else ".")
    text += " `/start` resumes it; its cycle time keeps running."
    done = sentence_with_wips(text, list_wips_after(work, paused, context.project.settings))
    return Changes(summary, (RecordFact(local_number(flow.number), "paused", reason),), done)
