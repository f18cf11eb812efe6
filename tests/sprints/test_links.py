"""Which issues a pull request closes, from what its text says and what GitHub lists."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sprints.links import LINKED, PullRequestLinks, find_link_times, list_closed_issues
from sprints.model import EventSource, ItemEvent
from tests.support.builders import Box, Card, at

NUMBERS = st.sets(st.integers(1, 4))


def listed(card: Card, when: str, *closes: int) -> ItemEvent:
    """GitHub was asked, and these were linked."""
    last = card.events[-1]
    snapshot = replace(last.snapshot, closes=closes)
    fact = replace(last, event=LINKED, at=at(when), snapshot=snapshot, source=EventSource.CORRECTION)
    card.events.append(fact)
    return fact


@given(words=st.lists(NUMBERS))
def test_without_a_list_the_text_decides(words: list[set[int]]) -> None:
    links = PullRequestLinks()
    for word in words:
        links.say(word, is_edit=False)
    assert set(links.closes) == (words[-1] if words else set())


@given(words=NUMBERS, numbers=NUMBERS, again=st.integers(0, 3))
def test_a_list_holds_however_often_the_same_text_is_shown_again(
    words: set[int], numbers: set[int], again: int
) -> None:
    links = PullRequestLinks()
    links.say(words, is_edit=False)
    links.list(numbers)
    for _ in range(again):
        links.say(words, is_edit=False)
    assert set(links.closes) == numbers


@given(words=NUMBERS, numbers=NUMBERS, edited=NUMBERS)
def test_an_edit_changes_only_what_it_says_otherwise(
    words: set[int], numbers: set[int], edited: set[int]
) -> None:
    links = PullRequestLinks()
    links.say(words, is_edit=False)
    links.list(numbers)
    links.say(edited, is_edit=True)
    assert set(links.closes) == (numbers - (words - edited)) | (edited - words)


@given(numbers=NUMBERS, words=NUMBERS)
def test_the_first_text_after_a_list_adds_only_by_an_edit(numbers: set[int], words: set[int]) -> None:
    for is_edit, expected in ((False, numbers), (True, numbers | words)):
        links = PullRequestLinks()
        links.list(numbers)
        links.say(words, is_edit=is_edit)
        assert set(links.closes) == expected


def test_what_the_list_lacks_counts_from_then_on_as_work_of_its_own() -> None:
    box = Box("11-10", start="11-16", due="2026-11-27")
    issue = Card(1).opened("11-10", "points: 3").joined("11-11")
    pull = Card(2, closes=(1,)).opened("11-10", "points: 8").joined("11-11")
    listed(pull, "11-18 12:00")
    pull.commented("11-19")
    before, after = (box.facts(issue, pull, as_of=when) for when in ("11-18 11:00", "11-20"))

    assert [int(facts.scope.points) for facts in (before, after)] == [3, 11]
    assert int(after.committed.points) == 3
    # A day that is over stays as it was.
    assert int(after.days[0].scope.points) == 3


def test_a_link_that_only_the_text_claimed_is_no_start_of_work() -> None:
    pull = Card(2, closes=(1, 3)).opened("11-10")
    listed(pull, "11-10 09:00", 3)
    assert find_link_times(pull.events) == {3: at("11-10")}
    assert list_closed_issues(reversed(pull.events)) == (3,)


def test_a_link_that_was_listed_began_the_work_though_it_is_gone_now() -> None:
    pull = Card(2, is_pull_request=True).opened("11-10")
    listed(pull, "11-11", 1)
    listed(pull, "11-12")
    assert find_link_times(pull.events) == {1: at("11-11")}
    assert list_closed_issues(pull.events) == ()
