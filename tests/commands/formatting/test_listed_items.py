"""Items in lists: which numbers get their titles, and what the titles do to the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.formatting.listed_items import (
    MOST_CHARACTERS,
    MOST_OF_TITLE,
    ItemPages,
    add_titles,
    find_listed_items,
    shorten_title,
)
from demo.markdown import render
from sprints.numbering import Number

PAGES = ItemPages("https://github.com", "acme/shop")
TITLES: dict[Number, str] = {12: "Card form", 13: "Refunds", "acme/api#12": "Charge a card"}
LINK = "[#12 Card form](https://github.com/acme/shop/issues/12)"
TITLED = re.compile(r"\[((?:[\w.-]+/[\w.-]+)?#\d+) (?:\\.|[^\]\\])*\]\(https://[^)]*\)")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- #12 – 5 points", f"- {LINK} – 5 points"),
        ("- Fri 20 Nov · #12 added, +5 points", f"- Fri 20 Nov · {LINK} added, +5 points"),
        ("  1. **#12** is blocked by #13", f"  1. **{LINK}** is blocked by #13"),
        ("| #12 | 5 | #13 |", f"| {LINK} | 5 | #13 |"),
        (
            "- acme/api#12: done",
            "- [acme/api#12 Charge a card](https://github.com/acme/api/issues/12): done",
        ),
        # Of several in a row, unknown ones, and what is no item or no list, nothing is changed.
        *[
            (line, line)
            for line in (
                "- #12, #13",
                "- #12 and 4 more",
                "- #14: gone",
                "- `/sprint remove #12`",
                "- [see](https://x.example/#12)",
                "- <!-- #12 --> x",
                "- a#12 GH#12 x/#12",
                "#12 is done.",
                "| Sprint 12 | #12 |",
                "| #12, #13 | 5 |",
                "```\n- #12\n```",
            )
        ],
    ],
)
def test_where_titles_are_added(line: str, expected: str) -> None:
    assert add_titles(line, TITLES, PAGES) == expected


def test_the_items_to_look_up_are_found() -> None:
    text = "- #12 and #13\n- acme/api#12: x\n| #7 | y |\n\n#8\n```\n- #9\n```"
    assert find_listed_items(text) == {12, "acme/api#12", 7}


TEXT = st.lists(
    st.one_of(
        st.sampled_from(["- ", "| ", "#12", " ", "#13", "acme/api#12", "`", "```", "\n", " | ", "**", ", "]),
        st.text(st.characters(codec="utf-8"), max_size=5),
    )
).map("".join)


@given(TEXT, st.text(min_size=1, max_size=200))
def test_without_the_titles_it_is_the_same_text_again(text: str, title: str) -> None:
    titled = add_titles(text, {12: title, 13: "Refunds", "acme/api#12": title}, PAGES)

    assert len(titled.split("\n")) == len(text.split("\n"))
    assert TITLED.sub(r"\1", titled) == text


@given(st.text(max_size=300))
def test_a_title_is_bounded(title: str) -> None:
    assert len(shorten_title(title)) <= MOST_OF_TITLE


def test_a_long_title_ends_with_a_word() -> None:
    assert shorten_title("Pay with a card that was stored when the last order was paid for") == (
        "Pay with a card that was stored when the last order was…"
    )


def test_a_long_text_gets_no_more_titles() -> None:
    text = "\n".join(f"- #{number}" for number in range(1, 4001))
    titled = add_titles(text, dict.fromkeys(range(1, 4001), "x" * 60), PAGES)

    assert "- [#1 x" in titled
    assert titled.endswith("- #4000")
    assert len(titled) <= MOST_CHARACTERS


def test_a_hostile_title_does_nothing() -> None:
    hostile = "](https://evil.example) @all #1 <b>x</b> | `x` ![](x)"
    html = render(add_titles("- #12 – 5 points", {12: hostile}, PAGES), "acme/shop")

    assert re.findall(r'href="([^"]*)"', html) == ["https://github.com/acme/shop/issues/12"]
    assert "<b>" not in html
    assert "<img" not in html
