"""Settings as text: values as a file would have them, and a file with one setting changed."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from commands.settings.yaml_document import Json, UnreadableError, read_document


class _Dumper(yaml.SafeDumper):
    """Quotes only what is no text in YAML 1.2, and what older readers would take for something else."""


# Dates are texts in YAML 1.2, and everybody writes them without quotation marks.
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith((":timestamp", ":value", ":merge"))]
    for first, forms in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def format_yaml(value: object, most: int | None = None) -> str:
    """A value in one line; cut behind `most` characters."""
    text = str(
        yaml.dump(
            value, Dumper=_Dumper, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
        )
    )
    text = text.removesuffix("...\n").strip()
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def write_setting(text: str, key: str, value: object) -> str | None:
    """A file's text with one setting as given, or without it for None.

    All else stays: comments, also those of the setting itself while it is there, and the kind of line ends.

    None if the text is such that it cannot be done safely.
    """
    before, _ = _values(text, key)
    wanted = {name: old for name, old in before.items() if name != key}
    if value is not None:
        wanted = {**before, key: value}
    for change in (_edited, _replaced):
        new = change(text, key, value)
        if new is not None and _values(new, key) == (wanted, False):
            return new
    return None


def parse_settings_text(text: str) -> Json:
    """The settings of a text as they are written, right or wrong; empty where it cannot be read."""
    return _values(text, "")[0]


def _values(text: str, key: str) -> tuple[Json, bool]:
    """The settings of a text, and whether something is wrong with the text of `key`."""
    try:
        document = read_document(text)
    except UnreadableError:
        return {}, True
    is_wrong = any(problem.key == key for problem in document.problems)
    return (document.value if isinstance(document.value, dict) else {}), is_wrong


def change_setting(settings: Mapping[str, Any], path: tuple[str, ...], value: object) -> Any:
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
    if not isinstance(value, dict) or not any(isinstance(inner, dict | list) for inner in value.values()):
        return f"{key}: {format_yaml(value)}\n"
    inner = "".join(f"  {format_yaml(name)}: {format_yaml(one)}\n" for name, one in value.items())
    return f"{key}:\n{inner}"


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    """Behind the line break of the line that holds a place."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _entry(text: str, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The nodes of a setting's name and value; None if the file is not written in lines, or lacks it."""
    root = yaml.compose(text, Loader=yaml.CBaseLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    return next((entry for entry in root.value if entry[0].value == key), None)


# Changed in place


class _CannotEditError(Exception):
    """A value is written so that it can only be replaced as a whole."""


# A place in the text from its beginning to its end, and what stands there instead.
_Edit = tuple[int, int, str]


def _edited(text: str, key: str, value: object) -> str | None:
    """With only those parts of a value rewritten that differ."""
    entry, before = _entry(text, key), _values(text, key)[0].get(key)
    if entry is None or value is None or before is None:
        return None
    try:
        edits = sorted(_edits(text, entry[1], before, value), reverse=True)
    except _CannotEditError:
        return None
    new = text
    for start, end, instead in edits:
        new = f"{new[:start]}{instead}{new[end:]}"
    return _with_comments(text, new, key)


def _edits(text: str, node: yaml.Node, old: Any, new: Any) -> Iterator[_Edit]:
    if old == new and type(old) is type(new):
        return
    if isinstance(node, yaml.MappingNode) and isinstance(old, dict) and isinstance(new, dict) and old and new:
        yield from _mapping_edits(text, node, old, new)
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style and isinstance(new, list) and new:
        yield from _list_edits(text, node, old, new)
    elif isinstance(node, yaml.CollectionNode) and not node.flow_style:
        raise _CannotEditError
    else:
        yield node.start_mark.index, node.end_mark.index, format_yaml(new)


def _mapping_edits(text: str, node: yaml.MappingNode, old: Json, new: Json) -> Iterator[_Edit]:
    added = {name: value for name, value in new.items() if name not in old}
    if node.flow_style and not old.keys() <= new.keys():
        yield node.start_mark.index, node.end_mark.index, format_yaml(new)
        return
    if not old.keys() & new.keys():
        raise _CannotEditError
    for key_node, value_node in node.value:
        name = str(key_node.value)
        if name in new:
            yield from _edits(text, value_node, old[name], new[name])
        else:
            yield _line_start(text, key_node.start_mark.index), _line_end(text, _end(value_node)), ""
    last_key, last_value = node.value[-1]
    if node.flow_style:
        entries = "".join(f", {format_yaml(name)}: {format_yaml(value)}" for name, value in added.items())
        place = last_value.end_mark.index
    else:
        indent, nl = " " * last_key.start_mark.column, _newline(text)
        entries = "".join(
            f"{indent}{format_yaml(name)}: {format_yaml(value)}{nl}" for name, value in added.items()
        )
        place = _line_end(text, _end(last_value))
        if entries and not text[:place].endswith("\n"):
            entries = f"{nl}{entries}"
    if added:
        yield place, place, entries


def _list_edits(text: str, node: yaml.SequenceNode, old: list[Any], new: list[Any]) -> Iterator[_Edit]:
    """Items that stay keep their lines; new ones come behind them."""
    kept = 0
    for item, value in zip(node.value, old, strict=True):
        if kept < len(new) and value == new[kept]:
            kept += 1
        else:
            yield _line_start(text, item.start_mark.index), _line_end(text, _end(item)), ""
    last, nl = node.value[-1], _newline(text)
    indent = " " * node.start_mark.column
    place = _line_end(text, _end(last))
    entries = "".join(f"{indent}- {format_yaml(value)}{nl}" for value in new[kept:])
    if entries and not text[:place].endswith("\n"):
        entries = f"{nl}{entries}"
    if entries:
        yield place, place, entries


def _end(node: yaml.Node) -> int:
    """Where a value ends. A block's own end lies behind the comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    end: int = node.end_mark.index
    return end


# Replaced as a whole


def _replaced(text: str, key: str, value: object) -> str | None:
    """With the lines of a setting replaced; one that is new comes last."""
    nl = _newline(text)
    block = _block(key, value).replace("\n", nl) if value is not None else ""
    root = yaml.compose(text, Loader=yaml.CBaseLoader)
    if root is None:
        return f"{text.rstrip()}{nl}{nl}{block}".lstrip()
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    entry = _entry(text, key)
    if entry is None:
        gap = "" if text.endswith("\n") else nl
        return f"{text}{gap}{block}"
    start, end = _line_start(text, entry[0].start_mark.index), _line_end(text, _end(entry[1]))
    new = f"{text[:start]}{block}{text[end:]}"
    # What was said of a setting that is gone goes with it.
    return _with_comments(text, new, key) if value is not None else new


def _with_comments(text: str, new: str, key: str) -> str:
    """The new text with those comments of a setting above it that lost their place."""
    missing = _comments(text, key)
    for comment in _comments(new, key):
        if comment in missing:
            missing.remove(comment)
    entry = _entry(new, key)
    if not missing or entry is None:
        return new
    start, nl = _line_start(new, entry[0].start_mark.index), _newline(text)
    return f"{new[:start]}{''.join(f'{comment}{nl}' for comment in missing)}{new[start:]}"


# Texts in quotation marks, in which nothing is a comment, and comments. A mark opens a text only where a
# value may begin, and never behind a backslash: else each mark of a text without an end would be tried anew.
_COMMENT = re.compile(
    r"""(?<![^\s\[{,:])"(?:\\.|[^"\\])*"|(?<![^\s\[{,:])'(?:''|[^'])*'|(?:(?<=\s)|^)(#[^\r\n]*)""",
    re.MULTILINE,
)


def _comments(text: str, key: str) -> list[str]:
    """The comments on the lines of a setting."""
    entry = _entry(text, key)
    if entry is None:
        return []
    lines = text[_line_start(text, entry[0].start_mark.index) : _line_end(text, _end(entry[1]))]
    return [match[1].rstrip() for match in _COMMENT.finditer(lines) if match[1]]
