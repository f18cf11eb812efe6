"""The list of all that the bot can say."""

from __future__ import annotations

import re
from pathlib import Path

from bot.cli.reply_texts import ROOT, collect_module_texts, render_replies_page

_MESSAGES = '''"""Texts of the sample.

More about them.
"""

import re

_WORD = re.compile(r"no text of ours")
_REMEDY = "Try `/help` instead."
_TEXTS = {"key of a text": "text of a key"}
_NAME = "sample show"


def sample_text(days: int, names: list[str], is_late: bool) -> str:
    """Not a text for people."""
    if not names:
        raise ValueError("an error of the program")
    log.info("a line of the log")
    if names == ["what is compared"]:
        with isolated(log, "name of a step"):
            names = [f"{days}, {is_late}"]
    end = f" until {full_day(days)}" if is_late else ""
    return f"{counted(days, 'day')} left for {', '.join(names)}{end}: {'it is' if is_late else 'they are'} late."
'''
_ELSEWHERE = '''"""Another room."""


show = command("sample show", summary="show it")


class Reader:
    """A reader."""

    async def read(self, name: str) -> str:
        if not name:
            raise UserError(f"`{name}` is no name. Use another one.")
        return "words that are not for people"
'''


def test_texts_stand_under_their_module_and_function_without_what_people_never_read(tmp_path: Path) -> None:
    (tmp_path / "commands/messages").mkdir(parents=True)
    (tmp_path / "commands/messages/sample.py").write_text(_MESSAGES)
    (tmp_path / "storage").mkdir()
    (tmp_path / "sprints").mkdir()
    (tmp_path / "sprints/reader.py").write_text(_ELSEWHERE)
    modules = {module.path: module for module in collect_module_texts(tmp_path)}

    messages = modules["commands/messages/sample.py"]
    assert messages.summary == "Texts of the sample."
    assert {function.name: function.texts for function in messages.functions} == {
        "_REMEDY": ("Try `/help` instead.",),
        "_TEXTS": ("text of a key",),
        "sample_text": ("until {days}", "{days} days left for {names}{end}: [it is|they are] late."),
    }
    (read,) = modules["sprints/reader.py"].functions
    assert (read.name, read.texts) == ("read", ("`{name}` is no name. Use another one.",))
    assert "## commands/messages/sample.py\n\nTexts of the sample.\n" in render_replies_page(tmp_path)


def test_every_sentence_of_the_messages_is_on_the_page() -> None:
    listed = {module.path for module in collect_module_texts()}
    sources = {
        path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "commands").rglob("*.py")
    }
    # A sentence ends with a full stop within its quotation marks.
    with_sentences = {path for path, source in sources.items() if re.search(r'[a-z]\."[,)\n]', source)}

    assert with_sentences - listed == set()
