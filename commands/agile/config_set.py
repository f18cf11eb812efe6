"""`/agile config set`: changes a setting, at once or by a pull request where there is a file."""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

from commands.agile.config_validate import is_for_all
from commands.agile.help import known
from commands.formatting.foreign_text import inert
from commands.formatting.wording import code, person, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting, ProposeFile
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.ports import File
from commands.framework.registry import command
from commands.messages.config import diff_table
from commands.settings.file import ACCOUNT_SETTINGS, PATH, check_settings, read_settings, scalar, schema
from commands.settings.text import as_yaml, changed, settings_in, with_setting
from storage.projects import Projects

_DEFAULT = "default"
# Its two times hold only together, so one command sets both.
_QUIET_HOURS = "quiet_hours"
_BOTH_TIMES = "Set both times at once, for example `/agile config set quiet_hours 18:00-08:00`."
_YES, _NO = {"yes", "on", "true"}, {"no", "off", "false"}
# Whoever settles these could give themselves what only admins may.
_FOR_ADMINS = {"commands", "bots", "strangers", "public"}


@command(
    "agile config set",
    summary="changes a setting: by a pull request where there is a settings file, else at once",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "key",
            ArgumentKind.TEXT,
            "the setting's name, with dots into what it holds: `sizes.M`",
            is_positional=True,
            is_required=True,
        ),
        Argument(
            "value",
            ArgumentKind.TEXTS,
            "the value, several with commas, or `default`; two times as `18:00-08:00`",
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
    """Where a command has set it before, a command sets it again, because that wins over the file."""
    path = _path(arguments.text("key") or "")
    values = arguments.texts("value")
    value = None if values == (_DEFAULT,) else read_value(path, values)
    said = await Projects(context.tenant).command_settings(context.project.id)
    file = await context.github.file(PATH)
    if path[0] in ACCOUNT_SETTINGS and not is_for_all(context):
        raise UserError(
            f"`{path[0]}` is settled for a whole organization: ask for it in its repository `.github`."
        )
    if is_for_all(context) or (file is not None and path[0] not in said):
        return await _proposed(context, file, path, value)
    if path[0] in _FOR_ADMINS and context.level < Level.ADMIN:
        raise UserError(
            f"`{path[0]}` settles who may do what, so that an admin must set it by command. "
            f"Anybody may propose it in `{PATH}`."
        )
    return _settled(context, said, path, value)


def _settled(planning: Planning, said: Mapping[str, Any], path: tuple[str, ...], value: object) -> Changes:
    key, now = path[0], planning.project.stored_settings.get(path[0])
    if value is None and len(path) == 1:
        after = None
        done = f"`{key}` is no longer set by command: what the settings file or the default says holds."
    else:
        after = changed(planning.project.stored_settings, path, value)
        _check(key, after)
        done = f"Settled, from now on:\n\n{diff_table([(key, now, after)], is_done=True)}"
    if said.get(key) == after:
        return Changes(f"set {key}", (), f"`{key}` is so already.")
    return Changes(f"set {code('.'.join(path))}", (ChangeSetting(key, said.get(key), after),), done)


async def _proposed(context: Context, file: File | None, path: tuple[str, ...], value: object) -> Changes:
    """The file with this setting, in a pull request."""
    key = path[0]
    content = file.content if file else b""
    names = [one.name for one in known()]
    read = await asyncio.to_thread(read_settings, content or b"", names, is_organization=is_for_all(context))
    if content is None or read.is_unreadable:
        raise UserError(f"`{PATH}` cannot be read. Run `/agile config validate` and fix it first.")
    text = content.decode("utf-8-sig")
    # As the file says it, right or wrong: what is set may be what mends it.
    settings = settings_in(text)
    before, after = settings.get(key), changed(settings, path, value)
    if after is not None:
        _check(key, after)
    if before == after:
        return Changes(f"set {key}", (), f"`{PATH}` says so already.")
    new = with_setting(text, key, after)
    if new is None:
        raise UserError(f"`{PATH}` is written so that I cannot change it safely. Please change it by hand.")
    shown = f"{'.'.join(path)} = {_DEFAULT if value is None else as_yaml(value, 60)}"
    step = ProposeFile(
        path=PATH,
        content=new,
        branch=_branch(key, new),
        title=inert(f"Settings: {shown}"),
        body=(
            f"{person(context.request.sender)} asked for it in #{context.request.thread}.\n\n"
            f"{diff_table([(key, before, after)])}\n\nIt holds as soon as this is merged."
        ),
        before=file.sha if file else None,
    )
    done = (
        f"`{PATH}` is where settings are made here, so I have proposed this in the pull request "
        f"“{plain(step.title)}”. It holds as soon as that is merged.\n\n{diff_table([(key, before, after)])}"
    )
    return Changes(f"propose {code('.'.join(path))}", (step,), done)


def _branch(key: str, text: str) -> str:
    """The same change has the same branch, so that it is not proposed twice."""
    return f"agile-settings/{key}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _check(key: str, value: object) -> None:
    """Raises UserError for what a settings file might not say."""
    problems = check_settings({key: value}, [one.name for one in known()])
    if problems:
        text = "\n".join(f"{problem.text[0].upper()}{problem.text[1:]}." for problem in problems)
        raise UserError(f"{text} {_BOTH_TIMES}" if key == _QUIET_HOURS else text)


def _path(key: str) -> tuple[str, ...]:
    """Raises UserError for a setting that there is not."""
    path = tuple(part.strip() for part in key.split("."))
    if path[0] not in schema()["properties"] or not all(path):
        known_ones = ", ".join(f"`{one}`" for one in schema()["properties"])
        raise UserError(f"There is no setting “{plain(key)}”. There are {known_ones}.")
    return path


def read_value(path: tuple[str, ...], values: tuple[str, ...]) -> Any:
    """What was typed, as the setting's type asks for. Raises UserError."""
    shown, setting = code(".".join(path)), _schema_at(path)
    if setting.get("type") == "array":
        if "properties" in _resolved(setting["items"]):
            raise UserError(f"{shown} holds more than words. Please write it into `{PATH}`.")
        return list(values)
    if path == (_QUIET_HOURS,):
        return _quiet_hours(",".join(values))
    if setting.get("type") == "object":
        example = as_yaml(setting["examples"][0], 80) if "examples" in setting else ""
        hint = f", such as `{example}`" if example else ""
        inner = code(f"{'.'.join(path)}.…")
        raise UserError(f"{shown} is a mapping{hint}. Name what to set in it: {inner}.")
    text = ",".join(values)
    forms = [_resolved(form) for form in (setting, *setting.get("anyOf", ()))]
    types = {form.get("type") for form in forms}
    if any(text in form.get("enum", ()) for form in forms):
        return text
    if "boolean" in types and text.lower() in _YES | _NO:
        return text.lower() in _YES
    return scalar(text) if types & {"number", "integer"} else text


def _quiet_hours(text: str) -> dict[str, str]:
    """Both times of `18:00-08:00`; the settings' rules judge each. Raises UserError."""
    begin, hyphen, end = text.replace("–", "-").partition("-")
    if not hyphen:
        raise UserError(f"{code(text)} is not a span of time. {_BOTH_TIMES}")
    return {"from": begin.strip(), "until": end.strip()}


def _schema_at(path: tuple[str, ...]) -> Mapping[str, Any]:
    """What the schema says of a setting. Raises UserError for a part that there is not."""
    found: Mapping[str, Any] = schema()
    for n, name in enumerate(path):
        found = _resolved(found)
        forms = [found, *map(_resolved, found.get("anyOf", ()))]
        parts = {key: part for form in forms for key, part in form.get("properties", {}).items()}
        inner = parts.get(name, found.get("additionalProperties"))
        if not isinstance(inner, Mapping):
            inside = ", ".join(f"`{one}`" for one in parts) or "nothing"
            around = code(".".join(path[:n]))
            raise UserError(f"There is no {code(name)} in {around}; it holds {inside}.")
        found = inner
    return _resolved(found)


def _resolved(told: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in told:
        return told
    return {**schema()["$defs"][str(told["$ref"]).rpartition("/")[2]], **told}
