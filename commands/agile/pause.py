"""`/agile pause`: stop all answers, posts and changes in this repository, but continue recording."""

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.permissions import PAUSED, Level
from commands.framework.registry import command
from commands.messages.pause import PAUSED_TEXT


@command(
    "agile pause",
    summary="stops all answers, posts, and changes in this repository; I still record what happens",
    level=Level.MAINTAIN,
    examples=("/agile pause",),
    is_changing=True,
)
async def agile_pause(_: Context, __: Arguments) -> Changes:
    """Pause the repository; until `/agile resume`, no other command runs (see Dispatcher.answer)."""
    return Changes("pause in this repository", (ChangeSetting(PAUSED, None, True),), PAUSED_TEXT)
