"""What an item is called where a sprint spans repositories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.numbering import Number, number_in, own, place, ref, seen_from

REPOSITORIES = st.sampled_from(["acme/web", "acme/pay", "acme/c#"])
NUMBERS = st.integers(1, 10**9)


@given(REPOSITORIES | st.just(""), NUMBERS)
def test_a_name_tells_its_repository_and_number(repository: str, number: int) -> None:
    assert place(number_in(repository, number)) == (repository, number)


def test_as_github_links_it() -> None:
    assert (ref(12), ref("acme/web#12")) == ("#12", "acme/web#12")


@given(REPOSITORIES | st.just(""), NUMBERS, REPOSITORIES, REPOSITORIES)
def test_seen_from_there_and_back_it_is_called_as_before(
    repository: str, number: int, there: str, here: str
) -> None:
    called: Number = number_in("" if repository == there else repository, number)
    assert seen_from(seen_from(called, there, here), here, there) == called
    assert seen_from(called, there, there) == called


def test_only_an_own_item_can_be_changed_from_here() -> None:
    assert own(12) == 12
    with pytest.raises(TypeError, match="acme/web#12 is an item of another repository"):
        own("acme/web#12")
