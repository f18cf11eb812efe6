"""What is sealed opens in its place and with its key, and nowhere else."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.cipher import PayloadCipher, delivery_place, new_key

CIPHER = PayloadCipher([new_key(), new_key()])
places = st.builds(delivery_place, st.none() | st.integers(0, 2**63), st.text(max_size=40))


@given(st.binary(), places)
def test_it_opens_where_it_was_sealed_for(content: bytes, place: bytes) -> None:
    assert CIPHER.open(CIPHER.seal(content, place), place) == content


@given(st.binary(), places, places, st.booleans())
def test_it_opens_nowhere_else(content: bytes, place: bytes, other: bytes, may_be_unbound: bool) -> None:
    assume(place != other)
    with pytest.raises(LookupError):
        CIPHER.open(CIPHER.seal(content, place), other, may_be_unbound=may_be_unbound)


@given(st.binary(), places, st.data())
def test_a_changed_byte_is_noticed(content: bytes, place: bytes, data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(content, place))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LookupError):
        CIPHER.open(bytes(sealed), place, may_be_unbound=True)


@given(st.binary(max_size=30), places)
def test_what_was_never_sealed_does_not_open(garbage: bytes, place: bytes) -> None:
    with pytest.raises(LookupError):
        CIPHER.open(garbage, place, may_be_unbound=True)


@given(st.lists(st.tuples(st.none() | st.integers(0, 10**6), st.text(max_size=20)), unique=True))
def test_no_two_deliveries_share_a_place(deliveries: list[tuple[int | None, str]]) -> None:
    assert len({delivery_place(*delivery) for delivery in deliveries}) == len(deliveries)
