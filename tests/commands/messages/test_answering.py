"""Errors name whom they answer."""

import pytest

from commands.messages.answering import error_text


@pytest.mark.parametrize(
    ("login", "texts", "expected"),
    [
        ("alice", ["`many` is no number."], "@alice: `many` is no number."),
        ("ci[bot]", ["One.", "Two."], "@ci[bot]: One.\n\nTwo."),
        ("alice", ["- a list"], "@alice:\n\n- a list"),
        ("alice", ["> [!NOTE]\n> A note"], "@alice:\n\n> [!NOTE]\n> A note"),
    ],
)
def test_an_error_begins_with_the_mention(login: str, texts: list[str], expected: str) -> None:
    assert error_text(login, texts) == expected


def test_what_is_no_login_mentions_nobody() -> None:
    assert "@everyone" not in error_text("x @everyone", ["No."])
