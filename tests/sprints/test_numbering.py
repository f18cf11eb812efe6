"""What an item is called where a sprint spans repositories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprints.numbering import Number, local_number, qualify_number, ref, split_number, translate_number

REPOSITORIES = st.sampled_from(["acme/web", "acme/pay", "acme/c#"])
NUMBERS = st.integers(1, 10**9)


@given(REPOSITORIES | st.just(""), NUMBERS)
def test_a_name_tells_its_repository_and_number(repository: str, number: int) -> None:
    assert split_number(qualify_number(repository, number)) == (repository, number)


def test_as_github_links_it() -> None:
    assert (ref(12), ref("acme/web#12")) == ("#12", "acme/web#12")


@given(REPOSITORIES | st.just(""), NUMBERS, REPOSITORIES, REPOSITORIES)
def test_seen_from_there_and_back_it_is_called_as_before(
    repository: str, number: int, there: str, here: str
) -> None:
    called: Number = qualify_number("" if repository == there else repository, number)
    assert translate_number(translate_number(called, there, here), here, there) == called
    assert translate_number(called, there, there) == called


def test_only_an_own_item_can_be_changed_from_here() -> None:
    assert local_number(12) == 12
    with pytest.raises(TypeError, match="acme/web#12 is an item of another repository"):
        local_number("acme/web#12")
