"""Settings as text: values as a file would have them, and a file with one setting changed."""

import copy
from collections.abc import Mapping
from typing import Any

import yaml

from commands.settings_file import Json, parsed


class _Dumper(yaml.SafeDumper):
    """Quotes only what is no text in YAML 1.2, and what older readers would take for something else."""


# Dates are texts in YAML 1.2, and everybody writes them without quotation marks.
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith((":timestamp", ":value", ":merge"))]
    for first, forms in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def as_yaml(value: object, most: int | None = None) -> str:
    """A value in one line; cut behind `most` characters."""
    text = str(
        yaml.dump(
            value, Dumper=_Dumper, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
        )
    )
    text = text.removesuffix("...\n").strip()
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def with_setting(text: str, key: str, value: object) -> str | None:
    """A file's text with one setting as given, or without it for None. All else stays, comments too.

    None if the text is such that it cannot be done safely.
    """
    before = parsed(text)
    wanted = {name: old for name, old in before.items() if name != key}
    if value is not None:
        wanted = {**before, key: value}
    new = _replaced(text, key, _block(key, value) if value is not None else "")
    return new if new is not None and parsed(new) == wanted else None


def changed(settings: Mapping[str, Any], path: tuple[str, ...], value: object) -> Any:
    """The first of a path's settings with the value deep within it; None takes it away, and what is empty
    without it."""
    top: Json = {path[0]: copy.deepcopy(settings[path[0]])} if path[0] in settings else {}
    around, inner = [top], top
    for name in path[:-1]:
        if not isinstance(inner.get(name), dict):
            inner[name] = {}
        inner = inner[name]
        around.append(inner)
    if value is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = value
    for name, mapping in reversed(list(zip(path, around, strict=False))):
        if mapping.get(name) == {}:
            del mapping[name]
    return top.get(path[0])


def _block(key: str, value: object) -> str:
    """A setting as lines of a file: in one if it is simple."""
    if not isinstance(value, dict) or not any(isinstance(one, dict | list) for one in value.values()):
        return f"{key}: {as_yaml(value)}\n"
    inner = "".join(f"  {as_yaml(name)}: {as_yaml(one)}\n" for name, one in value.items())
    return f"{key}:\n{inner}"


def _replaced(text: str, key: str, block: str) -> str | None:
    """With the lines of a setting replaced; one that is new comes last."""
    root = yaml.compose(text, Loader=yaml.CBaseLoader)
    lines = text.splitlines(keepends=True)
    if root is None:
        return f"{text.rstrip()}\n\n{block}".lstrip()
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    for key_node, value_node in root.value:
        if key_node.value == key:
            first, last = key_node.start_mark.line, _last_line(value_node)
            return "".join([*lines[:first], block, *lines[last + 1 :]])
    gap = "" if text.endswith("\n") else "\n"
    return f"{text}{gap}{block}"


def _last_line(node: yaml.Node) -> int:
    """Where a value ends. A block's own end lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    line: int = node.end_mark.line
    return line
