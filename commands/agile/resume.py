"""`/agile resume`: end a pause of the bot in this repository."""

from commands.agile.help import build_policy
from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.permissions import PAUSED, Level
from commands.framework.registry import command
from commands.messages.pause import NOT_PAUSED_TEXT, RESUMED_TEXT


@command(
    "agile resume",
    summary="ends a pause",
    level=Level.MAINTAIN,
    examples=("/agile resume",),
    is_changing=True,
)
async def agile_resume(context: Context, _: Arguments) -> Changes:
    """End the pause; commands written during the pause are not run."""
    if not build_policy(context).is_paused:
        # An earlier line of the same comment may pause, so the setting is reset in any case.
        return Changes("resume", (ChangeSetting(PAUSED, None, None),), NOT_PAUSED_TEXT)
    return Changes("resume in this repository", (ChangeSetting(PAUSED, True, None),), RESUMED_TEXT)
