"""Limits on work in progress: what counts against them, and when they are broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.settings_parser import parse_settings
from sprints.wip import (
    Team,
    Wip,
    WipLimits,
    count_wip,
    limited_wips,
    list_owners,
    list_people_at_work,
    select_team_flows,
)
from tests.support.flow_cards import FlowCard, flows

WEB = Team("web", frozenset({"team: web"}), frozenset({"alice", "bob", "carol"}))
OPS = Team("ops", people=frozenset({"dave"}))
SETTINGS = parse_settings(
    {
        "wip": {"limit": 3, "teams": {"web": 1}},
        "teams": {
            "web": {"labels": ["Team: Web"], "people": ["Alice", "bob", "carol"]},
            "ops": {"people": ["dave"]},
        },
    }
)


def started(number: int, *people: str, label: str | None = None, on: str = "11-11") -> FlowCard:
    card = FlowCard(number).opened("11-01", *([label] if label else [])).started(on)
    for login in people:
        card.assigned(on, login)
    return card


def test_what_is_in_progress_counts_the_oldest_first() -> None:
    cards = [
        started(1),
        started(2, on="11-10"),
        started(3).paused("11-12"),
        started(4).closed("11-12"),
        FlowCard(5).opened("11-01"),
    ]
    assert [flow.number for flow in count_wip(flows(*cards).values()).items] == [2, 1]


@pytest.mark.parametrize(("most", "excess"), [(None, 0), (1, 1), (2, 0), (3, 0)])
def test_a_limit_is_broken_by_what_exceeds_it(most: int | None, excess: int) -> None:
    assert count_wip(flows(started(1), started(2)).values(), most).excess == excess


def test_a_label_says_whose_an_item_is_before_the_people_do() -> None:
    cards = [started(1, "Alice"), started(2, "dave"), started(3, "dave", label="Team: web"), started(4)]
    result = flows(*cards).values()

    assert [flow.number for flow in select_team_flows(WEB, (WEB, OPS), result)] == [1, 3]
    assert [flow.number for flow in select_team_flows(OPS, (WEB, OPS), result)] == [2]


def test_each_limit_is_watched_and_those_broken_are_reported() -> None:
    result = list(flows(started(1, "alice"), started(2, "bob"), started(3, "dave")).values())

    wips = limited_wips(result, SETTINGS.teams, SETTINGS.wip_limits)
    assert [(wip.team, wip.count, wip.most, wip.excess) for wip in wips] == [
        (None, 3, 3, 0),
        ("web", 2, 1, 1),
    ]
    assert limited_wips(result, SETTINGS.teams, WipLimits()) == []


def test_a_pull_request_belongs_to_its_assignees_before_its_author_and_never_to_a_bot() -> None:
    made = FlowCard(1).proposed("11-10", author="renovate[bot]")
    assert list_owners(flows(made)[1]) == set()
    assert list_owners(flows(made.assigned("11-11", "Bob"))[1]) == {"bob"}
    assert list_owners(flows(FlowCard(2).proposed("11-10", author="Carol"))[2]) == {"carol"}
    assert list_owners(flows(FlowCard(1).opened("11-10"))[1]) == set()


def test_people_are_who_has_items_and_whom_the_team_names() -> None:
    result = flows(started(1, "alice"), started(2, "eve"), started(3)).values()
    assert list_people_at_work(result) == {"alice", "eve"}
    assert list_people_at_work(result, OPS) == {"alice", "eve", "dave"}
    assert list_people_at_work([]) == set()


def test_limits_and_teams_are_read_from_the_settings() -> None:
    limits = SETTINGS.wip_limits
    assert (limits.repository, limits.limit_of("web"), limits.limit_of("ops")) == (3, 1, None)
    assert SETTINGS.teams == (OPS, WEB)


@pytest.mark.parametrize("value", [None, 0, -1, "5", True, 2.5, [5], {"a": 1}, 10**9])
def test_what_is_no_limit_is_passed_over(value: object) -> None:
    for setting in ({"limit": value, "teams": {"web": value}}, value, {"teams": value}):
        limits = parse_settings({"wip": setting}).wip_limits
        assert limits.repository is limits.limit_of("web") is None


@pytest.mark.parametrize("value", [None, [], "web", {"web": None}, {"web": {"labels": 5, "people": [1]}}])
def test_what_is_no_team_has_no_items(value: object) -> None:
    teams = parse_settings({"teams": value}).teams
    result = flows(started(1, "alice")).values()
    assert all(select_team_flows(team, teams, result) == [] for team in teams)


@given(st.integers(0, 9), st.none() | st.integers(1, 9))
def test_the_excess_is_what_must_end_before_the_limit_is_kept(count: int, most: int | None) -> None:
    every = count_wip(flows(*(started(n) for n in range(1, count + 1))).values()).items
    wip = Wip(every, most)
    assert wip.excess >= 0
    assert most is None or Wip(every[wip.excess :], most).excess == 0
