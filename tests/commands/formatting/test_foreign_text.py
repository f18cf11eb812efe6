"""Texts of others are displayed literally and have no effect in our Markdown."""

import re
import unicodedata
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import comrak
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands.formatting.foreign_text import code, inert, one_line, plain, visible
from commands.formatting.wording import person, table
from commands.framework.argument_parser import InputError, parse_arguments
from commands.framework.changes import (
    ChangeSetting,
    CreateMilestone,
    EditMilestone,
    MoveItem,
    OpenIssue,
    ProposeFile,
    RecordFact,
    Relabel,
    Step,
)
from commands.framework.input_settings import InputSettings
from commands.items.estimate import estimate
from commands.messages.audit import audit_card
from commands.messages.bad_input import input_error_text, with_correction
from commands.messages.change_steps import Titles, step_target_text, step_text
from commands.settings.file import check_settings
from sprints.calendar import Calendar
from storage.changes import AuditEntry

_BREAK = "\u200b"
_PIECES = [
    *("http://evil.example/a", "https://evil.example", "ftp://evil.example", "HTTP://EVIL.example"),
    *("www.evil.example", "WWW.evil.example", "me@evil.example", "mailto:me@evil.example"),
    *("xmpp:me@evil.example", "@mallory", "@acme/everybody", "#12", "acme/shop#12", "GH-12", "gh-12"),
    *("fixes #12", "Closes: acme/shop#12", "<b>bold</b>", "<img src=x onerror=y>", "<!-- c -->", "<!--"),
    *("`", "``", "```", "*", "**", "_", "__", "~~", "~~~", "|", "\\", "\\\\", "[a](http://evil.example)"),
    *(
        "![a](x)",
        "[^1]",
        "[x]: y",
        "- ",
        "+ ",
        "* ",
        "1. ",
        "1) ",
        "# ",
        "> ",
        "===",
        "---",
        "&amp;",
        "&#64;x",
    ),
    *(
        "$",
        "$$",
        "$x^2$",
        "$$x$$",
        "$`x`$",
        "costs $5 or $6",
        "a5c3785",
        "A5C3785D",
        "x@0a5c3785",
        "-deadbeef",
    ),
    *("a5c3785ed8d6a35868bc169f07e40e889087fd2e", "1234567", "123456789a"),
    *("\n", "\r\n", "\t", "\u2028", "\u0085", "\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\u2069", "\u200f"),
    *("\u061c", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u3164", "\U000e0041"),
    *("word", "é", "語", "👩\u200d💻", "❤\ufe0f", "می\u200cخواهم", " ", "12", ".", ":", "/", "a"),
]
hostile = st.lists(st.sampled_from(_PIECES), max_size=8).map("".join) | st.text(max_size=30)
# Where foreign text stands in our texts: alone, and at the beginning and in the middle of things.
_CONTEXTS = (
    "{}", "### {} · status", "- {}", "> {}", "**Goal:** {}", "“{}”", "Words {} and words.", "| a |\n|:--|\n| {} |",
    "<details>\n<summary>Words</summary>\n\n{}\n\n</details>", "<sub>{} · more</sub>",
)  # fmt: skip


class _Rendered(HTMLParser):
    """The text of a page, and the elements in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.tags.append(f"<!--{data}-->")


def rendered(markdown: str) -> _Rendered:
    """Markdown as GitHub reads it, without cleaning anything away."""
    extensions = comrak.ExtensionOptions()
    for name in (
        *("alerts", "autolink", "footnotes", "math_code", "math_dollars", "strikethrough", "table"),
        "tasklist",
    ):
        setattr(extensions, name, True)
    options = comrak.RenderOptions()
    options.unsafe_ = options.hardbreaks = True
    page = _Rendered()
    page.feed(comrak.render_markdown(markdown, extension_options=extensions, render_options=options))
    page.close()
    return page


def does_nothing(markdown: str, frame: str) -> None:
    """Raises AssertionError if foreign text has an effect within Markdown that looks like `frame` without."""
    page = rendered(markdown)
    assert page.tags == rendered(frame).tags
    # GitHub links these after the Markdown was read, wherever they are text.
    assert not re.search(r"@[A-Za-z0-9]|(?<![0-9])#[0-9]|\bGH-[0-9]|://|\bwww\.", page.text, re.IGNORECASE)
    for run in re.findall(r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", page.text, re.IGNORECASE | re.ASCII):
        assert run.isdecimal()
    # And a formula begins with these, unless a character that is no blank stands before them.
    assert not re.search(r"(?<!\u200b)\$|\$\$", page.text)


@given(hostile)
@example("- [ ] x")
@example("1. x")
@example("a\n===")
@example("<!-- agile-github-suite:post:7 -->")
def test_foreign_text_is_shown_as_it_reads_and_does_nothing(text: str) -> None:
    for context in _CONTEXTS:
        does_nothing(context.format(plain(text)), context.format("word" if one_line(text) else ""))
    shown = rendered(f"Words {plain(text)} end").text.replace(_BREAK, "")
    assert shown.split() == f"Words {one_line(text)} end".split()


@given(hostile)
def test_foreign_text_as_code_stays_in_its_span(text: str) -> None:
    for context in _CONTEXTS:
        markdown = context.format(code(text).replace("|", "\\|") if "| a |" in context else code(text))
        is_empty = not one_line(text)
        assert rendered(markdown).tags == rendered(context.format("word" if is_empty else "`word`")).tags
    assert rendered(person(text)).tags in (["p", "code"], ["p"])


@given(st.lists(hostile, min_size=2, max_size=2))
def test_a_table_keeps_its_columns(texts: list[str]) -> None:
    cells = [plain(texts[0]), code(texts[1])]
    page = rendered(table(("One", "Two"), [cells]))
    assert [tag for tag in page.tags if tag in {"th", "td"}] == ["th", "th", "td", "td"]
    assert not {"a", "img"} & set(page.tags)


@given(hostile | st.text())
def test_nothing_that_cannot_be_seen_is_left(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert not [
        character
        for character in shown
        if unicodedata.category(character) in {"Cc", "Cs", "Cf"} and character not in "\u200c\u200d"
    ]
    assert set(shown) <= set(text) | {" "}
    one_line(text).encode()


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 👍🏽 👩🏽\u200d🚀 ❤\ufe0f ☎\ufe0e",
        "می\u200cخواهم",
        "क\u094d\u200dष and \u0da2\u0dca\u200d\u0da4",
        "日本語 Ünïcode ñ e\u0301",
        "plain words, (in) brackets: 5 % – “quoted”",
    ],
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Pay\u200bment", "Payment"),
        ("Pay\u200dment", "Payment"),
        ("Pay\u200cment", "Payment"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("a\u2066b\u2069c\u200ed\u200fe\u061cf", "abcdef"),
        ("so\u00adft\u2060\ufeff", "soft"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("\u3164\u115f\uffa0\u2800", ""),
        ("v\ufe0f1\ufe01", "v1"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("\u200d👩\u200d", "👩"),
        ("é\u200dé", "éé"),
        ("\ud800x", "x"),
        ("two\u2028lines\nand\u0085more", "two lines and more"),
    ],
)
def test_what_is_hidden_in_words_goes(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fixes #12", "fixes #\u200b12"),
        ("by @bob", "by @\u200bbob"),
        ("see https://x.y", "see https:\u200b//x.y"),
        ("*bold*", "*bold*"),
        ("C# and F#", "C# and F#"),
        ("Revert a5c3785", "Revert a5c378\u200b5"),
        ("(a5c3785ed8d6)", "(a5c378\u200b5ed8d6)"),
        ("x@a5c3785", "x@\u200ba5c378\u200b5"),
    ],
)
def test_a_commit_s_message_closes_and_calls_nothing(text: str, shown: str) -> None:
    assert inert(text) == shown


# A commit is linked by its SHA, a formula drawn between dollar signs


@given(
    st.text("0123456789abcdefABCDEF", min_size=7, max_size=40),
    st.sampled_from(["", "@", "#", "_", "(", "…", "é"]),
)
def test_no_part_of_a_commit_s_sha_is_long_enough_to_be_linked(sha: str, before: str) -> None:
    parts = re.split(r"[^0-9a-zA-Z]+", inert(f"{before}{sha} word"))

    assert "".join(parts).endswith(f"{sha}word")
    assert all(len(part) <= 6 for part in parts if re.search("[a-f]", part, re.IGNORECASE)) or sha.isdecimal()


@pytest.mark.parametrize(
    "text", ["1234567", "20261129", "Order 4006381333931", "1,234,567", "a" * 41, "xa5c3785y"]
)
def test_numbers_and_words_stay_whole(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$x^2$", "\u200b\\$\u200bx^2\u200b\\$\u200b"),
        ("from $5 to $6", "from \u200b\\$\u200b5 to \u200b\\$\u200b6"),
        ("$$x$$", "\u200b\\$\u200b\u200b\\$\u200bx\u200b\\$\u200b\u200b\\$\u200b"),
        ("\\$x\\$", "\\\\\u200b\\$\u200bx\\\\\u200b\\$\u200b"),
    ],
)
def test_a_dollar_sign_begins_no_formula(text: str, shown: str) -> None:
    assert plain(text) == shown


# Where such text comes in


@given(hostile, hostile)
def test_a_step_says_what_it_changes_and_does_nothing(text: str, other: str) -> None:
    titles: Titles = {1: text, 2: other}
    steps: list[Step] = [
        MoveItem(3, 1, 2),
        Relabel(3, (text,), (other,)),
        EditMilestone(1, {"title": text}, {"title": other}),
        CreateMilestone(text),
        OpenIssue(text),
        ProposeFile("a", "b", "c", text, "d"),
        RecordFact(3, text),
        ChangeSetting(text, other, {text: other}),
    ]
    for step in steps:
        for words in (step_text(step, titles), step_target_text(step)):
            page = rendered(f"- {words}")
            assert set(page.tags) <= {"ul", "li", "code"}
            assert "<" not in page.text or "<" in text + other
    entry = AuditEntry(text, f"/{other}", text, {"step": None}, datetime(2026, 11, 23, tzinfo=UTC))
    page = rendered(audit_card([entry], {}, Calendar()))
    assert [tag for tag in page.tags if tag == "td"] == ["td"] * 4
    assert not {"a", "img", "b", "em", "strong"} & set(page.tags)


@given(hostile.filter(lambda text: text.strip()))
def test_what_is_wrong_in_a_settings_file_is_reported_without_effect(text: str) -> None:
    settings = {"commands": {text: {"role": text}}, "wip": {"teams": {text: 1}}, text: text, "locale": text}
    for problem in check_settings(settings, ["sprint status", "estimate"]):
        page = rendered(f"- {problem.text}")
        assert set(page.tags) <= {"ul", "li", "code"}


@given(hostile)
def test_what_is_wrong_in_a_command_is_reported_without_effect(text: str) -> None:
    line = f"/estimate {one_line(text) or 'x'} bogus:1"
    with pytest.raises(InputError) as problem:
        parse_arguments(line, len("/estimate"), estimate.accepted, InputSettings(date(2026, 11, 25)))
    error = input_error_text(problem.value, line, estimate, {})
    page = rendered(with_correction(error, [(line, "")]))
    assert set(page.tags) <= {"p", "code", "pre"}
