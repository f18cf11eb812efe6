"""`/agile resume`: the end of `/agile pause`."""

from commands.agile.help import build_policy
from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.permissions import PAUSED, Level
from commands.framework.registry import command


@command(
    "agile resume",
    summary="ends a pause",
    level=Level.MAINTAIN,
    examples=("/agile resume",),
    is_changing=True,
)
async def agile_resume(context: Context, _: Arguments) -> Changes:
    """What was asked meanwhile is not answered late."""
    if not build_policy(context).is_paused:
        # A line above in the same comment may pause.
        return Changes("resume", (ChangeSetting(PAUSED, None, None),), "I was not paused here.")
    done = (
        "**Resumed.** I answer, post and change again. What happened meanwhile was recorded; commands that "
        "were written meanwhile are not run, so please write them again."
    )
    return Changes("resume in this repository", (ChangeSetting(PAUSED, True, None),), done)
