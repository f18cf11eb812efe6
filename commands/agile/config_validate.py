"""`/agile config validate`: whether the settings file is good; in a pull request, as it would be."""

import asyncio

from commands.agile.help import known
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.config import invalid_file_text, no_file_text, out_of_sight_text, valid_file_text
from commands.settings.file import ORGANIZATION_REPOSITORY, PATH, Problem, SettingsFile, read_settings
from storage.settings_files import SettingsFiles


@command(
    "agile config validate",
    summary="checks the settings file; in a pull request, the file as it would be",
    level=Level.READ,
    examples=("/agile config validate",),
)
async def agile_config_validate(context: Context, _: Arguments) -> Reply:
    """Its problems with their lines, or what it changes."""
    request = context.request
    pull_request = request.thread if request.is_pull_request else None
    where = f"of #{request.thread}" if request.is_pull_request else "of the default branch"
    file = await context.github.file(PATH, pull_request)
    is_organization, files = is_for_all(context), SettingsFiles(context.tenant)
    everywhere = await files.of_organization()
    notes = [out_of_sight_text("organization")] if everywhere.is_out_of_sight and not is_organization else []
    if file is None:
        return Reply((no_file_text(), *notes))
    names = [command.name for command in known()]
    if file.content is None:
        read = SettingsFile(problems=(Problem(0, "It must be a file of text."),), is_unreadable=True)
    else:
        read = await asyncio.to_thread(read_settings, file.content, names, is_organization=is_organization)
    kept = everywhere if is_organization else await files.of_project(context.project.id)
    if read.problems:
        judged = invalid_file_text(read, kept, where, is_proposed=request.is_pull_request)
    else:
        judged = valid_file_text(read.settings, kept, where, is_proposed=request.is_pull_request)
    return Reply((judged, *notes))


def is_for_all(planning: Planning) -> bool:
    """Whether this repository's file holds for the whole organization."""
    return (planning.project.full_name or "").rpartition("/")[2] == ORGANIZATION_REPOSITORY
