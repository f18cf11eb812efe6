"""The documentation page of all settings, generated from their schema."""

from collections.abc import Iterator
from typing import Any

from commands.settings.file import PATH, load_schema
from commands.settings.text import format_yaml

_INTRODUCTION = f"""\
A team sets its own rules in `{PATH}`, on the default branch of its repository. The same file in the \
organization's repository `.github` applies to all of its repositories. If both files contain a setting, \
the repository's value replaces the organization's value entirely. Without any file everything works, \
with the defaults below.

```yaml
# {PATH}
timezone: Europe/Berlin
holidays: [2026-12-25, 2027-01-01]
sizes: {{S: 1, M: 3, L: 8}}
commands:
  sprint close: {{role: write}}
```

Push a change of the file, and it applies within seconds. If the file has problems, a check named “Agile \
settings” fails on that commit and lists each problem with its line. A problem affects only its own \
setting: that setting keeps its last valid value, and all others apply. If the last valid value \
contradicts the other settings, for example because one label would mean both started and done, it is \
dropped, and the check says so. A file that cannot be read at all changes nothing. The last settings \
also stay if the App can no longer see the file, because its repository was deleted or the App lost \
access to it.

`/agile config` lists the effective settings and their sources. `/agile config validate` checks the file \
again; in a pull request, it checks the file as it would be after the merge. `/agile config set` changes \
a setting: with a pull request if there is a file, otherwise immediately.

Later sources override earlier ones: the organization's file, the repository's file, commands. An \
operator can preset settings for both levels ([operating](operating.md#settings-of-a-tenant)); the files \
override those.

Editors can complete and check the file with the JSON Schema [agile.schema.json](agile.schema.json). In \
VS Code with the YAML extension, for example, begin the file with `# yaml-language-server: $schema=` and \
the path or address of your copy.

The file is YAML 1.2 of at most 32 KB. `yes`, `on`, and `off` are texts there, not `true` or `false`. A \
`#` after a space begins a comment, so write `"#42"`. References, tags, and a second document are \
rejected.

**Anyone who may push to the default branch may change the roles that commands need**, so protect the \
file as you protect your workflows, for example with CODEOWNERS. Roles that were granted with `/agile \
roles` are never in a file."""
_ENDING = """## Not in the file

| What | How |
|:--|:--|
| Roles of people for commands | `/agile roles grant @login role` |
| Threads without automatic posts | `/agile quiet on` |
| A pause of the bot everywhere | `/agile pause` |"""


def render_settings_page() -> str:
    """Render the Markdown of `docs/settings.md`."""
    properties = load_schema()["properties"]
    rows = "\n".join(
        f"| [`{key}`](#{key}) | {schema['title']} | {_describe_type(schema)} "
        f"| {_describe_default_briefly(schema)} |"
        for key, schema in properties.items()
    )
    overview = f"| Setting | What | Type | Default |\n|:--|:--|:--|:--|\n{rows}"
    sections = ["\n\n".join(_render_section(key, schema)) for key, schema in properties.items()]
    head = "# Settings\n\n_Generated from `docs/agile.schema.json` by `make docs`._"
    return "\n\n".join([head, _INTRODUCTION, overview, *sections, _ENDING]) + "\n"


def _render_section(key: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"## `{key}`"
    yield f"**{schema['title']}.** {schema['description']}"
    yield f"Type: {_describe_type(schema)}. Default: {_describe_default(schema)}."
    if rows := list(_list_nested_rows(schema)):
        yield "\n".join(["| Inside | Type | What |", "|:--|:--|:--|", *rows])
    examples = "\n# or\n".join(f"{key}: {format_yaml(example)}" for example in schema["examples"])
    yield f"```yaml\n{examples}\n```"


def _list_nested_rows(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The table rows of the settings nested in a setting."""
    for nested, part in _iterate_nested(schema):
        name = f"{path}{nested}"
        if part.get("description"):
            yield f"| `{name}` | {_describe_type(part)} | {part['description']} |"
        yield from _list_nested_rows(part, f"{name}.")


def _iterate_nested(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for form in (schema, *(_resolve_reference(form) for form in schema.get("anyOf", ()))):
        for name, part in form.get("properties", {}).items():
            yield name, _resolve_reference(part)
        if isinstance(form.get("items"), dict) and "properties" in (
            items := _resolve_reference(form["items"])
        ):
            yield from ((name, _resolve_reference(part)) for name, part in items["properties"].items())
        if isinstance(form.get("additionalProperties"), dict):
            part = _resolve_reference(form["additionalProperties"])
            if "properties" in part:
                yield from (
                    (f"….{name}", _resolve_reference(value)) for name, value in part["properties"].items()
                )


def _resolve_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Resolve a schema's `$ref`; its own keywords override those of the definition."""
    if "$ref" not in schema:
        return schema
    return {**load_schema()["$defs"][schema["$ref"].rpartition("/")[2]], **schema}


_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}


def _describe_type(schema: dict[str, Any]) -> str:
    schema = _resolve_reference(schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_describe_type(form) for form in schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        item = _resolve_reference(schema["items"])
        if "enum" in item:
            return "list of " + ", ".join(f"`{value}`" for value in item["enum"])
        if item.get("format") == "day":
            return "list of dates"
        return "list of mappings" if item["type"] == "object" else "list of texts"
    if schema.get("format") == "day":
        return "date"
    return _NAMES.get(schema["type"], "mapping")


def _describe_default(schema: dict[str, Any]) -> str:
    if schema["default"] is None:
        return "depends on whether the repository is public"
    return f"`{format_yaml(schema['default'])}`" if schema["default"] not in ([], {}) else "none"


def _describe_default_briefly(schema: dict[str, Any]) -> str:
    shown = _describe_default(schema)
    return shown if len(shown) <= 40 else "[below](#" + _find_anchor(schema) + ")"


def _find_anchor(schema: dict[str, Any]) -> str:
    return next(str(key) for key, setting in load_schema()["properties"].items() if setting is schema)
