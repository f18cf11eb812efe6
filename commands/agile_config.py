"""`/agile config`: which settings hold here, and where each comes from."""

from commands.arguments import Argument, Arguments, Kind
from commands.cards.config import shown
from commands.context import Context
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from storage.settings_files import SettingsFiles


@command(
    "agile config",
    summary="which settings hold here, and where each comes from",
    level=Level.READ,
    arguments=(Argument("show", Kind.CHOICE, "the same", is_positional=True, choices=("show",)),),
    examples=("/agile config", "/agile config show"),
)
async def agile_config(context: Context, _: Arguments) -> Reply:
    """All settings with their sources; those that nobody has settled are folded."""
    return Reply((shown(await SettingsFiles(context.tenant).origins(context.project.id)),))
