"""What was done on each day, and by whom."""

import random
from collections import Counter
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sprints.calendar import Calendar
from sprints.model import ActivityEvent
from sprints.team import PersonDay, TeamDay, WorkCounts, build_team_days
from sprints.throughput import count_throughput
from tests.support.builders import When, at
from tests.support.flow_cards import FlowCard, Repository, calendar, flows, pushed, repositories
from tests.support.sprints_strategies import NOWS

EVERY = settings(max_examples=60, deadline=None)
FIRST, LAST = date(2026, 11, 11), date(2026, 11, 20)
LONG_AGO, FAR_OFF = date(2026, 10, 1), date(2026, 12, 31)


def work(
    *cards: FlowCard, activity: tuple[ActivityEvent, ...] = (), as_of: When = "12-31", zone: str = "UTC"
) -> dict[tuple[int, str], WorkCounts]:
    """By day of November and person."""
    days = build_team_days(
        flows(*cards, as_of=as_of).values(), activity, at(as_of), calendar(zone), FIRST, LAST
    )
    return {(entry.date.day, entry.login): entry.work for day in days for entry in day.people}


def test_a_done_item_belongs_to_its_first_assignee_at_that_time() -> None:
    card = FlowCard().opened("11-10", "points: 3").assigned("11-11", "bob").assigned("11-11", "alice")
    card.closed("11-12").by("carol").unassigned("11-13", "bob")

    assert work(card) == {(12, "bob"): WorkCounts(1, Decimal(3))}


def test_without_an_assignee_it_belongs_to_who_closed_it_and_else_to_nobody() -> None:
    closed = FlowCard(1).opened("11-10").closed("11-12").by("carol")
    unknown = FlowCard(2).opened("11-10", "points: 2").closed("11-12")

    assert work(closed, unknown) == {(12, "carol"): WorkCounts(1), (12, ""): WorkCounts(1, Decimal(2))}


def test_a_merged_pull_request_belongs_to_its_author_also_where_it_closes_an_issue() -> None:
    issue = FlowCard(1).opened("11-10", "points: 5").assigned("11-10", "bob").closed("11-12")
    result = work(
        issue,
        FlowCard(2).proposed("11-11", 1, author="alice").closed("11-12"),
        FlowCard(3)
        .proposed("11-11", author="alice")
        .labeled("11-11", "points: 1")
        .closed("11-12")
        .by("carol"),
        FlowCard(4).proposed("11-11", author="alice").dropped("11-12"),
    )

    assert result == {
        (12, "alice"): WorkCounts(pull_requests=2),
        (12, "bob"): WorkCounts(1, Decimal(5)),
        (12, "carol"): WorkCounts(0, Decimal(1)),
    }


def test_a_parent_is_reported_by_its_sub_issues() -> None:
    parent = FlowCard(1).opened("11-10", "points: 8").closed("11-12").by("bob")
    child = FlowCard(2).opened("11-10", "points: 3").child_of("11-10", parent).closed("11-11").by("bob")

    assert work(parent, child) == {(11, "bob"): WorkCounts(1, Decimal(3))}


def test_a_reopened_item_counts_on_the_day_on_which_it_was_last_done() -> None:
    card = FlowCard().opened("11-10").closed("11-12").by("bob").reopened("11-13").closed("11-14").by("alice")

    assert work(card) == {(14, "alice"): WorkCounts(1)}
    assert work(card, as_of="11-13") == {(12, "bob"): WorkCounts(1)}
    assert work(card, as_of="11-14") == {}


def test_commits_belong_to_their_authors_on_the_local_day_of_the_push() -> None:
    push = pushed("11-12 23:30", {"alice": 2, "bob": 1, "": 4})

    assert work(activity=(push, pushed("11-12 08:00", {"alice": 1}))) == {
        (12, "alice"): WorkCounts(commits=3),
        (12, "bob"): WorkCounts(commits=1),
        (12, ""): WorkCounts(commits=4),
    }
    assert set(work(activity=(push,), zone="Europe/Berlin")) == {(13, "alice"), (13, "bob"), (13, "")}


def test_only_pushes_before_the_moment_count_and_each_once() -> None:
    push = pushed("11-12 10:00", {"alice": 2})
    deployed = replace(push, kind="deployment")
    told_again = replace(push, delivery="another")

    assert work(activity=(push, told_again, deployed)) == {(12, "alice"): WorkCounts(commits=2)}
    assert work(activity=(push,), as_of="11-12 10:00") == {}


def test_a_push_that_says_nothing_counts_nothing() -> None:
    odd = replace(pushed("11-12"), details={"commits": ["alice"]})
    odder = replace(pushed("11-12"), details={"commits": {"alice": "two"}})

    assert work(activity=(odd, odder, replace(odd, subject="x", details={}))) == {}


def test_each_day_is_there_even_without_any_work() -> None:
    days = build_team_days(
        [], [pushed("11-12", {"alice": 2})], at("12-31"), calendar(), FIRST, date(2026, 11, 12)
    )
    nothing = date(2026, 11, 11)

    assert [day.date.day for day in days] == [11, 12]
    assert days[0] == TeamDay(nothing)
    assert [person_day.work.commits for day in days for person_day in day.people] == [2]


def test_people_stand_by_name_and_never_by_what_they_did() -> None:
    push = pushed("11-12", {"zoe": 9, "bob": 1, "alice": 5})
    (day,) = build_team_days([], [push], at("12-31"), calendar(), date(2026, 11, 12), date(2026, 11, 12))

    assert [user.login for user in day.people] == ["alice", "bob", "zoe"]
    assert {field.name for field in fields(PersonDay)} == {"date", "login", "work"}


# What holds for every history


@given(repositories(), NOWS)
@EVERY
def test_a_days_people_add_up_to_the_teams_totals(repo: Repository, as_of: datetime) -> None:
    result, days = repo.flows(as_of), Calendar.of(repo.zone)
    counted = [flow for flow in result if flow.done_at and not flow.is_covered]
    data = build_team_days(result, repo.pushes, as_of, days, LONG_AGO, FAR_OFF)
    points, requests, commits, issues = Counter[date](), Counter[date](), Counter[date](), Counter[date]()
    for flow in counted:
        assert flow.done_at
        points[days.day_of(flow.done_at)] += flow.points or 0  # type: ignore[assignment]
        issues[days.day_of(flow.done_at)] += not flow.is_pull_request
    for flow in result:
        if flow.is_pull_request and flow.done_at:
            requests[days.day_of(flow.done_at)] += 1
    for push in repo.pushes:
        told_commits = push.details["commits"]
        assert isinstance(told_commits, dict)
        if push.at < as_of:
            commits[days.day_of(push.at)] += sum(told_commits.values())

    for day in data:
        assert day.total == WorkCounts(
            issues[day.date], Decimal(points[day.date]), requests[day.date], commits[day.date]
        )
        assert len({user.login for user in day.people}) == len(day.people)
    own = [f for f in counted if f.is_pull_request]
    everything = sum((day.total for day in data), WorkCounts())
    assert everything.issues_closed + len(own) == count_throughput(result, days, LONG_AGO, FAR_OFF).total


@given(repositories(), NOWS, st.integers(0, 2**32))
@EVERY
def test_order_of_arrival_and_duplicates_change_nothing(repo: Repository, as_of: datetime, seed: int) -> None:
    shuffle = random.Random(seed)
    result, days = list(repo.flows(as_of)), Calendar.of(repo.zone)
    as_told = build_team_days(result, repo.pushes, as_of, days, LONG_AGO, FAR_OFF)
    shuffle.shuffle(result)
    pushes = [*repo.pushes, *(shuffle.choices(repo.pushes, k=2) if repo.pushes else [])]
    shuffle.shuffle(pushes)

    assert build_team_days(result, pushes, as_of, days, LONG_AGO, FAR_OFF) == as_told
