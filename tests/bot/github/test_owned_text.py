"""The bot's part of a text that people edit: the rest stays, and the part is never doubled."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.owned_text import MOST_CHARACTERS, PeopleText, find_people_text

MARKER = "<!-- agile-github-suite:post:7:abc -->"
OLD = "### Sprint 12 · summary\n\n**9 of 12 points done**\n\n| a | b |\n|:--|:--|\n| 1 | 2 |\n\n<sub>provisional</sub>"
NEW = "### Sprint 12 · summary\n\n**10 of 12 points done**\n\n<sub>frozen</sub>"
WRITTEN = f"{OLD}\n\n{MARKER}"


def edited(text: str, sent: str | None = OLD) -> str | None:
    around = find_people_text(text, [MARKER], [sent] if sent else [], NEW)
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
    around = find_people_text(f"{WRITTEN}\n\n{'x' * 64_000}", [MARKER], [OLD])
    assert around is not None
    assert len(around.around("y" * around.room(MARKER), MARKER)) == MOST_CHARACTERS


_lines = st.text(st.sampled_from("ab \n#"), max_size=40)


@given(_lines, _lines, _lines.filter(str.strip), _lines.filter(str.strip), st.sampled_from(["\n", "\r\n"]))
def test_any_words_around_it_stay_however_often_it_is_edited(
    before: str, after: str, old: str, new: str, newline: str
) -> None:
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    text = PeopleText(before, after).around(old, MARKER)
    for sent, part in ((old, new), (new, old), (old, old)):
        around = find_people_text(text, [MARKER], [sent] if sent else [], NEW)
        assert around is not None
        text = around.around(part, MARKER)
        assert text.endswith(f"{MARKER}{after}")
        assert text.count(MARKER) == 1
    # A blank line of theirs beside ours may count as ours.
    assert text.replace(newline, "\n").startswith(before.replace(newline, "\n").rstrip())


# What people did within our part

OURS = [
    "### Sprint 12 · summary",
    "**9 of 12 points done** (75 %)",
    "| Item | Points |\n|:--|--:|\n| #1 | 5 |\n| #2 | 4 |",
    "```mermaid\nxychart-beta\n\nline [1, 2]\n```",
    "<sub>As of 18 Nov 2026</sub>",
]
ANEW = [OURS[0], "**12 of 12 points done** (100 %)", "<sub>As of 20 Nov 2026, frozen</sub>"]
_THEIRS = [
    "Bob was ill.",
    "- [ ] retro\r\n- [ ] demo",
    "    indented code",
    "> a quotation",
    "---",
    "👍",
    "Dank an\nalle!",
]


def marked(blocks: list[str], newline: str = "\n") -> str:
    return "\n\n".join([*blocks, MARKER]).replace("\r\n", "\n").replace("\n", newline)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(_THEIRS)), max_size=4),
    st.sets(st.integers(0, 4)),
    st.sampled_from(["\n", "\r\n"]),
)
def test_each_paragraph_that_somebody_added_anywhere_stays_once_and_ours_is_not_doubled(
    added: list[tuple[int, str]], changed: set[int], newline: str
) -> None:
    edits = [block.replace("</sub>", "!</sub>") if "</sub>" in block else f"{block}!" for block in OURS]
    blocks = [edits[n] if n in changed else block for n, block in enumerate(OURS)]
    for place, words in sorted(added, reverse=True):
        blocks.insert(place, words)
    text, sent = marked(blocks, newline), "\n\n".join(OURS)
    for part in ("\n\n".join(ANEW), "\n\n".join(OURS), "\n\n".join(ANEW)):
        around = find_people_text(text, [MARKER], [sent], part)
        assert around is not None
        text, sent = around.around(part, MARKER), part
        assert text.count(MARKER) == 1
        rest = text.replace(part, "").replace(MARKER, "").replace("\r\n", "\n")
        theirs = [words.replace("\r\n", "\n") for _, words in added]
        paragraphs = [paragraph for paragraph in rest.split("\n\n") if paragraph.strip("\n")]
        assert sorted(paragraph.strip("\n") for paragraph in paragraphs) == sorted(theirs)


_PARAGRAPHS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=20).filter(
        str.strip
    ),
    min_size=1,
    max_size=3,
).map("\n".join)


@given(st.lists(_PARAGRAPHS, min_size=1, max_size=3), st.integers(0, 5), st.integers(0, 5))
def test_any_paragraphs_stay_byte_for_byte(paragraphs: list[str], first: int, second: int) -> None:
    blocks = list(OURS)
    for n, place in zip(range(len(paragraphs)), (first, second, first), strict=False):
        blocks.insert(place, paragraphs[n])
    text, sent = marked(blocks), "\n\n".join(OURS)
    for part in ("\n\n".join(ANEW), "\n\n".join(OURS)):
        around = find_people_text(text, [MARKER], [sent], part)
        assert around is not None
        text, sent = around.around(part, MARKER), part
        rest = text.replace(part, "")
        assert all(paragraph in rest or paragraph in OURS for paragraph in paragraphs)


def test_what_somebody_wrote_in_the_place_of_our_table_stays() -> None:
    theirs = "The table was too long for us."
    after = edited(WRITTEN.replace("| a | b |\n|:--|:--|\n| 1 | 2 |", theirs))
    assert after == f"{NEW}\n\n{MARKER}\n\n{theirs}"


def test_what_somebody_wrote_in_the_place_of_all_above_the_marker_stays_above() -> None:
    assert edited(f"All mine now.\n\n{MARKER}") == f"All mine now.\n\n{NEW}\n\n{MARKER}"


def test_an_attempt_without_an_answer_is_ours_as_well() -> None:
    around = find_people_text(f"Before.\n\n{NEW}\n\n{MARKER}", [MARKER], [OLD, NEW], OLD)
    assert around == PeopleText("Before.\n\n", "")


def test_where_nothing_is_known_what_stands_above_the_head_of_our_text_stays() -> None:
    assert edited(f"Before.\n\n{WRITTEN}", None) == f"Before.\n\n{NEW}\n\n{MARKER}"
    assert edited(f"Only mine.\n\n{MARKER}", None) == f"Only mine.\n\n{NEW}\n\n{MARKER}"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("ours", [OLD, OLD.replace("9 of 12", "11 of 12")], ids=["as sent", "changed"])
def test_a_quotation_of_our_text_with_its_marker_stays_and_ours_is_edited(ours: str) -> None:
    quotation, text = quoted(WRITTEN), f"{ours}\n\n{MARKER}"
    assert edited(f"{quotation}\n\nYes!\n\n{text}") == f"{quotation}\n\nYes!\n\n{NEW}\n\n{MARKER}"
    assert edited(f"{text}\n\n{quotation}") == f"{NEW}\n\n{MARKER}\n\n{quotation}"


def test_long_texts_take_no_long_time() -> None:
    """Lines that are all alike, all different, or all of common words."""
    for line in ("a {n}", "{n}", "points of a sprint {n}", "x"):
        sent = "\n".join(line.format(n=n) for n in range(5_000))
        text = "\n".join(line.format(n=n * 7) for n in range(5_000))
        began = process_time()
        assert find_people_text(f"{text}\n\n{MARKER}", [MARKER] * 500, [sent], sent) is not None
        assert process_time() - began < 1
