"""`docs`: generates pages from the code, so that they cannot become outdated."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import commands
from bot.cli.reply_texts import render_replies_page
from bot.settings import Settings
from commands.framework.registry import Command, load_commands
from commands.settings.page import render_settings_page
from marketplace import plans

# What stands before the list of commands on their page, in this order.
_SECTIONS = ("introduction", "how_to_write", "placement")
_TEXTS = Path(__file__).parent / "commands_page"
_DOCS = Path(__file__).parents[2] / "docs"


def run(_: Settings, __: argparse.Namespace) -> int:
    """Write the generated pages."""
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(_DOCS.parent))
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each generated page's path and text."""
    all_commands = load_commands(commands)
    yield _DOCS / "commands.md", _commands(all_commands)
    yield _DOCS / "plans.md", plans.plans_page(_by_feature(all_commands))
    yield _DOCS / "settings.md", render_settings_page()
    yield _DOCS / "replies.md", render_replies_page()


def _by_feature(all_commands: tuple[Command, ...]) -> dict[plans.Feature, list[str]]:
    """The names of the commands that need each feature."""
    return {
        feature: [command.name for command in all_commands if command.feature == feature]
        for feature in plans.Feature
    }


def _commands(all_commands: tuple[Command, ...]) -> str:
    parts = [
        "# Commands",
        "_Generated from `commands/` by `make docs`._",
        *((_TEXTS / f"{name}.md").read_text(encoding="utf-8").strip() for name in _SECTIONS),
    ]
    for command in all_commands:
        parts.append(f"## `/{command.name}`")
        parts.append(
            f"{command.summary[0].upper()}{command.summary[1:]}. Needs the {command.level.name.lower()} role."
        )
        arguments = command.accepted
        rows = [f"| `{argument.syntax}` | {argument.summary} |" for argument in arguments]
        parts.append("\n".join(["| Argument | Meaning |", "|:--|:--|", *rows]))
        parts.append("\n".join(f"- `{example}`" for example in command.examples))
    return "\n\n".join(parts) + "\n"
