"""The parser is fast for any input and finds nothing in quotes or code."""

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.framework.parser import find_added_lines, find_command_lines

_PIECES = st.sampled_from(
    [
        *(
            "/go",
            "/go on",
            " ",
            "   ",
            "    ",
            "\t",
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            "text",
            "> ",
            ">",
            "- ",
            "1. ",
        ),
        *("`", "``", "```", "```\n", "~~~", "<!--", "-->", "<b>", "</b>", "<details>", "</details>", "<pre>"),
        *(
            "</pre>",
            "<a ",
            "<",
            "|",
            "|-|",
            "[",
            "](x)",
            "[a]: b",
            "*",
            "**",
            "~~",
            "_",
            "#",
            "# ",
            "---",
            "===",
        ),
        *("\\", "&lt;", "\ue000", "\ue001", "\x00", "\u2028", "\ufeff", "é", "👀", "<![CDATA[", "<?", "]]>"),
    ]
)
COMMENTS = st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=200)
FUZZ = settings(max_examples=250)


@given(COMMENTS)
@FUZZ
def test_any_comment_can_be_read(text: str) -> None:
    lines = [command.line for command in find_command_lines(text)]

    assert lines == sorted(set(lines))
    for command in find_command_lines(text):
        assert command.text.startswith("/")
        assert "\n" not in command.text
        assert command.text in text.replace("\ue000", "").replace("\ue001", "")


@given(COMMENTS)
@FUZZ
def test_a_comment_in_a_fence_holds_no_command(text: str) -> None:
    fence = "`" * (text.count("`") + 3)

    assert find_command_lines(f"{fence}\n{text}\n{fence}") == []


@given(COMMENTS)
@FUZZ
def test_a_comment_in_a_quotation_holds_no_command(text: str) -> None:
    quoted = "\n".join(f"> {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))

    assert find_command_lines(quoted) == []


@given(COMMENTS, COMMENTS)
@FUZZ
def test_an_edit_adds_no_more_than_there_is(text: str, before: str) -> None:
    added, had = find_added_lines(text, before), find_command_lines(before)

    assert set(added) <= set(find_command_lines(text))
    assert find_added_lines(text, text) == []
    assert len(added) >= len(find_command_lines(text)) - len(had)
