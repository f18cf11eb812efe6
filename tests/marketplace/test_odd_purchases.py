"""Marketplace events identify the account to look up, whatever else they contain."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from marketplace.github_purchases import ACTIONS, PurchaseEvent
from tests.support.webhook_descriptions import Described, described

_HINT = msgspec.json.Decoder(PurchaseEvent)


def description(action: str) -> Described:
    result = described("marketplace_purchase", action)
    assert result is not None
    return result


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_all_that_the_description_allows_is_read(action: str) -> None:
    about = description(action)
    for name, payload in (*about.variants(), *about.extremes()):
        hint = _HINT.decode(msgspec.json.encode(payload))
        assert (hint.action, hint.account.id) == (action, 7), name


@pytest.mark.parametrize("odd", [None, "", "soon", 7, {}, "2026-11-20"])
def test_an_odd_date_or_name_costs_itself(odd: object) -> None:
    about = description("cancelled")
    payload: dict[str, Any] = {**about.payload, "effective_date": odd}
    payload["marketplace_purchase"] = {"account": {"id": 7, "login": odd, "type": odd}}
    hint = _HINT.decode(msgspec.json.encode(payload))
    assert (hint.account.id, hint.effective_at) == (7, None)


def test_a_date_is_read() -> None:
    hint = _HINT.decode(
        b'{"action": "cancelled", "effective_date": "2026-11-20T00:00:00+00:00",'
        b' "marketplace_purchase": {"account": {"id": 7}}}'
    )
    assert hint.effective_at == datetime(2026, 11, 20, tzinfo=UTC)
