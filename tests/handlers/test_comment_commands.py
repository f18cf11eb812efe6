"""Whose words count: text is a request only of its author, and only if the event wrote it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.framework.request import Author, Request, ThreadKind
from handlers.comment_commands import find_commands, read_request
from handlers.delivery import Delivery

Json = dict[str, Any]

MAINTAINER: Json = {"id": 1, "login": "alice", "type": "User"}
STRANGER: Json = {"id": 2, "login": "mallory", "type": "User"}
ROBOT: Json = {"id": 3, "login": "release-drafter[bot]", "type": "Bot"}
OUR_BOT: Json = {"id": 4, "login": "agile-github-suite[bot]", "type": "Bot"}
GHOST: Json = {"id": 10137, "login": "ghost", "type": "User"}
COMMAND = "/sprint close to:backlog confirm:yes"
# Every place where people type: its event, and the action that writes there.
WRITES = {
    "issue_comment": "created",
    "pull_request_review_comment": "created",
    "pull_request_review": "submitted",
    "issues": "opened",
    "pull_request": "opened",
}
PLACES = {
    "issue_comment": ThreadKind.COMMENT,
    "pull_request_review_comment": ThreadKind.REVIEW_COMMENT,
    "pull_request_review": ThreadKind.REVIEW,
    "issues": ThreadKind.BODY,
    "pull_request": ThreadKind.BODY,
}
everywhere = pytest.mark.parametrize("event", WRITES)


def delivery(event: str, action: str, text: Json, sender: Json | None, **more: Any) -> Delivery:
    """A webhook about a text, as far as commands depend on it."""
    thread: Json = {"number": 7, "user": MAINTAINER, "body": None, "milestone": {"number": 12}}
    payload: Json = {"action": action, "sender": sender, **more}
    if event in {"issues", "pull_request"}:
        payload["issue" if event == "issues" else "pull_request"] = thread | text
    else:
        payload["issue" if event == "issue_comment" else "pull_request"] = thread
        payload["review" if event == "pull_request_review" else "comment"] = {"id": 77, **text}
    body = json.dumps(payload).encode()
    return Delivery("guid", event, action, body, datetime(2026, 11, 20, tzinfo=UTC))


def edit(event: str, before: Json | None, after: str, author: Json | None, sender: Json | None) -> Request:
    """What an edit asks; `before` is the value of `changes`."""
    more = {} if before is None else {"changes": before}
    return read_request(delivery(event, "edited", {"body": after, "user": author}, sender, **more))


def typed(request: Request) -> list[str]:
    return [line.text for line in request.lines]


def from_(text: str | None) -> Json:
    return {"body": {"from": text}}


# New text


@everywhere
def test_what_somebody_writes_is_theirs(event: str) -> None:
    webhook = delivery(event, WRITES[event], {"body": f"Well.\n\n{COMMAND}", "user": STRANGER}, STRANGER)
    request = read_request(webhook)

    assert typed(request) == [COMMAND]
    assert (request.sender, request.place, request.thread) == ("mallory", PLACES[event], 7)
    assert len(list(find_commands(webhook))) == 1


@everywhere
@pytest.mark.parametrize(
    ("author", "sender"),
    [
        (STRANGER, MAINTAINER),
        (STRANGER, {**STRANGER, "id": 9}),
        (ROBOT, MAINTAINER),
        (None, MAINTAINER),
        (STRANGER, None),
        (None, None),
        (GHOST, GHOST),
        ({"login": "mallory"}, {"login": "mallory"}),
        ({**STRANGER, "id": None}, {**STRANGER, "id": None}),
    ],
    ids=[
        *("another", "login taken over", "of a bot", "author gone", "sender gone", "both gone", "ghosts"),
        *("without ids", "null ids"),
    ],
)
def test_words_of_somebody_else_ask_nothing(event: str, author: Json | None, sender: Json | None) -> None:
    webhook = delivery(event, WRITES[event], {"body": COMMAND, "user": author}, sender)

    assert read_request(webhook).lines == ()
    assert not list(find_commands(webhook))
    assert edit(event, from_("Well."), COMMAND, author, sender).lines == ()


@pytest.mark.parametrize("mover", [MAINTAINER, STRANGER], ids=["by a maintainer", "by the author"])
@pytest.mark.parametrize("changes", [{"old_issue": {"number": 3}, "old_repository": {}}, {"old_issue": {}}])
def test_a_transferred_issue_asks_nothing(mover: Json, changes: Json) -> None:
    webhook = delivery("issues", "opened", {"body": COMMAND, "user": STRANGER}, mover, changes=changes)
    assert not list(find_commands(webhook))


@everywhere
@pytest.mark.parametrize("text", [None, "", "LGTM"])
def test_text_without_commands_asks_nothing(event: str, text: str | None) -> None:
    webhook = delivery(event, WRITES[event], {"body": text, "user": STRANGER}, STRANGER)
    assert not list(find_commands(webhook))


@everywhere
def test_text_that_an_app_sends_for_a_person_is_the_person_s(event: str) -> None:
    text = {"body": COMMAND, "user": STRANGER, "performed_via_github_app": {"id": 5, "slug": "chat"}}
    request = read_request(delivery(event, WRITES[event], text, STRANGER))
    assert typed(request) == [COMMAND]
    assert not request.is_bot


@everywhere
def test_a_bot_s_own_words_are_marked_as_such(event: str) -> None:
    request = read_request(delivery(event, WRITES[event], {"body": COMMAND, "user": ROBOT}, ROBOT))
    assert typed(request) == [COMMAND]
    assert request.is_bot
    assert request.text_author == Author("release-drafter[bot]", is_bot=True)


# Edits

_BLANKS = st.text(st.sampled_from(" \t\u00a0\u2003\u200b\ufeff"), min_size=1, max_size=4)


@everywhere
def test_an_author_s_edit_asks_what_it_added(event: str) -> None:
    before, after = f"{COMMAND}\n", f"{COMMAND}\n/sprint status\n"
    request = edit(event, from_(before), after, STRANGER, STRANGER)
    assert typed(request) == ["/sprint status"]
    assert request.place is PLACES[event]


@everywhere
@pytest.mark.parametrize("before", [None, {}, {"title": {"from": "Old"}}, {"body": None}, {"body": {}}])
def test_an_edit_of_something_else_asks_nothing(event: str, before: Json | None) -> None:
    request = edit(event, before, COMMAND, STRANGER, STRANGER)
    assert request.lines == ()


@pytest.mark.parametrize("event", ["issues", "pull_request", "pull_request_review"])
def test_where_there_was_no_text_all_of_it_is_added(event: str) -> None:
    assert typed(edit(event, from_(None), COMMAND, STRANGER, STRANGER)) == [COMMAND]
    assert typed(edit(event, from_(""), COMMAND, STRANGER, STRANGER)) == [COMMAND]


@everywhere
@given(blanks=st.lists(_BLANKS, min_size=3, max_size=3), end=st.sampled_from(["", " ", "\t", "\r", "  \r"]))
def test_other_blanks_between_the_same_words_are_no_new_command(
    event: str, blanks: list[str], end: str
) -> None:
    words = COMMAND.split()
    spaced = (
        words[0] + "".join(f" {blank}{word}" for blank, word in zip(blanks, words[1:], strict=True)) + end
    )
    for before, after in ((COMMAND, spaced), (spaced, COMMAND), (f"  {spaced}", f"Well.\r\n\r\n{spaced}")):
        assert edit(event, from_(before), after, STRANGER, STRANGER).lines == ()
        assert edit(event, from_(before), after, STRANGER, MAINTAINER).lines == ()


def test_said_once_more_it_is_asked_once_more() -> None:
    after = f"{COMMAND}\n\n{COMMAND}  "
    assert len(edit("issue_comment", from_(COMMAND), after, STRANGER, STRANGER).lines) == 1


def test_what_another_put_in_is_not_the_author_s_when_they_edit_next() -> None:
    planted = f"My words.\n\n{COMMAND}"
    assert edit("issue_comment", from_("My words."), planted, MAINTAINER, STRANGER).lines == ()
    after = f"My better words.\n\n{COMMAND}"
    assert edit("issue_comment", from_(planted), after, MAINTAINER, MAINTAINER).lines == ()


@everywhere
@pytest.mark.parametrize("action", ["dismissed", "closed", "deleted", "labeled", "transferred"])
def test_what_else_happens_to_a_text_writes_none(event: str, action: str) -> None:
    assert read_request(delivery(event, action, {"body": COMMAND, "user": STRANGER}, STRANGER)).lines == ()


# Boxes

BOX = "- [{}] **Do it** <!-- agile-github-suite:change:5 -->"
EMPTY, TICKED = BOX.format(" "), BOX.format("x")


def test_a_box_is_ticked_by_who_edits_a_bot_s_comment() -> None:
    request = edit("issue_comment", from_(EMPTY), f"{TICKED}\n\n/sprint close", OUR_BOT, STRANGER)
    assert request.ticked == (5,)
    assert request.lines == ()
    assert (request.sender, request.text_author) == ("mallory", Author(OUR_BOT["login"], is_bot=True))


@pytest.mark.parametrize(
    ("author", "sender", "before"),
    [
        (STRANGER, MAINTAINER, from_(EMPTY)),
        (STRANGER, STRANGER, from_(EMPTY)),
        (OUR_BOT, OUR_BOT, from_(EMPTY)),
        (OUR_BOT, ROBOT, from_(EMPTY)),
        (OUR_BOT, MAINTAINER, from_(TICKED)),
        (OUR_BOT, MAINTAINER, {}),
        (OUR_BOT, None, from_(EMPTY)),
        (None, MAINTAINER, from_(EMPTY)),
    ],
    ids=["a person's", "own", "by us", "by a bot", "before", "no edit of text", "sender gone", "author gone"],
)
def test_no_other_box_is_ticked(author: Json | None, sender: Json | None, before: Json) -> None:
    assert edit("issue_comment", before, TICKED, author, sender).ticked == ()


def test_a_new_comment_ticks_no_box() -> None:
    webhook = delivery("issue_comment", "created", {"body": TICKED, "user": OUR_BOT}, MAINTAINER)
    assert read_request(webhook).ticked == ()


DISCUSSED = f"""### Discussed in https://github.com/acme/shop/discussions/12

<div type='discussions-op-text'>

<sup>Originally posted by **mallory** November 20, 2026</sup>
</div>

{COMMAND}
</div>"""
REFERENCED = (
    f"{COMMAND}\n\n_Originally posted by @mallory in https://github.com/acme/shop/issues/3#issuecomment-1_"
)


@pytest.mark.parametrize(
    "body", [DISCUSSED, REFERENCED, REFERENCED.upper().replace(COMMAND.upper(), COMMAND)]
)
@pytest.mark.parametrize("event", ["issues", "pull_request", "issue_comment"])
def test_text_that_github_took_over_from_somebody_asks_nothing(event: str, body: str) -> None:
    new = delivery(event, WRITES[event], {"body": body, "user": MAINTAINER}, MAINTAINER)
    assert typed(read_request(new)) == []


def test_what_the_author_adds_below_text_of_others_is_asked() -> None:
    added = edit("issues", {"body": {"from": REFERENCED}}, f"{REFERENCED}\n\n/help", MAINTAINER, MAINTAINER)
    assert typed(added) == ["/help"]
