"""`/agile pause`: stop all answers, posts and changes in this repository, but go on recording."""

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.permissions import PAUSED, Level
from commands.framework.registry import command


@command(
    "agile pause",
    summary="stops all answers, posts and changes in this repository; what happens is still recorded",
    level=Level.MAINTAIN,
    examples=("/agile pause",),
    is_changing=True,
)
async def agile_pause(_: Context, __: Arguments) -> Changes:
    """Pause the repository; until `/agile resume`, no other command runs (see Dispatcher.answer)."""
    done = (
        "**Paused.** From now on I answer nothing, post nothing and change nothing in this repository; a "
        "command gets 👀 and no more. I go on recording, so no number is lost.\n\n"
        "`/agile resume` ends it."
    )
    return Changes("pause in this repository", (ChangeSetting(PAUSED, None, True),), done)
