"""Pages of `/help` as they are for a role, and the lines that they suggest."""

import re

from commands.agile.help import all_commands
from commands.framework.permissions import Level, Policy
from commands.messages.help import HelpEntry
from sprints.settings_parser import parse_settings


def make_entries(level: Level, login: str = "carol", **settings: object) -> list[HelpEntry]:
    """The entries of all commands for a person with a role."""
    policy = Policy(parse_settings(settings))
    result = []
    for command in all_commands():
        need = policy.find_requirement(command.name, command.level)
        result.append(HelpEntry(command, policy.spell(command.name), need, need.admits(login, level)))
    return result


def suggested_in(page: str) -> list[str]:
    """The lines to copy at the top of the page."""
    return re.findall(r"^- `+ ?(/[^`]+?) ?`+: ", page.partition("<details>")[0], re.MULTILINE)
