"""Notes in the tracking thread while the summary waits for a release."""

from dataclasses import replace

from reports.release_summary import summary_location_text
from sprints.releases import Release
from tests.support.builders import Box

SPRINT = Box("11-10", title="Sprint *12* @all", due="2026-11-27", start="11-16").sprint()


def test_it_says_which_release_it_waits_for_and_how_to_see_the_summary_now() -> None:
    text = summary_location_text(replace(SPRINT, title="1.4"), None)
    assert text == (
        "**1.4 is over.** I will add its summary to the GitHub release whose tag or title is 1.4 (with or without a leading `v`), as soon as that is published. To see the summary now, run `/summary`."
    )


def test_words_written_elsewhere_format_nothing_and_call_nobody() -> None:
    text = summary_location_text(SPRINT, Release(1, "v*1* @all"))
    assert "@all" not in text
    assert text.endswith("Its summary is in the release v\\*1\\* @\u200ball.")
    assert text.startswith("**Sprint \\*12\\* @")
