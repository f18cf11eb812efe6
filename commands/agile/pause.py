"""`/agile pause`: stop all answers, posts and changes in this repository, but continue recording."""

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.permissions import PAUSED, Level
from commands.framework.registry import command
from commands.messages.pause import PAUSE_PREVIEW, PAUSED_TEXT


@command(
    "agile pause",
    summary="stops all answers, posts, and changes in this repository; I still record what happens",
    level=Level.MAINTAIN,
    examples=("/agile pause",),
    is_changing=True,
)
async def agile_pause(_: Context, __: Arguments) -> Changes:
    """Pause the repository; until `/agile resume`, no other command runs (see Dispatcher.answer).

    It is shown first, because it takes everybody's answers.
    """
    pause = ChangeSetting(PAUSED, None, True)
    return Changes(
        "pause in this repository", (pause,), PAUSED_TEXT, preview=PAUSE_PREVIEW, needs_consent=True
    )
