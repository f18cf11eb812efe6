"""Texts on progress that no open item contradicts."""

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charts.alt_text import describe_burndown
from charts.reading import percent
from commands.messages.progress import done_text, open_work_text, progress_percent, progress_text
from commands.messages.report import result_sentence
from commands.messages.sprint_charts import summarize_burndown, summarize_burnup
from commands.messages.status import status_details, status_head
from reports.alert import alert_text
from reports.sprint_impact import check_title as impact_title
from reports.sprint_impact import impact_card
from sprints.alerts import DaysLeft
from sprints.burndown import build_burndown
from sprints.facts import Amount, sum_items
from sprints.impact import Effect, Impact, LinkedItem, LinkKind, PullRequestStatus
from sprints.plain import convert_facts
from sprints.pull_requests import PullRequest
from sprints.report import build_report
from tests.support.unit_weeks import ITEM_KINDS, make_running_mixed_week

SAYS_DONE = re.compile(
    r"\(100 %\)|everything in (?:scope|the sprint)|nothing (?:is|was) left|\b0 (?:points|items) (?:remain|to do|were not)|"
    r"█{20}|\b0 of [\d.]+ points (?:were|remain)|\b0 a day would",
    re.IGNORECASE,
)


@given(st.integers(0, 3000), st.integers(1, 1000))
@example(1, 8)  # 12.5 is 13: halves up.
@example(375, 1000)
@example(1, 1000)
@example(999, 1000)
@example(1001, 1000)
def test_only_all_is_100_percent_and_only_nothing_is_0(part: int, whole: int) -> None:
    share = Decimal(part) / whole
    text = percent(share)

    assert (text == "100 %") == (part == whole)
    assert (text == "0 %") == (part == 0)
    if text[0] in "<>":
        assert text in {"<1 %", ">99 %", ">100 %"}
    else:
        # Twice the whole percentage, compared in whole numbers, because halves are rounded up.
        assert -whole <= 2 * (100 * part - int(text.removesuffix(" %").replace(",", "")) * whole) < whole


@pytest.mark.parametrize(
    ("kinds", "words", "share", "left"),
    [
        ([(5, True), (3, False)], "5 of 8 points done", "63 %", "3 points"),
        ([(5, True), (None, True)], "5 of 5 points done", "100 %", "0 points"),
        (
            [(5, True), (None, False)],
            "5 of 5 points done, 1 item without an estimate is open",
            "1 of 2 items, 50 %",
            "1 item without an estimate",
        ),
        (
            [(5, True), (0, False), (None, False)],
            "5 of 5 points done, 2 items worth no points are open",
            "1 of 3 items, 33 %",
            "2 items worth no points",
        ),
    ],
)
def test_the_words_in_points(kinds: list[tuple[int | None, bool]], words: str, share: str, left: str) -> None:
    facts = make_running_mixed_week(kinds, "11-11 12:00")

    assert progress_text(facts, "points") == words
    assert progress_percent(facts, "points") == share
    assert open_work_text(facts, "points") == left


@given(ITEM_KINDS, st.sampled_from(["11-09 18:00", "11-11 12:00", "11-13 12:00", "11-20 12:00"]))
def test_no_card_calls_a_sprint_with_open_items_done(
    kinds: list[tuple[int | None, bool]], as_of: str
) -> None:
    facts = make_running_mixed_week(kinds, as_of)
    texts = [alert_text(facts, [DaysLeft(2)])]
    for unit in ("points", "count"):
        burndown = build_burndown(facts, unit)
        texts += [status_head(facts, burndown), status_details(facts, burndown), describe_burndown(burndown)]
        texts += [*summarize_burndown(facts, burndown), *summarize_burnup(facts, burndown)]
    texts.append(
        result_sentence(build_report(convert_facts(facts), is_over=facts.sprint.has_ended(facts.as_of)))
    )
    if facts.open_items:
        assert [text for text in texts if SAYS_DONE.search(text)] == []


def test_a_check_counts_items_where_no_points_would_be_left() -> None:
    facts = make_running_mixed_week([(5, True), (3, False), (None, False)], "11-11 12:00")
    item = next(item for item in facts.open_items if item.points)
    after = facts.remaining - sum_items([item])
    impact = Impact(
        PullRequest("pull-9", 9, "abc", facts.as_of),
        PullRequestStatus.SPRINT,
        facts.sprint,
        linked_items=(LinkedItem(item, LinkKind.CLOSES),),
        effect=Effect("points", facts.scope, facts.remaining, after),
    )

    assert impact_title(impact) == "Finishes #2: 2 → 1 item left in Sprint 12"
    assert (
        "| Left to do | 2 of 3 items | **1 of 3 items** |"
        in impact_card(impact, facts.sprint.calendar).summary
    )


@pytest.mark.parametrize(
    ("done", "whole", "text"),
    [
        (Amount(Decimal(5), 2), Amount(Decimal(8), 3), "5 of 8 points"),
        (Amount(Decimal(5), 2), Amount(Decimal(5), 3), "5 of 5 points and 2 of 3 items"),
        (Amount(Decimal(0), 0), Amount(Decimal(0), 1), "0 of 1 item"),
    ],
)
def test_items_stand_for_points_where_there_are_none(done: Amount, whole: Amount, text: str) -> None:
    assert done_text(done, whole, "points") == text
