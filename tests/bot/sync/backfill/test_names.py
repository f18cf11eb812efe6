"""Milestones that the history names by title only, resolved by time."""

from collections.abc import AsyncIterator, Sequence
from itertools import count

import pytest

from bot.services import Services
from bot.sync.backfill.names import NameHistory
from github_standin.github import StandInGitHub
from sprints.model import EventSource, MilestoneEvent
from tests.support.backfill import BackfillHarness, start_backfill, start_receiver
from tests.support.builders import Json, at, renamed

A, B = 501, 502
_DELIVERIES = count(1)


def told(
    milestone: int,
    event: str,
    when: str,
    title: str,
    *,
    created: str = "01-01",
    before: str | None = None,
    source: EventSource = EventSource.WEBHOOK,
) -> MilestoneEvent:
    return MilestoneEvent(
        milestone, event, at(when), f"{next(_DELIVERIES):04}", milestone, title, at(created),
        before={"title": before} if before else None, source=source,
    )  # fmt: skip


def names(*events: MilestoneEvent, now: dict[int, str]) -> NameHistory:
    known_items: dict[int, list[MilestoneEvent]] = {}
    for event in events:
        known_items.setdefault(event.milestone, []).append(event)
    return NameHistory({}, now, known_items)


def meant(result: NameHistory, title: str, *moments: str) -> Sequence[int | None]:
    return [result.find_titled(title, at(moment)) for moment in moments]


def test_a_milestone_has_its_title_since_its_creation_if_nothing_else_is_known() -> None:
    seen = told(A, "observed", "01-10", "One", created="01-10", source=EventSource.BACKFILL)
    assert meant(names(seen, now={A: "One"}), "One", "01-09", "01-10", "03-01") == [None, A, A]


def test_a_rename_that_was_heard_parts_the_titles() -> None:
    result = names(told(A, "edited", "02-01", "New", before="Old"), now={A: "New"})
    assert meant(result, "Old", "01-15", "02-01", "02-02") == [A, A, None]
    assert meant(result, "New", "01-15", "02-01", "02-02") == [None, A, A]


def test_a_title_that_was_given_up_and_taken_by_another() -> None:
    result = names(
        told(A, "edited", "02-01", "Old sprint", before="Sprint"),
        told(B, "created", "03-01", "Sprint", created="03-01"),
        now={A: "Old sprint", B: "Sprint"},
    )
    assert meant(result, "Sprint", "01-15", "02-15", "03-01", "04-01") == [A, None, B, B]


def test_a_deleted_milestone_gives_its_title_to_the_next() -> None:
    result = names(
        told(A, "created", "01-01", "Sprint"),
        told(A, "deleted", "02-01", "Sprint"),
        told(B, "observed", "03-01", "Sprint", created="03-01", source=EventSource.BACKFILL),
        now={B: "Sprint"},
    )
    assert meant(result, "Sprint", "01-15", "02-15", "03-15") == [A, None, B]


def test_between_two_sightings_either_title_may_have_been_borne() -> None:
    result = names(
        told(A, "observed", "01-10", "Old"), told(A, "observed", "02-10", "New"), now={A: "Newest"}
    )
    assert meant(result, "Old", "01-05", "01-20", "02-20") == [A, A, None]
    assert meant(result, "New", "01-05", "01-20", "02-20") == [None, A, A]
    assert meant(result, "Newest", "01-20", "02-20") == [None, A]


def test_what_was_asked_for_says_nothing_of_when() -> None:
    """The first run saw a milestone's old title, and wrote it down at the creation."""
    seen = told(A, "observed", "01-01", "Old", source=EventSource.BACKFILL)
    edited = told(A, "edited", "02-01", "New", before="Old")
    assert meant(names(seen, edited, now={A: "New"}), "Old", "01-15", "02-15") == [A, None]


def test_a_title_that_only_an_earlier_run_was_reported_may_have_been_borne_at_any_time() -> None:
    seen = told(A, "observed", "01-01", "Old", source=EventSource.BACKFILL)
    result = names(seen, now={A: "New"})
    assert meant(result, "Old", "01-15", "02-15") == meant(result, "New", "01-15", "02-15") == [A, A]


def test_labels_have_the_name_of_the_time() -> None:
    result = NameHistory(
        {}, {}, {}, [renamed("03-01", "second", "third"), renamed("02-01", "first", "second")]
    )
    assert [result.past_label_name("third", at(when)) for when in ("01-15", "02-15", "03-15")] == [
        "first",
        "second",
        "third",
    ]
    assert result.past_label_name("bug", at("01-15")) == "bug"


# Through the front door


@pytest.fixture
async def backfill(github: StandInGitHub, base: Services) -> AsyncIterator[BackfillHarness]:
    async with start_backfill(github, base) as result:
        yield result


async def moves(backfill: BackfillHarness, number: int) -> list[tuple[str, int]]:
    """Where an item joined and left, by the number of the milestone."""
    return [
        (row.event, int(row.subject) - backfill.past.id_of(0))
        for row in await backfill.of_item(number)
        if row.event in {"milestoned", "demilestoned"}
    ]


async def renamed_and_reused(backfill: BackfillHarness) -> Json:
    """Milestone 1 gives up its title, which milestone 2 takes. Returns the webhook of the rename."""
    past = backfill.past
    past.many(4)
    past.box(1, "01-01", title="Sprint")
    past.item(1, "milestoned", "01-03", box=1)
    past.item(2, "milestoned", "01-03", box=1)
    past.item(3, "milestoned", "01-03", box=1)
    past.item(3, "demilestoned", "01-04", box=1)
    past.box(1, "02-01", "edited", title="Sprint, the first")
    rename = past.deliveries[-1]
    past.item(2, "demilestoned", "02-02", box=1)
    past.box(2, "03-01", title="Sprint")
    past.item(2, "milestoned", "03-02", box=2)
    past.item(4, "milestoned", "03-02", box=2)
    await backfill.introduce()
    return rename


async def test_a_title_that_was_reused_after_a_rename_that_was_heard(backfill: BackfillHarness) -> None:
    rename = await renamed_and_reused(backfill)
    async with start_receiver(backfill.base) as hear:
        await hear([rename])
    await backfill.run()
    assert await moves(backfill, 1) == [("milestoned", 1)]
    assert await moves(backfill, 2) == [("milestoned", 1), ("demilestoned", 1), ("milestoned", 2)]
    assert await moves(backfill, 3) == [("milestoned", 1), ("demilestoned", 1)]
    assert await moves(backfill, 4) == [("milestoned", 2)]


async def test_a_title_that_was_reused_after_a_rename_that_nobody_heard(backfill: BackfillHarness) -> None:
    """What an item left it had joined, and where it is now it joined last; the rest cannot be known."""
    await renamed_and_reused(backfill)
    await backfill.run()
    assert await moves(backfill, 1) == [("milestoned", 1)]
    assert await moves(backfill, 2) == [("milestoned", 1), ("demilestoned", 1), ("milestoned", 2)]
    assert await moves(backfill, 3) == []
    assert await moves(backfill, 4) == [("milestoned", 2)]


async def test_what_joined_before_a_rename_was_not_there_from_the_beginning(
    backfill: BackfillHarness,
) -> None:
    await renamed_and_reused(backfill)
    await backfill.run()
    for number in (1, 2, 3, 4):
        opened, *_ = await backfill.of_item(number)
        assert "milestone" not in opened.after["item"]
