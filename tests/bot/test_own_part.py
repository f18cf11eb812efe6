"""Our part of a text that people may edit: what they wrote around it stays, and ours is never doubled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.own_part import MOST_CHARACTERS, Surroundings, surroundings_of

MARKER = "<!-- agile-github-suite:post:7:abc -->"
OLD = "### Sprint 12 · summary\n\n**9 of 12 points done**\n\n| a | b |\n|:--|:--|\n| 1 | 2 |\n\n<sub>provisional</sub>"
NEW = "### Sprint 12 · summary\n\n**10 of 12 points done**\n\n<sub>frozen</sub>"
WRITTEN = f"{OLD}\n\n{MARKER}"


def edited(text: str, sent: str | None = OLD) -> str | None:
    around = surroundings_of(text, [MARKER], sent)
    return around.around(NEW, MARKER) if around else None


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("Thanks to all!\n\n", ""),
        ("", "\n\nThe demo is on Friday."),
        ("> Read this first\n\n", "\n\n- [ ] retro\n- [ ] demo\n"),
        ("", " and one word more"),
    ],
)
def test_what_people_wrote_around_it_stays_as_they_wrote_it(before: str, after: str, newline: str) -> None:
    text = f"{before}{WRITTEN}{after}".replace("\n", newline)
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    assert edited(text) == f"{before}{NEW}\n\n{MARKER}{after}"


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_paragraph_before_the_invisible_marker_is_theirs(newline: str) -> None:
    text = f"{OLD}\n\nOur thanks to Bob.\n\n{MARKER}".replace("\n", newline)
    assert edited(text) == f"{NEW}\n\n{MARKER}\n\nOur thanks to Bob."


def test_a_paragraph_within_our_part_comes_after_it() -> None:
    text = WRITTEN.replace("| a | b |", "Somebody was ill.\n\n| a | b |")
    after = edited(text)
    assert after == f"{NEW}\n\n{MARKER}\n\nSomebody was ill."
    assert edited(str(after), NEW) == after


def test_of_words_changed_within_our_part_ours_count_and_those_around_it_stay() -> None:
    text = f"Before.\n\n{WRITTEN.replace('9 of 12', '11 of 12')}\n\nAfter."
    assert edited(text) == f"Before.\n\n{NEW}\n\n{MARKER}\n\nAfter."


def test_without_the_marker_our_words_are_found_by_themselves() -> None:
    assert edited(f"Before.\n\n{OLD}\n\nAfter.") == f"Before.\n\n{NEW}\n\n{MARKER}\n\nAfter."


@pytest.mark.parametrize("text", ["", "All mine now.", OLD.replace("9", "8")])
def test_what_people_took_out_stays_out(text: str) -> None:
    assert edited(text) is None


def test_where_it_is_not_known_what_was_sent_all_before_the_marker_is_ours() -> None:
    assert edited(f"{WRITTEN}\n\nAfter.", None) == f"{NEW}\n\n{MARKER}\n\nAfter."


def test_what_people_wrote_takes_room_from_ours() -> None:
    around = surroundings_of(f"{WRITTEN}\n\n{'x' * 64_000}", [MARKER], OLD)
    assert around is not None
    assert len(around.around("y" * around.room(MARKER), MARKER)) == MOST_CHARACTERS


_lines = st.text(st.sampled_from("ab \n#"), max_size=40)


@given(_lines, _lines, _lines.filter(str.strip), _lines.filter(str.strip), st.sampled_from(["\n", "\r\n"]))
def test_any_words_around_it_stay_however_often_it_is_edited(
    before: str, after: str, old: str, new: str, newline: str
) -> None:
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    text = Surroundings(before, after).around(old, MARKER)
    for sent, part in ((old, new), (new, old), (old, old)):
        around = surroundings_of(text, [MARKER], sent)
        assert around is not None
        text = around.around(part, MARKER)
        assert text.endswith(f"{MARKER}{after}")
        assert text.count(MARKER) == 1
    # A blank line of theirs beside ours may count as ours.
    assert text.replace(newline, "\n").startswith(before.replace(newline, "\n").rstrip())
