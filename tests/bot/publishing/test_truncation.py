"""Outgoing texts fit into a comment and stay well-formed."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.publishing.truncation import MOST_CHARACTERS, truncate

_BLOCKS = st.sampled_from(
    [
        "word " * 400,
        "| a | b |\n" * 300,
        "<details>\n<summary>more</summary>\n\n" + "line\n" * 500 + "\n</details>",
        "```\n" + "code\n" * 500 + "```",
    ]
)


def test_what_fits_is_left_alone() -> None:
    assert truncate("a" * MOST_CHARACTERS) == "a" * MOST_CHARACTERS


@given(st.lists(_BLOCKS, min_size=40, max_size=60))
def test_what_is_too_long_is_cut_and_closed(blocks: list[str]) -> None:
    body = truncate("\n\n".join(blocks))
    assert len(body) < 65_536
    assert body.count("<details>") == body.count("</details>")
    assert len(re.findall(r"^```", body, re.MULTILINE)) % 2 == 0
    assert body.endswith("_The rest was cut, because GitHub takes no longer comments._")
