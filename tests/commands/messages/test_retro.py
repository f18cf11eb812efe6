"""Texts for a retrospective."""

from datetime import timedelta

import pytest

from commands.messages.retro import Retro, retro_text
from sprints.durations import ServiceLevel
from sprints.retro import RetroEvidence, Topic
from tests.support.builders import at
from tests.support.report_sheets import MIXED_CARDS, make_sheet


def text(*evidence: RetroEvidence, as_of: str = "11-29 12:00", usual: ServiceLevel | None = None) -> str:
    by_topic = {topic: [entry for entry in evidence if entry.topic is topic] for topic in Topic}
    return retro_text(
        Retro(
            make_sheet(*MIXED_CARDS, as_of=as_of, verdict="met"),
            {t: e for t, e in by_topic.items() if e},
            usual,
        )
    )


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def test_it_begins_with_the_result_and_with_how_to_vote() -> None:
    parts = text(RetroEvidence(Topic.CARRIED, 3, count=2)).split("\n\n")

    assert parts[:3] == [
        "### Sprint 12 · for the retrospective",
        "**Goal met:** Pay by card",
        "**15 of 23 points committed were done (65 %)**, 21 points in all. 5 points in 3 items carried over.",
    ]
    assert parts[3].startswith("**What should we talk about?** Vote with a reaction to this comment")
    assert parts[4] == "**👍 Carried more than once** (1 item)\n- #3: open at the end of 2 sprints"
    assert parts[5].startswith(
        "Nothing to show for: longest in progress, blocked, reopened after it was done, late."
    )


@pytest.mark.parametrize(
    ("evidence", "line"),
    [
        (RetroEvidence(Topic.OLDEST, 1, hours(50), days=3), "- #1: 3 days until it was done"),
        (RetroEvidence(Topic.OLDEST, 1, hours(24), days=2, is_over=False), "- #1: 2 days, and not done"),
        (RetroEvidence(Topic.BLOCKED, 1, hours(30), by=(7, 8)), "- #1: 1 day by #7, #8"),
        (
            RetroEvidence(Topic.BLOCKED, 1, hours(5), reason="no @account", is_over=False),
            "- #1: 5 hours, and still blocked – no @\u200baccount",
        ),
        (RetroEvidence(Topic.REOPENED, 1, count=1), "- #1: once, and done again"),
        (RetroEvidence(Topic.REOPENED, 1, count=2, is_over=False), "- #1: 2 times, and not done again"),
        (
            RetroEvidence(Topic.LATE, 1, at=at("11-25 10:00")),
            "- #1: added on Wed 25 Nov, 2 days before the last one, done in time",
        ),
        (
            RetroEvidence(Topic.LATE, 1, at=at("11-27 10:00"), is_over=False),
            "- #1: added on Fri 27 Nov, the last day, not done",
        ),
        (RetroEvidence(Topic.LATE, 1, hours(20)), "- #1: done 20 hours after the end"),
    ],
)
def test_each_kind_of_evidence(evidence: RetroEvidence, line: str) -> None:
    assert line in text(evidence).splitlines()


def test_what_took_longer_than_usual_says_what_is_usual() -> None:
    usual = ServiceLevel(85, 4, 30)

    assert "9 days until it was done; at that time, 85 % of items took at most 4 days (n = 30)" in text(
        RetroEvidence(Topic.OLDEST, 1, hours(9 * 24), days=9), usual=usual
    )
    assert "85 %" not in text(RetroEvidence(Topic.OLDEST, 1, hours(4 * 24), days=4), usual=usual)


def test_each_topic_has_a_reaction_of_its_own() -> None:
    made = text(*(RetroEvidence(topic, 1, hours(30), count=2) for topic in Topic))
    marks = [
        line[2:].split(" ")[0]
        for line in made.splitlines()
        if line.startswith("**") and line.endswith("(1 item)")
    ]

    assert len(set(marks)) == len(Topic)
    assert "Nothing to show for" not in made


def test_many_of_a_topic() -> None:
    made = text(*(RetroEvidence(Topic.CARRIED, number, count=2) for number in range(1, 9)))

    assert "**👍 Carried more than once** (8 items)" in made
    assert "- and 3 more: #6, #7, #8" in made


def test_nothing_stood_out() -> None:
    assert "Nothing stood out in these numbers. What should we talk about?" in text()


def test_a_sprint_that_still_runs() -> None:
    made = text(RetroEvidence(Topic.LATE, 5, at=at("11-25 10:00")), as_of="11-26 12:00")

    assert made.startswith("### Sprint 12 · for the retrospective · so far")
    assert "2 days before the last one, done" in made
    assert "in time" not in made
