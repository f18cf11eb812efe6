"""Steps of changes as they lie in the database: a proposal of an older version can still be carried out."""

import pytest

from commands.framework.changes import RecordFact, decode_steps, encode_steps

STORED = [
    '{"type":"Relabel","number":1,"removed":[],"added":["bug"]}',
    '{"type":"Block","number":1,"by":2,"is_blocked":true}',
    '{"type":"Tell","number":1,"event":"started","reason":"","by":null,"since":""}',
    '{"type":"Settle","key":"wip","before":null,"after":2}',
    '{"type":"Link","number":1,"issue":2}',
    '{"type":"SetAside","number":1,"milestone":2,"is_aside":true}',
    '{"type":"Resync","is_whole":false}',
    '{"type":"ApproveSeats","reference":"sub_1","before":1,"after":2,"unit_amount":600,"currency":"usd"}',
]


@pytest.mark.parametrize("stored", STORED)
def test_stored_steps_keep_their_form(stored: str) -> None:
    assert encode_steps(decode_steps(f"[{stored}]")).decode() == f"[{stored}]"


def test_a_step_stored_before_it_had_all_its_fields_is_read() -> None:
    stored = '[{"type":"Tell","number":1,"event":"started","reason":"","by":null}]'
    assert list(decode_steps(stored)) == [RecordFact(1, "started")]
