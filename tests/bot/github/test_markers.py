"""Markers: signed and recognised by the bot, worthless elsewhere or written by others."""

import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.app_identity import AppIdentity
from bot.github.markers import Mark, Markers, as_comment, unsigned_text
from bot.publishing.release_notes import MarkedPart, replace_part
from commands.framework.request import Author

NEW, OLD, FOREIGN = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
MARKERS = Markers([NEW, OLD])
MARK = Mark(1, 2, "thread:7", "post:5")
US = AppIdentity.from_github({"id": 12345, "slug": "Agile-GitHub-Suite"})

marks = st.builds(
    Mark, st.integers(1, 3), st.integers(1, 3), st.sampled_from(["thread:1", "thread:11", "issues"]),
    st.sampled_from(["post:1", "post:11", "change:1/0", "change:1/1", "guid/0"]),
)  # fmt: skip


@given(marks, st.text(), st.text())
def test_what_we_marked_is_recognised_wherever_it_stands(mark: Mark, before: str, after: str) -> None:
    assert MARKERS.is_marked(f"{before}{MARKERS.comment(mark)}{after}", mark)
    assert MARKERS.is_text(MARKERS.text(mark), mark)


@given(marks, marks)
def test_a_marker_is_worth_nothing_elsewhere(mark: Mark, other: Mark) -> None:
    assert MARKERS.is_marked(MARKERS.comment(mark), other) is (mark == other)
    assert MARKERS.is_text(MARKERS.text(mark), other) is (mark == other)


def test_what_an_older_key_made_is_recognised_and_what_a_foreign_one_made_is_not() -> None:
    assert MARKERS.is_marked(Markers([OLD]).comment(MARK), MARK)
    assert not MARKERS.is_marked(Markers([FOREIGN]).comment(MARK), MARK)
    assert not Markers([OLD]).is_marked(MARKERS.comment(MARK), MARK)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "post:5",
        f"{as_comment(unsigned_text(MARK))}\n\nquoted",
        f"`{as_comment(unsigned_text(MARK))}`",
        as_comment(f"{unsigned_text(MARK)}:{'0' * 32}"),
        MARKERS.comment(MARK).replace("5:", "6:"),
    ],
)
def test_marker_written_by_others_marks_nothing(body: str | None) -> None:
    assert not MARKERS.is_marked(body, MARK)


def test_what_an_earlier_version_of_ours_wrote_ends_in_its_marker() -> None:
    assert MARKERS.is_marked(f"Hello\n\n{as_comment(unsigned_text(MARK))}\n", MARK)
    assert not MARKERS.is_marked(f"Hello\n\n{as_comment(unsigned_text(replace(MARK, name='post:55')))}", MARK)


# The text of a release is anybody's


def part_of(keys: list[str]) -> MarkedPart:
    return MarkedPart(Markers(keys), replace(MARK, place="release:3"))


def test_a_part_marked_with_an_older_key_is_found_and_marked_again() -> None:
    ours, before = part_of([NEW, OLD]), part_of([OLD])
    text = replace_part("Notes", before.name, "old", was_there=False)
    assert text is not None
    edited = replace_part(ours.with_current_markers(text), ours.name, "new", was_there=True)
    assert edited == replace_part("Notes", ours.name, "new", was_there=False)


@pytest.mark.parametrize("name", [unsigned_text(MARK), part_of([FOREIGN]).name, MARKERS.text(MARK)])
def test_what_a_title_smuggles_into_a_release_is_no_part_of_ours(name: str) -> None:
    ours = part_of([NEW])
    text = f"- {as_comment(name)} by me\n- Other work\n- {as_comment(f'/{name}')} by me"
    written = replace_part(ours.with_current_markers(text), ours.name, "Summary", was_there=False)
    assert written is not None
    assert written.startswith(f"{text}\n\n")
    assert replace_part(ours.with_current_markers(text), ours.name, "Summary", was_there=True) is None


# Who wrote it


@pytest.mark.parametrize(
    ("author", "is_ours"),
    [
        (Author("agile-github-suite[bot]", is_bot=True), True),
        (Author("Agile-GitHub-Suite[bot]", is_bot=True, app_id=12345), True),
        (Author("renamed[bot]", is_bot=True, app_id=12345), True),
        (Author("agile-github-suite[bot]", is_bot=True, app_id=99), False),
        (Author("other[bot]", is_bot=True), False),
        (Author("other[bot]", is_bot=True, app_id=99), False),
        (Author("agile-github-suite[bot]"), False),
        (Author("agile-github-suite", is_bot=True), False),
        (Author("alice", app_id=12345), False),
        (None, False),
    ],
)
def test_only_comments_of_the_apps_bot_are_ours(author: Author | None, is_ours: bool) -> None:
    assert US.is_author(author) is is_ours
    if author is None:
        return
    app = None if author.app_id is None else {"id": author.app_id}
    user = {"login": author.login, "type": "Bot" if author.is_bot else "User"}
    assert US.has_written({"user": user, "performed_via_github_app": app}) is is_ours


@pytest.mark.parametrize(
    ("text", "is_ours"), [({}, False), ({"user": None, "performed_via_github_app": {"id": 12345}}, False)]
)
def test_what_nobody_wrote_is_not_ours(text: dict[str, Any], is_ours: bool) -> None:
    assert US.has_written(text) is is_ours


@pytest.mark.parametrize(
    ("app", "is_ours"), [({"id": 12345}, True), ({"id": 99}, False), (None, False), ({}, False)]
)
def test_a_check_run_is_ours_if_our_app_made_it(app: dict[str, Any] | None, is_ours: bool) -> None:
    assert US.has_made({"app": app}) is is_ours
