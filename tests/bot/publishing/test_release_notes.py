"""The bot's part of a release's text beside that of people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.publishing.release_notes import replace_part

NAME = "agile-github-suite:post:7"
BEGIN, END = f"<!-- {NAME} -->", f"<!-- /{NAME} -->"


def test_our_part_comes_after_the_text_of_people() -> None:
    text = "## What's new\r\n\r\n- Pay by card  "
    data = replace_part(text, NAME, "### Sprint 12", was_there=False)
    assert data == f"{text}\n\n{BEGIN}\n\n### Sprint 12\n\n{END}"
    assert replace_part("", NAME, "### Sprint 12", was_there=False) == f"{BEGIN}\n\n### Sprint 12\n\n{END}"


@given(st.text(), st.text(), st.text().filter(lambda text: "<!--" not in text))
def test_text_around_our_part_is_unchanged(head: str, tail: str, part: str) -> None:
    first = replace_part(head, NAME, "old", was_there=False)
    assert first is not None
    assert first.startswith(head) or not head.strip()
    data = replace_part(f"{first}{tail}", NAME, part, was_there=True)
    assert data == first.replace("old", part, 1) + tail if "old" not in head else data
    assert data == replace_part(str(data), NAME, part, was_there=True)


@pytest.mark.parametrize("text", ["", "Notes", f"Notes {BEGIN} half", f"{END} turned {BEGIN}"])
def test_section_removed_by_a_person_stays_removed(text: str) -> None:
    assert replace_part(text, NAME, "new", was_there=True) is None


def test_broken_marker_pair_marks_nothing() -> None:
    assert replace_part(f"{BEGIN} and then my own words", NAME, "new", was_there=False) is None


def test_a_quotation_of_our_part_stays_and_ours_is_edited() -> None:
    quotation = f"> {BEGIN}\n>\n> old\n>\n> {END}\n\nAs I said."
    for text, edited in (
        (f"{quotation}\n\n{BEGIN}\n\nold\n\n{END}", f"{quotation}\n\n{BEGIN}\n\nnew\n\n{END}"),
        (f"{BEGIN}\n\nold\n\n{END}\n\n{quotation}", f"{BEGIN}\n\nnew\n\n{END}\n\n{quotation}"),
    ):
        assert replace_part(text, NAME, "new", was_there=True) == edited
