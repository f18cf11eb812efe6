"""Lines of a comment that are commands, as a reader of the rendered comment would take them."""

import pytest

from commands.framework.parser import find_added_lines, find_command_lines
from commands.framework.request import CommandLine
from tests.support.hostile_comments import HOSTILE_COMMENTS, LONGEST_COMMENT


def list_commands(text: str) -> list[str]:
    return [command.text for command in find_command_lines(text)]


@pytest.mark.parametrize(
    "text",
    [
        "/go",
        "   /go",
        "/go   ",
        "Text before\n/go\nand after",
        "Text\n\n/go\n\nText",
        "Text\r\n/go\r\nText",
        "Text\r/go\rText",
        "# Heading\n/go",
        "- a list\n\n/go",
        "- a list\n  /go",
        "1. one\n2. two\n\n/go",
        "> a quotation\n\n/go",
        "```\ncode\n```\n/go",
        "~~~\ncode\n~~~\n/go",
        "    code\n\n/go",
        "Some `code` here\n/go",
        "<!-- a comment -->\n\n/go",
        "Text <!-- a comment -->\n/go",
        "<details>\n\nfolded\n\n</details>\n\n/go",
        "| a |\n|---|\n| b |\n\n/go",
        "[a link](https://example.com)\n/go",
        "---\n/go",
        "***\n\n/go",
        "/go\n---",
        "/go\n===",
        "A line<br>\n/go",
        "![a picture](x.png)\n/go",
        "An odd ` backtick\n/go",
        "2 < 3\n/go",
        "\n\n\n/go",
        "A hard break  \n/go",
        "Set *emphasis*\n/go",
        "@alice\n/go",
    ],
)
def test_a_line_that_begins_with_a_slash_is_a_command(text: str) -> None:
    assert list_commands(text) == ["/go"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no command",
        "do /go now",
        "/",
        "//go",
        "/ go",
        "/123",
        "\\/go",
        "```\n/go\n```",
        "```text\n/go",
        "~~~\n/go\n~~~",
        "````\n```\n/go\n```\n````",
        "- item\n\n  ```\n  /go\n  ```",
        "    /go",
        "\t/go",
        " \t/go",
        "`code\n/go\nmore`",
        "``code\n/go``",
        "> /go",
        ">/go",
        "> > /go",
        "> quoted\n/go",
        "> quoted\r\n/go",
        "> - quoted list\n/go",
        "- > quoted in a list\n/go",
        "> ```\n> /go\n> ```",
        "<!-- /go -->",
        "<!--\n/go\n-->",
        "<!--\n\n/go\n\n-->",
        "Text <!--\n/go\n--> text",
        "<!-- never closed\n\n/go",
        "<details>\n/go\n</details>",
        "<details>\n\n/go\n\n</details>",
        "<details><summary>Log</summary>\n\n/go\n\n</details>",
        "<details>\n\n<details>\n\ninner\n\n</details>\n\n/go\n\n</details>",
        "<blockquote>\n\n/go\n\n</blockquote>",
        "<pre>\n/go\n</pre>",
        "<pre>\n\n/go\n\n</pre>",
        "<script>\n\n/go\n\n</script>",
        "<div>\n/go\n</div>",
        "[a link\n/go](https://example.com)",
        "[ref]\n\n[ref]: https://example.com '\n/go\n'",
        "![a picture\n/go](x.png)",
        "**bold\n/go**",
        "~~struck\n/go~~",
        "| a |\n|---|\n/go",
        "| a |\n|---|\n/go | b |",
        "/go | b\n---|---",
        "- /go",
        "* /go",
        "1. /go",
        "# /go",
        "<b>/go</b>",
        "[x] /go",
    ],
)
def test_code_quotations_tables_links_and_html_hold_no_command(text: str) -> None:
    assert list_commands(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "We need a Vec<String> here.\n\n/go",
        "We need a Map<K> here.\nAnd more.\n\n/go",
        "Replace <name> by yours\n\n/go",
        "Not <b>closed\n\n/go",
    ],
)
def test_a_tag_left_open_in_one_paragraph_hides_no_command_of_another(text: str) -> None:
    assert list_commands(text) == ["/go"]


def test_all_commands_from_the_top_with_their_lines() -> None:
    text = "Hello\n/one\n\n> /quoted\n\n/two  with words\n```\n/three\n```\n   /four"

    assert find_command_lines(text) == [
        CommandLine("/one", 2),
        CommandLine("/two  with words", 6),
        CommandLine("/four", 10),
    ]


def test_two_lines_of_one_paragraph_are_two_commands() -> None:
    assert list_commands("/one\r\n/two\r\n/one") == ["/one", "/two", "/one"]


def test_markdown_within_a_command_stays_as_it_was_typed() -> None:
    line = '/go "**Sprint** _12_ & <b>" by:`count` &amp; \\*'

    assert list_commands(line) == [line]


def test_characters_that_mark_candidates_cannot_forge_a_command() -> None:
    assert list_commands("/go\n\ntext /\ue0000\ue001 text") == ["/go"]
    assert list_commands("text\n\n> /\ue0000\ue001") == []


# Edited comments


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        ("", "/go", ["/go"]),
        ("/go", "/go", []),
        ("/go", "/go\n/stop", ["/stop"]),
        ("/go\n/stop", "/stop\n/go", []),
        ("/go", "/go\n/go", ["/go"]),
        ("/go by:points", "/go by:count", ["/go by:count"]),
        ("/go", "Hello\n\n/go  \r\n", []),
        ("> /go", "/go", ["/go"]),
        ("/go", "> /go", []),
        ("```\n/go\n```", "/go", ["/go"]),
        ("/go\n/go", "/go", []),
    ],
)
def test_an_edit_asks_only_for_what_it_added(before: str, after: str, added: list[str]) -> None:
    assert [command.text for command in find_added_lines(after, before)] == added


# As long as a comment may be, and as nasty


@pytest.mark.parametrize("text", HOSTILE_COMMENTS.values(), ids=HOSTILE_COMMENTS)
@pytest.mark.timeout(30)
def test_nasty_comments_take_no_time(text: str) -> None:
    # A way through the text that goes back and forth takes minutes: the limit above stops it.
    assert find_command_lines(f"/go\n\n{text}"[:LONGEST_COMMENT])[0].text == "/go"
