"""Check runs stay within GitHub's limits, whatever their content."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from bot.github.check_runs import Image, check_run_fields, shorten
from reports.sprint_impact import CheckButton, CheckCard
from tests.support.builders import at
from tests.support.github_openapi import load_checker

HEAD, NOW = "c0ffee" * 6 + "beef", at("11-20 12:00")
CHECK = load_checker()

words = st.text(max_size=80)
long = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=40), st.integers(1, 6000))
markdown = st.builds(
    lambda parts, times: "\n".join(parts) * times,
    st.lists(
        st.sampled_from(["<details>", "</details>", "```", "\n\n", "words", "𝒲ø®∂ß", "| a | b |", "# x"])
    ),
    st.integers(1, 4000),
)
buttons = st.builds(CheckButton, words, words, words)
cards = st.builds(
    CheckCard,
    words | long,
    words | long | markdown,
    st.sampled_from(["neutral", "success", "failure"]),
    st.lists(buttons, max_size=6).map(tuple),
)
images = st.lists(st.builds(Image, words | long, st.just("https://example.com/charts/x.png")), max_size=2)


@given(cards, images)
@example(CheckCard("", ""), [])
@example(CheckCard("x", "<details>" * 30_000), [])
@example(CheckCard("x", "\U0001f600" * 60_000), [])
@example(CheckCard("x" * 300, "a" * 65_536, "neutral", (CheckButton("l" * 21, "d" * 41, "i" * 20),) * 4), [])
def test_output_stays_within_githubs_limits(card: CheckCard, shown: list[Image]) -> None:
    data = check_run_fields("Sprint impact", HEAD, card, NOW, shown)

    output = data["output"]
    assert 1 <= len(output["title"]) <= 255
    assert "\n" not in output["title"]
    assert output["summary"].strip()
    assert len(output["summary"].encode()) <= 65_535
    assert len(data["actions"]) <= 3
    for action in data["actions"]:
        assert 1 <= len(action["label"]) <= 20
        assert 1 <= len(action["description"]) <= 40
        assert 1 <= len(action["identifier"]) <= 20
    assert [entry["image_url"] for entry in output.get("images", [])] == [entry.url for entry in shown]
    # GitHub's own description has nothing against it either.
    CHECK("POST", "/repos/acme/shop/check-runs", {}, data)
    CHECK("PATCH", "/repos/acme/shop/check-runs/1", {}, {k: v for k, v in data.items() if k != "head_sha"})


@given(markdown)
def test_what_is_cut_leaves_nothing_open(text: str) -> None:
    summary = check_run_fields("x", HEAD, CheckCard("x", text), NOW)["output"]["summary"]
    if not text.strip() or len(text.encode()) <= 65_535:
        return
    assert summary.endswith("<sub>Cut here: GitHub takes no more.</sub>")
    assert summary.count("<details>") <= summary.count("</details>")
    assert len(re.findall(r"^```", summary, re.MULTILINE)) % 2 == 0


def test_what_fits_is_stated_as_it_is() -> None:
    card = CheckCard(
        "Finishes #12", "Some **words**.", "success", (CheckButton("Link #12", "Writes it", "link:12"),)
    )
    assert check_run_fields("Sprint impact", HEAD, card, NOW) == {
        "name": "Sprint impact",
        "head_sha": HEAD,
        "status": "completed",
        "conclusion": "success",
        "completed_at": "2026-11-20T12:00:00Z",
        "output": {"title": "Finishes #12", "summary": "Some **words**."},
        "actions": [{"label": "Link #12", "description": "Writes it", "identifier": "link:12"}],
    }


def test_an_identifier_is_never_cut() -> None:
    """It would mean something else; what is left is shown."""
    card = CheckCard(
        "x",
        "x",
        "neutral",
        (CheckButton("A", "a", "link:1234567890123456"), CheckButton("B", "b", "aside:1")),
    )
    (left,) = check_run_fields("x", HEAD, card, NOW)["actions"]
    assert left["identifier"] == "aside:1"


def test_shortened_words_say_so() -> None:
    assert shorten("Puts this into Sprint 24", 40) == "Puts this into Sprint 24"
    assert shorten("Puts this into the sprint of the winter", 20) == "Puts this into the…"
    assert shorten("two\nlines  ", 20) == "two lines"


@given(words)
def test_titles_and_buttons_hide_nothing(text: str) -> None:
    card = CheckCard(
        f"Not for \u202e{text}\u2066",
        "x",
        "neutral",
        (CheckButton("\u200bAdd\u200b", f"\ufeff{text}x", "a"),),
    )
    run = check_run_fields("Sprint impact", HEAD, card, NOW)
    (button,) = run["actions"]
    for shown in (run["output"]["title"], button["label"], button["description"]):
        assert not set(shown) & set("\u202e\u2066\u200b\ufeff")
    assert (
        check_run_fields("x", HEAD, CheckCard("x", "x", "neutral", (CheckButton("\u200b", "x", "a"),)), NOW)[
            "actions"
        ]
        == []
    )
