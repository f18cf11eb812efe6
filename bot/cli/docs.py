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

_INTRODUCTION = (
    "Write a command on its own line: in a comment on an issue or a pull request, in a review, or in the "
    "text of the issue or pull request itself. One text may contain up to ten commands, each on its own "
    "line. Code, quotations and HTML are ignored. Every command also has the long form `/agile …`, for "
    "threads in which another bot uses the short form.\n\n"
    "The bot runs commands only from text that you wrote yourself. If you edit your text, only the commands "
    "that you add run. If you edit another person's text, or transfer their issue, nothing runs."
)
_PLACEMENT = (
    "## Where answers appear\n\n"
    "- **The same command in the same thread edits its earlier answer** if at most three comments follow "
    "that answer. Otherwise the answer is posted in a new comment, and the earlier one is hidden as "
    "outdated. Within an hour this happens once; then the new comment is edited. `new:yes` always posts a "
    "new comment.\n"
    "- **Other questions have other answers.** Another day, sprint, unit or period never replaces the "
    "usual answer, and a change of other items has a comment of its own. `as:` and `verbose:` only change "
    "the form. A command gets at most five such comments in an hour; after that the newest one is edited.\n"
    "- **Several commands in one comment** run one after the other, from the top: each sees what those "
    "before it have changed.\n"
    "- **What is posted unasked**, such as the tracking comment of a sprint, stays in its one comment.\n"
    "- **Errors name the person whom they answer.** You have one comment for errors in a thread: the newest "
    "error replaces the earlier one, and the comment goes when your next try of the command succeeds.\n"
    "- **Previews wait for a tick for 24 hours.** The outcome takes the place of the preview. If you may "
    "not confirm it, or the bot is paused, the tick is taken back and the reason is posted. A preview that "
    "is too old, or that a newer answer replaced, says so and has no box any more."
)
_HOW_TO_WRITE = (
    "## How you can write it\n"
    "\n"
    "Write as you would say it; quotation marks, colons and capitals are optional.\n"
    "\n"
    "- **Texts** run to the next argument: `/sprint goal Ship Apple Pay`. Quotation marks of any kind "
    "hold a text together.\n"
    "- **Arguments** have a name where they need one: `due:2026-12-16`, `due: 2026-12-16`, "
    "`due=2026-12-16`, `--due 2026-12-16`, or just `due 2026-12-16`. A yes is `confirm:yes`, "
    "`confirm:y` or `--confirm`.\n"
    '- **A sprint** is named the same way everywhere, by its title or its number: `/burndown "Sprint '
    '23"`, `/burndown Sprint 23`, `/burndown 23`. `current`, `last` and `next` work, too, and so do '
    "`for:`, `milestone:` and `sprint:`.\n"
    "- **Issues and pull requests** are `#71`, `71` in a list, `GH-71` or their address: `/sprint add "
    "#71, #72 and 73`.\n"
    "- **Estimates** are `5`, `5 points`, `0,5`, `½`, or one of your team's sizes: `/estimate XL`. To "
    "estimate another issue, name it: `/estimate #70 5`.\n"
    "- **Dates** are `2026-12-16`, `16 Dec`, `Dec 16, 2026`, `16.12.`, `12/16`, `tomorrow`, `friday`, "
    "`next friday` (the first one after today), `in 2 weeks`, `+10d` or `end of month`; days off are "
    "`24.12.-2.1.` or `24 Dec to 2 Jan`. Whether the day or the month comes first follows your team's "
    "`locale`. Without a year it is the next such day, or the latest for `as-of` and `since`. The "
    "answer says the date in full.\n"
    "\n"
    "If a line can be read in two ways, nothing is changed, and you get both as lines to copy. If it "
    "can't be read, the answer marks the word that is wrong and shows a line that works here. If you "
    "misspell a command or use another word for it, the answer asks what you meant; it runs nothing."
)
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
        _INTRODUCTION,
        _HOW_TO_WRITE,
        _PLACEMENT,
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
