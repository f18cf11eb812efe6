"""`/agile config`: the effective settings and the source of each."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.config import settings_text
from storage.settings_files import SettingsFiles


@command(
    "agile config",
    summary="the settings that apply here, and where each of them is set",
    level=Level.READ,
    arguments=(
        Argument("show", ArgumentKind.CHOICE, "the same without it", is_positional=True, choices=("show",)),
    ),
    examples=("/agile config", "/agile config show"),
    synonyms=("settings",),
)
async def agile_config(context: Context, _: Arguments) -> Reply:
    """Show all settings with their sources; settings with their default are folded."""
    return Reply((settings_text(await SettingsFiles(context.tenant).origins(context.project.id)),))
