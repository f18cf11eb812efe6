"""`/agile config validate`: check the settings file, in a pull request the file as proposed there."""

import asyncio

from commands.agile.help import all_commands
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.config import invalid_file_text, no_file_text, out_of_sight_text, valid_file_text
from commands.settings.file import ORGANIZATION_REPOSITORY, PATH, Problem, SettingsFile, check_settings_file
from storage.settings_files import SettingsFiles


@command(
    "agile config validate",
    summary="checks the settings file; in a pull request, the file as it would be after the merge",
    level=Level.READ,
    examples=("/agile config validate",),
)
async def agile_config_validate(context: Context, _: Arguments) -> Reply:
    """List the file's problems with their lines, or the settings that it changes."""
    request = context.request
    pull_request = request.thread if request.is_pull_request else None
    where = f"in #{request.thread}" if request.is_pull_request else "on the default branch"
    file = await context.github.read_file(PATH, pull_request)
    is_organization, files = is_organization_file(context), SettingsFiles(context.tenant)
    organization_file = await files.of_organization()
    notes = (
        [out_of_sight_text("organization")]
        if organization_file.is_out_of_sight and not is_organization
        else []
    )
    if file is None:
        return Reply((no_file_text(), *notes))
    names = [command.name for command in all_commands()]
    if file.content is None:
        parsed = SettingsFile(problems=(Problem(0, "the file must be text in UTF-8"),), is_unreadable=True)
    else:
        parsed = await asyncio.to_thread(
            check_settings_file, file.content, names, is_organization=is_organization
        )
    stored = organization_file if is_organization else await files.of_project(context.project.id)
    if parsed.problems:
        verdict = invalid_file_text(parsed, stored, where, is_proposed=request.is_pull_request)
    else:
        verdict = valid_file_text(parsed.settings, stored, where, is_proposed=request.is_pull_request)
    return Reply((verdict, *notes))


def is_organization_file(planning: Planning) -> bool:
    """Whether this repository's settings file applies to the whole organization."""
    return (planning.project.full_name or "").rpartition("/")[2] == ORGANIZATION_REPOSITORY
