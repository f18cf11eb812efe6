"""Texts for the start of a sprint."""

from datetime import UTC, date

from commands.messages.start import adopted_sprint_text, new_sprint_text
from sprints.calendar import Calendar
from sprints.start_check import StartCheck
from sprints.succession import TimeBox
from tests.support.builders import Box, Card
from tests.support.report_sheets import make_box, make_planned_card

CALENDAR = Calendar.of(UTC)
EMPTY = 'It is empty. Add items with `/sprint add #1 #2 for:"Sprint 12"`.'


def new(start: str, goal: str | None = "Pay by card") -> str:
    first, due, today = (date.fromisoformat(f"2026-{entry}") for entry in (start, "11-27", "11-16"))
    return new_sprint_text("Sprint 12", goal, StartCheck(TimeBox(first, due), today, CALENDAR))


def text(
    *cards: Card, as_of: str = "11-16 09:30", frame: Box | None = None, before: Box | None = None
) -> str:
    facts = (frame or make_box()).facts(*cards, as_of=as_of)
    sprint = facts.sprint
    box = TimeBox(sprint.first_day, sprint.due or sprint.first_day)
    check = StartCheck(box, sprint.calendar.day_of(facts.as_of), sprint.calendar)
    return adopted_sprint_text(facts, before.sprint(as_of) if before else sprint, check)


def test_a_new_one() -> None:
    assert new("11-16").split("\n\n") == [
        "### Sprint 12 has started",
        "Mon 16 Nov – Fri 27 Nov 2026 · 10 working days",
        "**Goal:** Pay by card",
        f"{EMPTY} Whatever is in it at the end of today, 16 Nov 2026, is the commitment.",
    ]


def test_one_that_starts_later() -> None:
    assert "### Sprint 12 is planned" in new("11-23")
    assert "Whatever is in it when 23 Nov 2026 begins is the commitment." in new("11-23")


def test_without_a_goal_it_asks_for_one() -> None:
    assert 'It has no goal yet. Set one with `/sprint goal "…" for:"Sprint 12"`.' in new("11-16", None)


def test_what_is_committed_and_what_is_not_estimated() -> None:
    made = text(make_planned_card(1), make_planned_card(2, 3), make_planned_card(3, None))

    assert "**Committed: 8 points in 3 items.** Estimated: #1 (5 points), #2 (3 points)." in made
    assert "**1 item is not estimated:** #3. Run `/estimate 5` in each." in made


def test_what_came_after_midnight_is_no_part_of_it() -> None:
    late = Card(4).opened("11-16 08:00", "points: 2").joined("11-16 09:00")

    assert "Added since that day began, so not committed (2 points in 1 item): #4." in text(
        make_planned_card(1), late
    )


def test_before_it_starts_nothing_is_committed_yet() -> None:
    made = text(make_planned_card(1), as_of="11-13")

    assert "### Sprint 12 is planned" in made
    assert (
        "**It contains 5 points in 1 item.** Whatever is in it when 16 Nov 2026 begins is the commitment."
        in made
    )


def test_one_made_on_its_first_day_commits_at_the_days_end() -> None:
    frame = Box("11-16 09:00", due="2026-11-27", start="11-16")
    made = text(Card(1).opened("11-10", "points: 5").joined("11-16 09:10"), frame=frame)

    assert (
        "**It contains 5 points in 1 item.** Whatever is in it at the end of today is the commitment." in made
    )


def test_an_empty_one() -> None:
    assert "**Nothing is committed:** it was empty when it started." in text()
    assert "**It contains no open work yet.**" in text(as_of="11-13")


def test_what_the_milestone_said_before() -> None:
    before = Box("11-10", due="2026-11-25", description="Goal: Ship <b>")
    made = text(make_planned_card(1), before=before)

    assert (
        "Changed: due date (it was 25 Nov 2026), start (it was 10 Nov 2026), goal (it was: Ship \\<b\\>)."
        in made
    )
    assert "Changed" not in text(make_planned_card(1))
