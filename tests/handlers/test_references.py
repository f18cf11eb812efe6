"""The issues that a pull request's description closes, as GitHub's readers see it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.formatting.markdown import MOST_AT_ONCE, MOST_CHARACTERS, skim_long_texts
from handlers.payloads import PullRequestPayload
from handlers.references import find_references

REPOSITORY = "acme/shop"
FORMS = [
    "Closes #1", "closes: #1", "CLOSED #1", "close #1", "Fix #1", "fixes  #1", "fixed #1", "resolve #1", "Resolves #1",
    "RESOLVED: #1", "Closes acme/Shop#1", "Closes GH-1", "Fixes https://github.com/acme/shop/issues/1",
    "Fixes https://github.com/acme/shop/issues/1#issuecomment-2",
]  # fmt: skip
SHOWN = [
    "{}", "**{}**", "_{}_ and more", "- [ ] {}", "## {}", "1. {}", "| a |\n|--|\n| {} |", "text `code` {}", "<p>{}</p>",
    "<!-- a --> {}", "<details>\n<summary>More</summary>\n\n{}\n\n</details>", "See [this](https://a.b/c).\n{}",
    "```\ncode\n```\n{}", "> quoted\n\n{}", "a\n    {}", "<div>{} <!-- b --></div>", "&lt;!-- {}",
]  # fmt: skip
HIDDEN = [
    "<!-- {} -->", "a <!-- {} --> b", "<!--\n\n{}\n\n-->", "<!-- never closed\n{}", "`{}`", "``a ` {}``", "```\n{}\n```",
    "~~~ text\n{}\n~~~", "```\nnever closed\n{}", "    {}", "- a\n\n      {}", "\t{}", "> {}", "> a\n{}", "- > {}",
    "<pre>{}</pre>", "<pre>\n\n{}\n</pre>", "<code>{}</code>", "<kbd>\n\n{}\n\n</kbd>", "<blockquote>\n\n{}\n\n</blockquote>",
    "[{}](https://a.b)", "![{}](https://a.b)", "<a href='x'>{}</a>", "<script>{}</script>",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", SHOWN)
def test_github_s_words_are_followed_in_running_text(text: str, form: str) -> None:
    assert find_references(text.format(form), REPOSITORY).closes == (1,)


@pytest.mark.parametrize("form", ["Closes #1", "fixes: acme/shop#1"])
@pytest.mark.parametrize("text", HIDDEN)
def test_nothing_else_is_followed_or_named(text: str, form: str) -> None:
    references = find_references(text.format(form), REPOSITORY)
    assert (references.closes, references.mentions) == ((), ())


@pytest.mark.parametrize(
    "text", ["closes other/shop#1", "encloses #1", "closes#1", "Closes\n#1", "Closes: see #1", "#1 closes"]
)
def test_other_words_close_nothing(text: str) -> None:
    assert find_references(text, REPOSITORY).closes == ()


@pytest.mark.parametrize(
    ("page", "host", "numbers"),
    [
        (None, "github.com", (7,)),
        (None, "GitHub.com", (7,)),
        (None, "gitlab.com", ()),
        (None, "github.com.example.org", ()),
        (None, "github.com@example.org", ()),
        ("https://github.com/acme/shop", "octo.ghe.com", ()),
        ("https://octo.ghe.com/acme/shop", "octo.ghe.com", (7,)),
        ("https://octo.ghe.com/acme/shop", "github.com", ()),
        ("https://github.example:8443/acme/shop", "github.example:8443", (7,)),
        ("https://[odd", "github.com", (7,)),
    ],
)
def test_an_address_counts_on_github_s_own_host_alone(
    page: str | None, host: str, numbers: tuple[int, ...]
) -> None:
    text = f"Closes https://{host}/acme/shop/issues/7"
    assert find_references(text, REPOSITORY, page).closes == numbers


def test_the_host_is_that_of_the_payload_s_repository() -> None:
    repository = {"id": 5, "full_name": REPOSITORY, "html_url": "https://octo.ghe.com/acme/shop"}
    pull = {
        "number": 1,
        "created_at": "2026-11-02T09:00:00Z",
        "updated_at": "2026-11-02T09:00:00Z",
        "body": "Closes https://octo.ghe.com/acme/shop/issues/7, fixes https://gitlab.com/acme/shop/issues/8",
        "base": {"ref": "main", "repo": repository},
    }
    assert msgspec.convert(pull, PullRequestPayload).snapshot().closes == (7,)


def test_each_issue_needs_a_word() -> None:
    references = find_references("Resolves #10, resolves #123, and #7", REPOSITORY)
    assert (references.closes, references.mentions) == ((10, 123), (10, 123, 7))


def test_what_is_too_long_to_be_read_at_once_is_noted() -> None:
    long = "word " * MOST_AT_ONCE
    with skim_long_texts() as skim:
        assert find_references(f"{long} see #1x or `#`", REPOSITORY).closes == ()
        assert find_references("Closes #1", REPOSITORY).closes == (1,)
        assert skim.has_unread_references
    assert find_references(f"{long} Closes #1", REPOSITORY).closes == (1,)
    assert find_references(f"Closes #1 {'x' * MOST_CHARACTERS}", REPOSITORY).closes == ()


@given(st.text(alphabet="<>!-`~#1 \n\tacloses:/[]()&;*_\\|", max_size=80))
def test_what_is_hidden_in_a_comment_never_counts(text: str) -> None:
    """Whatever else it says, a text keeps its references if a comment follows."""
    comment = "\n\n<!-- Closes #999 -->"
    assert 999 not in find_references(text + comment, REPOSITORY).closes
