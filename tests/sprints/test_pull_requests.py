"""Pull requests by what is at their heads."""

import random
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sprints.model import ActivityEvent, State
from sprints.pull_requests import (
    LEAST_USUAL,
    PressedButton,
    PullRequest,
    build_pull_requests,
    create_aside_event,
    create_pressed_event,
    find_first_review,
    find_last_button,
    find_who_set_aside,
    group_head_events,
    index_by_head,
    measure_usual_size,
    measure_usual_wait,
)
from tests.support.builders import at

NOW = at("11-20 12:00")


def head(
    when: str | datetime, event: str = "opened", sha: str = "a", number: int = 4, **fields: Any
) -> ActivityEvent:
    """What a webhook tells of a pull request's head."""
    before = fields.pop("before", None)
    details = {
        "pull_request": f"PR_{number}",
        "number": number,
        "created_at": at("11-16 09:00").isoformat(),
        "state": "open",
        "author": "bob",
        **fields,
    }
    return ActivityEvent(
        "head", sha, event, at(when), "d", details=details, before={"head": before} if before else None
    )


def review(when: str | datetime, reviewer: str = "alice", number: int = 4, **fields: Any) -> ActivityEvent:
    details = {"pull_request": f"PR_{number}", "author": "bob", "reviewer": reviewer, **fields}
    return ActivityEvent("review", f"{when}", "submitted", at(when), "d", details=details)


# The newest picture


def test_it_is_as_it_was_shown_last() -> None:
    facts = [
        head("11-16 09:00", additions=3, deletions=1, files=2, closes=[12]),
        head("11-17 09:00", "synchronize", "b", additions=30, deletions=10, files=5, closes=[]),
    ]
    (pull,) = build_pull_requests(reversed(facts)).values()
    assert (pull.head, pull.lines, pull.files, pull.closes) == ("b", 40, 5, ())


def test_old_and_thin_facts_can_be_read() -> None:
    (pull,) = build_pull_requests([head("11-16 09:00")]).values()
    assert pull == PullRequest("PR_4", 4, "a", at("11-16 09:00"), author="bob")
    assert pull.lines is None


def test_of_two_pushes_in_a_second_the_one_that_replaced_the_other_counts() -> None:
    first = head("11-17 09:00:00", "synchronize", "z", before="y")
    second = head("11-17 09:00:00", "synchronize", "b", before="z")
    for facts in ([first, second], [second, first]):
        assert build_pull_requests(facts)[4].head == "b"


def test_what_ends_it_within_a_second_counts() -> None:
    push = head("11-17 09:00:00", "synchronize", "b", before="a")
    end = head("11-17 09:00:00", "closed", "b", state="done")
    for facts in ([push, end], [end, push]):
        assert build_pull_requests(facts)[4].state is State.DONE


def test_a_push_back_to_an_earlier_commit_counts() -> None:
    facts = [
        head("11-16 09:00", sha="a"),
        head("11-17 09:00", "synchronize", "b", before="a"),
        head("11-18 09:00", "synchronize", "a", before="b"),
    ]
    assert build_pull_requests(facts)[4].head == "a"


def test_links_that_somebody_asked_for_stay_known() -> None:
    facts = [head("11-16 09:00"), head("11-16 09:00", "linked", linked=[12]), head("11-17 09:00", "labeled")]
    assert build_pull_requests(facts)[4].linked == (12,)


def test_what_github_lists_stays_until_the_text_says_something_else() -> None:
    facts = [
        head("11-16 09:00", closes=[7]),
        head("11-16 09:01", "linked", linked=[12]),
        head("11-17 09:00", "labeled", closes=[7]),
    ]
    assert build_pull_requests(facts)[4].issues == {12}
    assert build_pull_requests([*facts, head("11-18", "edited", closes=[7, 8])])[4].issues == {8, 12}
    assert build_pull_requests([*facts, head("11-18", "edited", closes=[])])[4].issues == {12}


def test_a_list_does_not_bring_back_the_head_that_it_was_asked_for() -> None:
    """GitHub was asked before we heard of a push, by a clock that is ahead of GitHub's."""
    facts = [
        head("11-16 09:00", sha="a"),
        head("11-17 09:00:00", "synchronize", "b", before="a"),
        head("11-17 09:00:05", "linked", "a", linked=[12]),
    ]
    assert build_pull_requests(facts)[4].head == "b"
    assert build_pull_requests(facts)[4].issues == {12}


def test_towards_another_branch_words_are_known_but_link_nothing() -> None:
    facts = [head("11-16 09:00", closes=[7], is_to_default_branch=False)]
    assert not build_pull_requests(facts)[4].issues
    assert build_pull_requests(facts)[4].words == (7,)


def test_of_several_with_one_head_the_one_to_the_default_branch_speaks() -> None:
    pulls = [
        PullRequest("PR_3", 3, "a", NOW, is_to_default_branch=False),
        PullRequest("PR_5", 5, "a", NOW),
        PullRequest("PR_4", 4, "a", NOW),
        PullRequest("PR_2", 2, "a", NOW, State.DONE),
    ]
    for seed in range(5):
        random.Random(seed).shuffle(pulls)
        assert index_by_head(pulls)["a"].number == 4


@given(st.permutations(range(5)))
def test_the_order_of_arrival_makes_no_difference(order: list[int]) -> None:
    facts = [
        head("11-16 09:00"),
        head("11-17 09:00", "synchronize", "b", before="a"),
        head("11-17 09:00", "synchronize", "c", before="b"),
        head("11-18 09:00", "ready_for_review", "c"),
        head("11-18 09:00", "closed", "c", state="dropped"),
    ]
    (pull,) = build_pull_requests(facts[n] for n in order).values()
    assert (pull.head, pull.state) == ("c", State.DROPPED)


# Reviews


def test_it_waits_from_its_creation_to_the_first_review_of_another_person() -> None:
    life = [head("11-16 09:00")]
    own = [
        review("11-16 10:00", "Bob"),
        review("11-16 11:00", "ci", is_bot=True),
        review("11-16 11:30", number=5),
    ]
    result = find_first_review(life, [*own, review("11-17 09:00"), review("11-16 12:00")], NOW)
    assert (result.ready_at, result.first_at) == (at("11-16 09:00"), at("11-16 12:00"))
    assert find_first_review(life, own, NOW).first_at is None
    assert find_first_review(life, [review("11-21 09:00")], NOW).first_at is None


def test_a_draft_waits_for_nobody_until_it_is_ready() -> None:
    life = [head("11-16 09:00", is_draft=True)]
    assert find_first_review(life, (), NOW).ready_at is None
    life.append(head("11-17 09:00", "ready_for_review"))
    assert find_first_review(life, (), NOW).ready_at == at("11-17 09:00")
    life.append(head("11-18 09:00", "converted_to_draft", is_draft=True))
    assert find_first_review(life, (), NOW).ready_at is None
    # A review before that was of what was ready then.
    assert find_first_review(life, [review("11-17 11:00")], NOW).ready_at == at("11-17 09:00")


def test_nobody_knows_since_when_one_is_ready_that_was_seen_late() -> None:
    life = [head("11-17 09:00", "converted_to_draft", is_draft=True), head("11-18 09:00", "edited")]
    assert find_first_review(life, (), NOW).ready_at is None


# What is usual


def team(hours: list[int], **fields: Any) -> tuple[dict[int, list[ActivityEvent]], list[ActivityEvent]]:
    """Merged pull requests, each reviewed after so many hours."""
    begin = at("11-16 09:00")
    facts, reviews = list[ActivityEvent](), list[ActivityEvent]()
    for n, wait in enumerate(hours):
        size: dict[str, Any] = {"additions": 10 * (n + 1), "deletions": 0}
        facts += [
            head(begin, number=n),
            head("11-19 09:00", "closed", number=n, state="done", **size, **fields),
        ]
        reviews.append(review(begin + timedelta(hours=wait), number=n))
    return group_head_events(facts), reviews


def test_what_is_usual_is_reported_from_ten_on() -> None:
    lives, reviews = team(list(range(1, 11)))
    result = measure_usual_wait(lives, reviews, NOW)
    assert result
    assert (result.n, result.half, result.most) == (10, timedelta(hours=5), timedelta(hours=9))
    assert measure_usual_wait(lives, reviews[1:], NOW) is None
    size = measure_usual_size(lives, NOW)
    assert size
    assert (size.n, size.lines) == (10, 55)
    assert measure_usual_size({n: life for n, life in lives.items() if n}, NOW) is None


def test_bots_and_what_is_long_over_are_left_out() -> None:
    lives, reviews = team(list(range(1, 13)), is_of_bot=True)
    assert measure_usual_size(lives, NOW) is None
    lives, reviews = team(list(range(1, 13)))
    later = NOW + timedelta(days=100)
    assert measure_usual_size(lives, later) is None
    assert measure_usual_wait(lives, reviews, later) is None


@given(st.lists(st.integers(0, 60), max_size=25))
def test_what_is_usual_occurred(hours: list[int]) -> None:
    result = measure_usual_wait(*team(hours), NOW)
    waits = [timedelta(hours=hour) for hour in hours if hour > 0]
    assert (result is not None) == (len(waits) >= LEAST_USUAL)
    if result:
        assert result.n == len(waits)
        assert result.half in waits
        assert sum(wait <= result.half for wait in waits) * 2 >= len(waits)
        assert sum(wait <= result.most for wait in waits) >= 0.85 * len(waits)


# What people said


def test_who_set_it_aside_last_is_known_until_it_is_taken_up() -> None:
    data = [create_aside_event(4, 70, "alice", at("11-17")), create_aside_event(4, 70, "bob", at("11-18"))]
    assert find_who_set_aside(data, 4, 70) == "bob"
    assert find_who_set_aside(data, 4, 71) is None
    assert find_who_set_aside(data, 5, 70) is None
    data.append(create_aside_event(4, 70, "carol", at("11-19"), is_aside=False))
    assert find_who_set_aside(data, 4, 70) is None


def test_a_button_is_shown_on_the_head_on_which_it_was_pressed() -> None:
    pull = PullRequest("PR_4", 4, "a", NOW)
    early = PressedButton(4, "a", "Link #12", "alice", at("11-17"), "Done.", is_done=True)
    late = PressedButton(4, "a", "Add to sprint", "bob", at("11-18"), "No.", is_done=False)
    other = PressedButton(4, "b", "Add to sprint", "bob", at("11-19"), "No.", is_done=False)
    facts = [create_pressed_event(entry, f"d{n}") for n, entry in enumerate((late, early, other))]
    assert find_last_button(facts, pull) == late
    assert find_last_button((), pull) is None
