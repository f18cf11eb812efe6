"""Settings as YAML text: format a value, and change one setting of a file while keeping the rest."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from commands.settings.yaml_document import Json, UnreadableError, read_document


class _Dumper(yaml.SafeDumper):
    """A YAML dumper that quotes only texts that YAML 1.2 or older parsers would take for another type."""


# Dates are plain texts in YAML 1.2, and people write them without quotation marks.
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith((":timestamp", ":value", ":merge"))]
    for first, forms in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def format_yaml(value: object, most: int | None = None) -> str:
    """Format a value as YAML in one line, cut to `most` characters."""
    text = str(
        yaml.dump(
            value, Dumper=_Dumper, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
        )
    )
    text = text.removesuffix("...\n").strip()
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def write_setting(text: str, key: str, value: object) -> str | None:
    """Set one setting in a file's text, or remove it if `value` is None.

    All else is kept: the line ends, the comments, and those of the setting itself unless it is removed.
    Returns None if the text cannot be changed safely.
    """
    current, _ = _parse_with_problem(text, key)
    expected = {name: unchanged for name, unchanged in current.items() if name != key}
    if value is not None:
        expected = {**current, key: value}
    for change in (_edit_parts, _replace_whole):
        new = change(text, key, value)
        if new is not None and _parse_with_problem(new, key) == (expected, False):
            return new
    return None


def parse_settings_text(text: str) -> Json:
    """The settings of a text as written, valid or not; empty if the text cannot be parsed."""
    return _parse_with_problem(text, "")[0]


def _parse_with_problem(text: str, key: str) -> tuple[Json, bool]:
    """The settings of a text, and whether the text of `key` has a problem."""
    try:
        document = read_document(text)
    except UnreadableError:
        return {}, True
    is_wrong = any(problem.key == key for problem in document.problems)
    return (document.value if isinstance(document.value, dict) else {}), is_wrong


def change_setting(settings: Mapping[str, Any], path: tuple[str, ...], value: object) -> Any:
    """The value of a path's first key after setting the value at the path.

    None removes the value, and mappings that are empty without it.
    """
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


def _format_block(key: str, value: object) -> str:
    """Format a setting as lines of a file: a single line if it is simple."""
    if not isinstance(value, dict) or not any(isinstance(inner, dict | list) for inner in value.values()):
        return f"{key}: {format_yaml(value)}\n"
    inner = "".join(f"  {format_yaml(name)}: {format_yaml(nested)}\n" for name, nested in value.items())
    return f"{key}:\n{inner}"


def _find_newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _find_line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _find_line_end(text: str, index: int) -> int:
    """The position after the line break of the line at `index`."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


def _find_entry(text: str, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    """The nodes of a setting's key and value; None if it is missing or the file is not in block style."""
    root = yaml.compose(text, Loader=yaml.CBaseLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    return next((entry for entry in root.value if entry[0].value == key), None)


# Changed in place


class _CannotEditError(Exception):
    """The value's text can only be replaced as a whole."""


# The start and the end of a span of the text, and its replacement.
_Edit = tuple[int, int, str]


def _edit_parts(text: str, key: str, value: object) -> str | None:
    """Rewrite only those parts of a setting's value that differ; None if that is not possible."""
    entry, before = _find_entry(text, key), _parse_with_problem(text, key)[0].get(key)
    if entry is None or value is None or before is None:
        return None
    try:
        edits = sorted(_list_edits_of_node(text, entry[1], before, value), reverse=True)
    except _CannotEditError:
        return None
    new = text
    for start, end, instead in edits:
        new = f"{new[:start]}{instead}{new[end:]}"
    return _restore_comments(text, new, key)


def _list_edits_of_node(text: str, node: yaml.Node, old: Any, new: Any) -> Iterator[_Edit]:
    if old == new and type(old) is type(new):
        return
    if isinstance(node, yaml.MappingNode) and isinstance(old, dict) and isinstance(new, dict) and old and new:
        yield from _list_mapping_edits(text, node, old, new)
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style and isinstance(new, list) and new:
        yield from _list_sequence_edits(text, node, old, new)
    elif isinstance(node, yaml.CollectionNode) and not node.flow_style:
        raise _CannotEditError
    else:
        yield node.start_mark.index, node.end_mark.index, format_yaml(new)


def _list_mapping_edits(text: str, node: yaml.MappingNode, old: Json, new: Json) -> Iterator[_Edit]:
    added = {name: value for name, value in new.items() if name not in old}
    if node.flow_style and not old.keys() <= new.keys():
        yield node.start_mark.index, node.end_mark.index, format_yaml(new)
        return
    if not old.keys() & new.keys():
        raise _CannotEditError
    for key_node, value_node in node.value:
        name = str(key_node.value)
        if name in new:
            yield from _list_edits_of_node(text, value_node, old[name], new[name])
        else:
            yield (
                _find_line_start(text, key_node.start_mark.index),
                _find_line_end(text, _find_end(value_node)),
                "",
            )
    last_key, last_value = node.value[-1]
    if node.flow_style:
        entries = "".join(f", {format_yaml(name)}: {format_yaml(value)}" for name, value in added.items())
        place = last_value.end_mark.index
    else:
        indent, nl = " " * last_key.start_mark.column, _find_newline(text)
        entries = "".join(
            f"{indent}{format_yaml(name)}: {format_yaml(value)}{nl}" for name, value in added.items()
        )
        place = _find_line_end(text, _find_end(last_value))
        if entries and not text[:place].endswith("\n"):
            entries = f"{nl}{entries}"
    if added:
        yield place, place, entries


def _list_sequence_edits(
    text: str, node: yaml.SequenceNode, old: list[Any], new: list[Any]
) -> Iterator[_Edit]:
    """Keep the lines of items that stay, and append new items."""
    matched = 0
    for item, value in zip(node.value, old, strict=True):
        if matched < len(new) and value == new[matched]:
            matched += 1
        else:
            yield _find_line_start(text, item.start_mark.index), _find_line_end(text, _find_end(item)), ""
    last, nl = node.value[-1], _find_newline(text)
    indent = " " * node.start_mark.column
    place = _find_line_end(text, _find_end(last))
    entries = "".join(f"{indent}- {format_yaml(value)}{nl}" for value in new[matched:])
    if entries and not text[:place].endswith("\n"):
        entries = f"{nl}{entries}"
    if entries:
        yield place, place, entries


def _find_end(node: yaml.Node) -> int:
    """The position at which a value ends. The parser's own end of a block includes the comments after it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    end: int = node.end_mark.index
    return end


# Replaced as a whole


def _replace_whole(text: str, key: str, value: object) -> str | None:
    """Replace all lines of a setting; a new setting is appended."""
    nl = _find_newline(text)
    block = _format_block(key, value).replace("\n", nl) if value is not None else ""
    root = yaml.compose(text, Loader=yaml.CBaseLoader)
    if root is None:
        return f"{text.rstrip()}{nl}{nl}{block}".lstrip()
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    entry = _find_entry(text, key)
    if entry is None:
        gap = "" if text.endswith("\n") else nl
        return f"{text}{gap}{block}"
    start, end = _find_line_start(text, entry[0].start_mark.index), _find_line_end(text, _find_end(entry[1]))
    new = f"{text[:start]}{block}{text[end:]}"
    # The comments of a removed setting are removed with it.
    return _restore_comments(text, new, key) if value is not None else new


def _restore_comments(text: str, new: str, key: str) -> str:
    """Put the comments of a setting that the new text lost above the setting."""
    missing = _list_comments(text, key)
    for comment in _list_comments(new, key):
        if comment in missing:
            missing.remove(comment)
    entry = _find_entry(new, key)
    if not missing or entry is None:
        return new
    start, nl = _find_line_start(new, entry[0].start_mark.index), _find_newline(text)
    return f"{new[:start]}{''.join(f'{comment}{nl}' for comment in missing)}{new[start:]}"


# Quoted texts, which contain no comments, and comments. A quotation mark opens a text only where a value may
# begin, and never after a backslash; otherwise each mark of an unclosed text would be tried as an opening.
_COMMENT = re.compile(
    r"""(?<![^\s\[{,:])"(?:\\.|[^"\\])*"|(?<![^\s\[{,:])'(?:''|[^'])*'|(?:(?<=\s)|^)(#[^\r\n]*)""",
    re.MULTILINE,
)


def _list_comments(text: str, key: str) -> list[str]:
    """The comments on the lines of a setting."""
    entry = _find_entry(text, key)
    if entry is None:
        return []
    lines = text[
        _find_line_start(text, entry[0].start_mark.index) : _find_line_end(text, _find_end(entry[1]))
    ]
    return [match[1].rstrip() for match in _COMMENT.finditer(lines) if match[1]]
