"""Collects the texts that the bot can say from its code, so that its voice can be reviewed as a whole.

A text is a string of two words or more, in a module that writes for people. What is only known when the bot
runs stands in braces: `f"{counted(days, 'day')} left"` becomes `{days} days left`, and a choice between two
words becomes `[is|are]`.

No texts are: keys of mappings and what is compared, because people never read them; names of commands, which
stand in docs/commands.md; and strings that would only join placeholders.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Modules whose strings are for people, as patterns of paths; in all others only errors for people are.
_WRITTEN_FOR_PEOPLE = (
    "commands/*.py",
    "commands/*/*.py",
    "charts/*alt_text.py",
    "reports/*.py",
    "sprints/plain.py",
    "sprints/forecast.py",
    "sprints/forecast_wording.py",
    "bot/publishing/change_applier.py",
    "bot/jobs/command_answers.py",
    "bot/checks/*.py",
    "marketplace/entitlements.py",
    "marketplace/notices.py",
)
# Modules of those above whose strings are keys, or words that people type.
_NOT_FOR_PEOPLE = (
    "commands/framework/dates.py",
    "commands/framework/slots.py",
    "commands/settings/page.py",
    "commands/settings/text.py",
)
_ROOMS = ("commands", "reports", "sprints", "bot", "charts", "marketplace")
_ERRORS_FOR_PEOPLE = frozenset({"UserError", "Refusal"})
# Calls whose strings are no texts for people, or stand in docs/commands.md.
_INTERNAL_CALLS = re.compile(
    r"(re\.\w+|\w*Error|.*\b_?log\.\w+|getattr|frozenset|isolated|text|command|Command|Argument)"
)
# Calls that only format their first argument, which alone names the placeholder.
_FORMATTERS = frozenset(
    {"plain", "code", "number", "whole", "quantity", "str", "percent", "full_day", "weekday", "format_moment"}
)
_BLANK_LINE = "\n\n"
_INTRODUCTION = (
    "Each text that the bot can say, so that its voice can be read as a whole. What is only known when it "
    "runs stands in braces, and a choice of words in square brackets."
)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_COMMAND_DECLARATION = "command"
_TWO_WORDS = re.compile(r"[A-Za-z’'*`)}]+[,:;.–·]? +[*`({\[]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class FunctionTexts:
    """The texts of one function or constant of a module, in the order of the source."""

    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleTexts:
    """A module's texts; `path` is relative to the project, `summary` is the first line of the docstring."""

    path: str
    summary: str
    functions: tuple[FunctionTexts, ...]


def render_replies_page(root: Path = ROOT) -> str:
    """Render docs/replies.md: each text under its module and function."""
    parts = ["# Replies", "_Generated from the code by `make docs`._", _INTRODUCTION]
    for module in collect_module_texts(root):
        parts.append(f"## {module.path}\n\n{module.summary}")
        parts += [
            f"`{function.name}`\n\n````text\n{_BLANK_LINE.join(function.texts)}\n````"
            for function in module.functions
        ]
    return "\n\n".join(parts) + "\n"


def collect_module_texts(root: Path = ROOT) -> Iterator[ModuleTexts]:
    """Yield the modules with texts for people, sorted by path."""
    modules = {
        path.relative_to(root): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(path for room in _ROOMS for path in (root / room).rglob("*.py"))
    }
    commands = frozenset(name for module in modules.values() for name in _list_commands(module))
    for relative, module in modules.items():
        has_all = _matches(relative, _WRITTEN_FOR_PEOPLE) and not _matches(relative, _NOT_FOR_PEOPLE)
        functions = tuple(_collect_functions(module, commands, has_all=has_all))
        if functions:
            summary = (ast.get_docstring(module) or "").partition("\n\n")[0].replace("\n", " ")
            yield ModuleTexts(relative.as_posix(), summary, functions)


def _matches(path: Path, patterns: Iterable[str]) -> bool:
    return any(path.match(pattern) for pattern in patterns)


def _list_commands(module: ast.Module) -> Iterator[str]:
    """Yield the names that the commands of a module are declared with."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(command)), *_]):
                if name == _COMMAND_DECLARATION:
                    yield command


def _collect_functions(
    module: ast.Module, commands: frozenset[str], *, has_all: bool
) -> Iterator[FunctionTexts]:
    """Yield the texts of each statement at the top of a module and of each method of its classes."""
    for statement in module.body:
        methods = statement.body if isinstance(statement, ast.ClassDef) else [statement]
        for part in methods:
            finder = _TextFinder(commands, is_for_people=has_all)
            finder.visit(part)
            if finder.texts:
                yield FunctionTexts(_name_statement(part), tuple(finder.texts))


def _name_statement(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return "…"


class _TextFinder(ast.NodeVisitor):
    """Finds the texts below a node, in order of the source."""

    def __init__(self, commands: frozenset[str], *, is_for_people: bool) -> None:
        self._commands = commands
        self._is_for_people = is_for_people
        self.texts: dict[str, None] = {}

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and _TWO_WORDS.search(node.value):
            self._add(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        if self._is_for_people and _is_text(node):
            self._add(_render_text(node))
        else:
            self.generic_visit(node)

    def _add(self, text: str) -> None:
        is_joint = not re.search("[A-Za-z]", _PLACEHOLDER.sub("", text))
        if self._is_for_people and not is_joint and text.strip().lstrip("/") not in self._commands:
            self.texts[text.strip()] = None

    def visit_Dict(self, node: ast.Dict) -> None:
        for value in node.values:
            self.visit(value)

    def visit_Compare(self, node: ast.Compare) -> None:
        pass

    def visit_MatchValue(self, node: ast.MatchValue) -> None:
        pass

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        if name in _ERRORS_FOR_PEOPLE and not self._is_for_people:
            finder = _TextFinder(self._commands, is_for_people=True)
            finder.generic_visit(node)
            self.texts |= finder.texts
        elif name in _ERRORS_FOR_PEOPLE or not _INTERNAL_CALLS.fullmatch(name):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Visit the body only: what the decorators of commands declare stands in docs/commands.md."""
        for statement in node.body:
            self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast looks for

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        pass


def _is_text(node: ast.JoinedStr) -> bool:
    """Return whether a string with placeholders has two words, as opposed to a key or an address."""
    parts = (str(part.value) if isinstance(part, ast.Constant) else "{x}" for part in node.values)
    return _TWO_WORDS.search("".join(parts)) is not None


def _render_text(node: ast.expr) -> str:
    """Render a text with its placeholders."""
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=values):
            return "".join(_render_text(value) for value in values)
        case ast.FormattedValue(value=value):
            return _render_placeholder(value)
        case _:
            return _render_placeholder(node)


def _render_placeholder(node: ast.expr) -> str:
    """Render an expression within a text: a choice as `[a|b]`, else its name in braces."""
    match node:
        case ast.IfExp(body=body, orelse=other):
            return f"[{_render_text(body)}|{_render_text(other)}]"
        case ast.Constant() | ast.JoinedStr():
            return _render_text(node)
        case ast.Call(func=ast.Name(id="counted"), args=[count, ast.Constant(value=str(noun)), *_]):
            return f"{{{_name_value(count)}}} {noun}s"
        case ast.Call(func=ast.Name(id="ref"), args=[item, *_]):
            return f"#{{{_name_value(item)}}}"
        case _:
            return f"{{{_name_value(node)}}}"


def _name_value(node: ast.expr) -> str:
    """Name what an expression holds: its attribute, its variable, or the function that makes it."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").replace("_", " ")
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _FORMATTERS:
            return _name_value(first)
        case ast.Call(func=ast.Name(id="len"), args=[first]):
            return f"number of {_name_value(first)}"
        case ast.Call(func=ast.Attribute(attr="join"), args=[first, *_]):
            return _name_value(first)
        case ast.Call(func=ast.Attribute(value=owner, attr="get" | "isoformat" | "lower" | "format")):
            return _name_value(owner)
        case ast.Call(func=function):
            return _name_value(function).removesuffix(" text").removesuffix(" sentence")
        case ast.Subscript(value=value) | ast.Starred(value=value) | ast.UnaryOp(operand=value):
            return _name_value(value)
        case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
            return _name_value(element)
        case ast.BoolOp(values=[first, *_]) | ast.BinOp(left=first):
            return _name_value(first)
        case _:
            return "…"
