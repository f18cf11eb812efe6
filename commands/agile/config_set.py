"""`/agile config set`: change a setting, directly or by a pull request if there is a settings file."""

import asyncio
import hashlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from commands.agile.config_validate import is_organization_file
from commands.agile.help import all_commands
from commands.formatting.wording import code
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting, ProposeFile
from commands.framework.context import Context
from commands.framework.errors import NamedValueError, Reading, UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.ports import File
from commands.framework.registry import command
from commands.messages.capacity import who_counts_text
from commands.messages.config_set import (
    IS_IN_FILE_ALREADY,
    SET_BOTH_TIMES,
    UNCHANGEABLE_FILE,
    UNREADABLE_FILE,
    account_setting_text,
    admin_setting_text,
    changed_text,
    invalid_times_text,
    mapping_text,
    only_in_file_text,
    proposal_body,
    proposal_title,
    proposed_text,
    unchanged_text,
    unknown_part_text,
    unknown_setting_text,
    unset_text,
)
from commands.settings.file import (
    ACCOUNT_SETTINGS,
    PATH,
    check_settings,
    check_settings_file,
    load_schema,
    parse_scalar,
)
from commands.settings.guesses import guess_value
from commands.settings.text import change_setting, format_yaml, parse_settings_text, write_setting
from sprints.cadence import normalize_period
from sprints.capacity import list_shares
from sprints.settings_parser import parse_settings
from storage.projects import Projects

_DEFAULT = "default"
# The key whose two times only make sense together, so that one command sets both.
_QUIET_HOURS = "quiet_hours"
_YES, _NO = {"yes", "on", "true"}, {"no", "off", "false"}
# The settings that say who counts in a sprint's capacity.
_PEOPLE = {"people", "teams"}
# Settings with which people could grant themselves what only admins may do.
_FOR_ADMINS = {"commands", "bots", "strangers", "public"}


class _InvalidValueError(UserError):
    """A value that the setting does not take."""


@command(
    "agile config set",
    summary="changes a setting: with a pull request if there is a settings file, otherwise immediately",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "key",
            ArgumentKind.WORD,
            "the setting's name, with dots for its parts: `sizes.M`",
            is_positional=True,
            is_required=True,
        ),
        Argument(
            "value",
            ArgumentKind.TEXTS,
            "the value, several values with commas, two times as `18:00-08:00`, or `default`",
            is_positional=True,
            is_required=True,
        ),
    ),
    examples=(
        "/agile config set timezone Europe/Berlin",
        "/agile config set working_days mon,tue,wed,thu",
        "/agile config set sizes.M 3",
        "/agile config set quiet_hours 18:00-08:00",
        "/agile config set timezone default",
    ),
    is_changing=True,
)
async def agile_config_set(context: Context, arguments: Arguments) -> Changes:
    """Change a setting directly or propose it; settings set by a command are always changed directly."""
    path, values = _parse_path(arguments.text("key") or ""), arguments.texts("value")
    try:
        return await _change_setting(context, path, values)
    except _InvalidValueError as problem:
        guessed = _guess_values(path, values)
        raise NamedValueError(str(problem), "value", (Reading(guessed),) if guessed else ()) from None


async def _change_setting(context: Context, path: tuple[str, ...], values: tuple[str, ...]) -> Changes:
    value = None if values == (_DEFAULT,) else read_value(path, values)
    command_settings = await Projects(context.tenant).command_settings(context.project.id)
    file = await context.github.read_file(PATH)
    if path[0] in ACCOUNT_SETTINGS and not is_organization_file(context):
        raise UserError(account_setting_text(path[0]))
    if is_organization_file(context) or (file is not None and path[0] not in command_settings):
        return await _propose_file(context, file, path, value)
    if path[0] in _FOR_ADMINS and context.level < Level.ADMIN:
        raise UserError(admin_setting_text(path[0]))
    return _change_at_once(context, command_settings, path, value)


def _change_at_once(
    planning: Planning, command_settings: Mapping[str, Any], path: tuple[str, ...], value: object
) -> Changes:
    key, name, current = path[0], ".".join(path), planning.project.stored_settings.get(path[0])
    if value is None and len(path) == 1:
        after = None
        done = unset_text(key)
    else:
        after = change_setting(planning.project.stored_settings, path, value)
        _require_valid(key, after)
        done = changed_text((key, current, after))
    if command_settings.get(key) == after:
        return Changes(f"set {key}", (), unchanged_text(key), topic=name)
    if key in _PEOPLE:
        stored = {name: setting for name, setting in planning.project.stored_settings.items() if name != key}
        done += f"\n\n{_describe_people(stored if after is None else stored | {key: after})}"
    step = ChangeSetting(key, command_settings.get(key), after)
    return Changes(f"set {code(name)}", (step,), done, topic=name)


async def _propose_file(context: Context, file: File | None, path: tuple[str, ...], value: object) -> Changes:
    """Propose the settings file with a changed setting in a pull request."""
    key, name = path[0], ".".join(path)
    content = file.content if file else b""
    names = [command.name for command in all_commands()]
    parsed = await asyncio.to_thread(
        check_settings_file, content or b"", names, is_organization=is_organization_file(context)
    )
    if content is None or parsed.is_unreadable:
        raise UserError(UNREADABLE_FILE)
    text = content.decode("utf-8-sig")
    # The settings as written, valid or not: the change may be the fix of an invalid one.
    settings = parse_settings_text(text)
    before, after = settings.get(key), change_setting(settings, path, value)
    if after is not None:
        _require_valid(key, after)
    if before == after:
        return Changes(f"set {key}", (), IS_IN_FILE_ALREADY, topic=name)
    new_text = write_setting(text, key, after)
    if new_text is None:
        raise UserError(UNCHANGEABLE_FILE)
    shown = f"{name} = {_DEFAULT if value is None else format_yaml(value, 60)}"
    step = ProposeFile(
        path=PATH,
        content=new_text,
        branch=_branch(key, new_text),
        title=proposal_title(shown),
        body=proposal_body(context.request.sender, context.request.thread, (key, before, after)),
        before=file.sha if file else None,
    )
    done = proposed_text(step.title, (key, before, after))
    if key in _PEOPLE and not is_organization_file(context):
        proposed = context.project.stored_settings | {key: after}
        done += f"\n\n{_describe_people(proposed, is_proposed=True)}"
    return Changes(f"propose {code(name)}", (step,), done, topic=name)


def _describe_people(settings: Mapping[str, Any], *, is_proposed: bool = False) -> str:
    parsed = parse_settings(settings)
    return who_counts_text(list_shares(parsed.shares, parsed.teams), is_proposed=is_proposed)


def _branch(key: str, text: str) -> str:
    """The name of the branch; the same change has the same branch, so that it is not proposed twice."""
    return f"agile-settings/{key}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _require_valid(key: str, value: object) -> None:
    """Raise _InvalidValueError for a value that would be invalid in a settings file."""
    problems = check_settings({key: value}, [command.name for command in all_commands()])
    if problems:
        text = "\n".join(problem.sentence for problem in problems)
        raise _InvalidValueError(f"{text} {SET_BOTH_TIMES}" if key == _QUIET_HOURS else text)


def _guess_values(path: tuple[str, ...], values: tuple[str, ...]) -> str | None:
    """The values of a setting that were meant by refused ones, as they are typed; None if nobody can tell."""
    setting = _find_schema(path)
    is_list = setting.get("type") == "array"
    forms = _list_forms(_resolve_reference(setting["items"]) if is_list else setting)
    texts = values if is_list else (" ".join(values),)
    guesses = [guess_value(forms, text) for text in texts]
    if None in guesses:
        return None
    text = ",".join(filter(None, guesses))
    after = change_setting({}, path, read_value(path, tuple(text.split(",")) if is_list else (text,)))
    names = [command.name for command in all_commands()]
    return None if text == ",".join(values) or check_settings({path[0]: after}, names) else text


def _parse_path(key: str) -> tuple[str, ...]:
    """Parse a setting's name with dots. Raises UserError for an unknown setting."""
    path = tuple(part.strip() for part in key.split("."))
    if path[0] not in load_schema()["properties"] or not all(path):
        known = list(load_schema()["properties"])
        close = get_close_matches(path[0].lower(), known, n=1)
        readings = (Reading(".".join((close[0], *filter(None, path[1:])))),) if close else ()
        raise NamedValueError(unknown_setting_text(key, known), "key", readings)
    return path


def read_value(path: tuple[str, ...], values: tuple[str, ...]) -> Any:
    """Parse the typed values by the setting's type. Raises UserError for a mapping or unknown part."""
    setting = _find_schema(path)
    if setting.get("type") == "array":
        if "properties" in _resolve_reference(setting["items"]):
            raise UserError(only_in_file_text(path))
        return list(values)
    if path == (_QUIET_HOURS,):
        return _parse_quiet_hours(",".join(values))
    if setting.get("type") == "object":
        example = format_yaml(setting["examples"][0], 80) if "examples" in setting else ""
        raise UserError(mapping_text(path, example))
    forms = _list_forms(setting)
    types = {form.get("type") for form in forms}
    # A text may have several words: `2 weeks`.
    text = (" " if "string" in types else ",").join(values)
    if any(text in form.get("enum", ()) for form in forms):
        return text
    if any(str(form.get("$ref")).endswith("/period") for form in forms):
        return normalize_period(text) or text
    if "boolean" in types and text.lower() in _YES | _NO:
        return text.lower() in _YES
    return parse_scalar(text) if types & {"number", "integer"} else text


def _list_forms(setting: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema of a setting, and those of its alternative forms."""
    return [_resolve_reference(form) for form in (setting, *setting.get("anyOf", ()))]


def _parse_quiet_hours(text: str) -> dict[str, str]:
    """Parse both times of `18:00-08:00`; the schema checks each. Raises UserError without a hyphen."""
    begin, hyphen, end = text.replace("–", "-").partition("-")
    if not hyphen:
        raise UserError(invalid_times_text(text))
    return {"from": begin.strip(), "until": end.strip()}


def _find_schema(path: tuple[str, ...]) -> Mapping[str, Any]:
    """The schema of a setting at a path. Raises UserError for an unknown part."""
    part_schema: Mapping[str, Any] = load_schema()
    for n, name in enumerate(path):
        part_schema = _resolve_reference(part_schema)
        forms = [part_schema, *map(_resolve_reference, part_schema.get("anyOf", ()))]
        parts = {key: part for form in forms for key, part in form.get("properties", {}).items()}
        inner = parts.get(name, part_schema.get("additionalProperties"))
        if not isinstance(inner, Mapping):
            close = get_close_matches(name.lower(), list(parts), n=1)
            readings = (Reading(".".join((*path[:n], close[0], *path[n + 1 :]))),) if close else ()
            raise NamedValueError(unknown_part_text(name, path[:n], parts), "key", readings)
        part_schema = inner
    return _resolve_reference(part_schema)


def _resolve_reference(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    return {**load_schema()["$defs"][str(schema["$ref"]).rpartition("/")[2]], **schema}
