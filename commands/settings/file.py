"""The team's settings file: its settings, and its problems with their lines.

A problem with one setting invalidates that setting alone: all others of the file are in force.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from commands.settings.contradictions import find_ambiguous_labels
from commands.settings.rules import MOST_PROBLEMS, find_problems, load_schema
from commands.settings.yaml_document import (
    Document,
    Json,
    Problem,
    UnreadableError,
    parse_scalar,
    parse_values,
    read_document,
)

__all__ = [
    "Json",
    "Problem",
    "check_settings",
    "check_settings_file",
    "load_schema",
    "parse_scalar",
    "parse_values",
]

PATH = ".github/agile.yml"
# The repository whose settings file applies to all repositories of its organization.
ORGANIZATION_REPOSITORY = ".github"
# Settings that apply to a whole account, and cannot be set for a single repository.
ACCOUNT_SETTINGS = ("sprints", "billing")
MOST_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A parsed settings file: its valid settings, and the problems of the others.

    `wrong` are the keys of invalid settings. If `is_unreadable`, the problems invalidate the whole file.
    """

    settings: Json = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    wrong: tuple[str, ...] = ()
    is_unreadable: bool = False

    def in_force_after(self, before: Mapping[str, object]) -> Json:
        """The settings in force after this file, where `before` were the settings in force.

        An invalid setting keeps its last valid value, unless that contradicts the rest of the file.
        """
        if self.is_unreadable:
            return dict(before)
        settings = dict(self.settings)
        for key in self.wrong:
            if key in before and not find_ambiguous_labels(settings | {key: before[key]}):
                settings[key] = before[key]
        return settings

    def contradicted_after(self, before: Mapping[str, object]) -> tuple[str, ...]:
        """The invalid settings that lose their value in `before`, because the file contradicts it."""
        settings = self.in_force_after(before)
        return tuple(key for key in self.wrong if key in before and key not in settings)


def check_settings_file(
    content: bytes, commands: Collection[str], *, is_organization: bool = False
) -> SettingsFile:
    """Parse and check a settings file. `commands` are the names of all commands.

    `is_organization` is whether the file applies to all repositories of an organization.
    """
    if len(content) > MOST_BYTES:
        return _unreadable(Problem(0, f"the file is larger than {MOST_BYTES // 1024} KB"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        return _unreadable(Problem(line, "the file must be text in UTF-8"))
    try:
        document = read_document(text)
    except UnreadableError as refusal:
        return _unreadable(refusal.problem)
    problems = sorted({*document.problems, *find_problems(document, commands)})
    if not is_organization and isinstance(document.value, dict):
        for key in ACCOUNT_SETTINGS:
            if key in document.value:
                text = f"`{key}` belongs in the organization's file, in its repository `.github`"
                problems.append(document.problem((key,), text))
    if any(not problem.key for problem in problems):
        return _unreadable(*_limit_problems(problems))
    wrong = tuple(dict.fromkeys(problem.key for problem in problems))
    settings = {key: value for key, value in document.value.items() if key not in wrong}
    return SettingsFile(settings, _limit_problems(problems), wrong)


def check_settings(settings: Json, commands: Collection[str]) -> tuple[Problem, ...]:
    """Check settings that do not come from a file. `commands` are the names of all commands."""
    return tuple(find_problems(Document(settings), commands))


def _unreadable(*problems: Problem) -> SettingsFile:
    return SettingsFile(problems=problems, is_unreadable=True)


def _limit_problems(problems: list[Problem]) -> tuple[Problem, ...]:
    problems = sorted(problems)
    if len(problems) > MOST_PROBLEMS:
        more = Problem(0, f"and {len(problems) - MOST_PROBLEMS} more")
        problems = [*problems[:MOST_PROBLEMS], more]
    return tuple(problems)
