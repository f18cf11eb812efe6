"""Signed bodies as JSON or form, and refusals of those that cannot be read."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.jobs.worker import worker
from bot.services import Services
from bot.webhooks.github_endpoint import read_envelope
from handlers.payloads import MalformedError, replace_half_pairs, strip_nul
from storage.cipher import delivery_place
from tests.support.calling import SIGNED, strict_endpoint
from tests.support.running import WebhookClient, rows, signature, wait_until
from tests.support.webhooks import INSTALLATION_CREATED, ISSUE_OPENED, list_stored_events

_BODY = json.dumps(ISSUE_OPENED).encode()


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    async with strict_endpoint(base) as opened:
        yield opened


# What the body says


async def post(webhook_client: WebhookClient, body: bytes, kind: str, **headers: str) -> tuple[int, str]:
    data = SIGNED | {"X-Hub-Signature-256": signature(body), "Content-Type": kind}
    return await webhook_client.post(body, data | headers)


_FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "form",
    [
        urlencode({"payload": _BODY}).encode(),
        b"payload=" + quote_plus(_BODY).lower().replace("%7b", "%7B").encode().replace(b"_", b"%5f"),
        b"first=1&payload=" + quote_plus(_BODY).encode() + b"&payload2=x",
    ],
)
@pytest.mark.parametrize("kind", [_FORM, _FORM.upper() + "; charset=UTF-8"])
async def test_a_delivery_as_a_form_is_stored_as_json(
    base: Services, webhook_client: WebhookClient, form: bytes, kind: str
) -> None:
    assert await post(webhook_client, form, kind) == (202, "stored")
    (event,) = await list_stored_events(base)
    assert set(json.loads(base.cipher.open(event.payload, delivery_place(3, event.delivery_id)))) == set(
        ISSUE_OPENED
    )


async def test_a_form_keeps_every_character(base: Services, webhook_client: WebhookClient) -> None:
    odd = ISSUE_OPENED | {"title": "50 % & more = ü + 👍 ;"}
    assert (await post(webhook_client, urlencode({"payload": json.dumps(odd)}).encode(), _FORM))[0] == 202
    (event,) = await list_stored_events(base)
    assert json.loads(base.cipher.open(event.payload, delivery_place(3, event.delivery_id))) == odd


@pytest.mark.parametrize(
    "form",
    [b"", b"payload", b"payload=", b"Payload=%7B%7D", b"payload=%7B", b"payload=%FF", b"payload=%00", b"x=1",
     b"payload=%7B%7D&payload=%7B%7D", b"a&" * 30 + b"payload=%7B%7D", b"payload=%zz", _BODY],
)  # fmt: skip
async def test_a_form_without_a_payload_is_400(
    base: Services, webhook_client: WebhookClient, form: bytes
) -> None:
    assert (await post(webhook_client, form, _FORM))[0] == 400
    assert await list_stored_events(base) == []


async def test_a_form_is_signed_as_it_is_sent(webhook_client: WebhookClient) -> None:
    form = urlencode({"payload": _BODY}).encode()
    headers = {"X-Hub-Signature-256": signature(_BODY), "Content-Type": _FORM}
    assert (await webhook_client.post(form, SIGNED | headers))[0] == 401


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                  "application/vnd.github+json"])  # fmt: skip
async def test_json_is_read_under_all_its_names(webhook_client: WebhookClient, kind: str) -> None:
    assert await post(webhook_client, _BODY, kind) == (202, "stored")


def changed(**values: Any) -> bytes:
    """The payload with values of its repository's owner, or itself, replaced by what JSON text says."""
    text = json.dumps(ISSUE_OPENED)
    for name, value in values.items():
        text = text.replace(f'"{name}": {json.dumps(value[0])}', f'"{name}": {value[1]}')
    assert text != json.dumps(ISSUE_OPENED)
    return text.encode("utf-8", "surrogateescape")


UNREADABLE = {
    "deep list": b"[" * 100_000,
    "deep in a part that nobody reads": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "installation of 2**63": changed(id=(100, str(2**63))),
    "installation of 2**64": changed(id=(100, str(2**64))),
    "negative installation": changed(id=(100, "-1")),
    "installation of 5,000 digits": changed(id=(100, "9" * 5_000)),
    "installation as text": changed(id=(100, '"100"')),
    "installation with a fraction": changed(id=(100, "100.5")),
    "account of 2**63": changed(id=(3, str(2**63))),
    "raw NUL": changed(type=("Organization", '"Organi\x00zation"')),
    "two documents": _BODY + b"{}",
    "byte order mark": b"\xef\xbb\xbf" + _BODY,
    "list": b"[" + _BODY + b"]",
    "installation is a list": changed(installation=({"id": 100}, "[]")),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_cannot_be_read_is_400(base: Services, webhook_client: WebhookClient, body: bytes) -> None:
    for kind, sent in (("application/json", body), (_FORM, b"payload=" + quote_plus(body).encode())):
        status, message = await post(webhook_client, sent, kind)
        assert status == 400, message
    assert await list_stored_events(base) == []


def signed_for_billing(path: str, body: bytes) -> dict[str, str]:
    """The headers of a genuine delivery to one of billing's endpoints."""
    if path == "/webhooks/stripe":
        at = int(datetime.now(UTC).timestamp())
        signed = hmac.new(b"whsec_x", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={at},v1={signed}"}
    return SIGNED | {
        "X-GitHub-Event": "marketplace_purchase",
        "X-Hub-Signature-256": signature(body, "marketplace-secret"),
    }


async def post_to(webhook_client: WebhookClient, path: str, body: bytes) -> int:
    headers = signed_for_billing(path, body)
    async with webhook_client.session.post(webhook_client.url + path, data=body, headers=headers) as response:
        return response.status


@pytest.mark.parametrize("path", ["/webhooks/marketplace", "/webhooks/stripe"])
@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"id":"x","type":"y","data":{"object":' + b'{"a":' * 100_000,
     b'{"id": "evt\\u0000", "type": "invoice.paid"}', b"null", b""],
)  # fmt: skip
async def test_nor_is_it_by_the_doors_of_billing(
    webhook_client: WebhookClient, path: str, body: bytes
) -> None:
    assert await post_to(webhook_client, path, body) == 400


@pytest.mark.parametrize(
    "shown",
    [
        {"subscription": "sub\x00", "customer": "cus_1"},
        {"subscription": "sub_1", "customer": "cus\x00"},
        {"subscription": "sub_1", "metadata": ["account"]},
        {"subscription": "sub_1", "metadata": {"account": 7}},
        {"subscription": "sub_1", "metadata": {"account": "٣"}},
        {"subscription": "sub_1", "metadata": {"account": "9" * 30}},
        {"subscription": {"id": {"id": "sub_1"}}, "metadata": None},
    ],
)
async def test_odd_values_of_stripe_are_passed_over(
    webhook_client: WebhookClient, shown: dict[str, Any]
) -> None:
    for kind in ("checkout.session.completed", "customer.deleted", "invoice.paid"):
        event = {"id": "evt_1", "type": kind, "data": {"object": shown}}
        assert await post_to(webhook_client, "/webhooks/stripe", json.dumps(event).encode()) == 200


@pytest.mark.parametrize("account", [2**63, -1])
async def test_a_purchase_by_an_account_that_cannot_be(webhook_client: WebhookClient, account: int) -> None:
    body = json.dumps({"action": "purchased", "marketplace_purchase": {"account": {"id": account}}}).encode()
    assert await post_to(webhook_client, "/webhooks/marketplace", body) == 400


# Of the envelope, which must not cost the event.
ODD_ENVELOPES = {
    "invalid UTF-8": changed(login=("acme", '"ac\udcffme"')),
    "repository-of-2**63": changed(id=(5, str(2**63))),
    "NUL in the kind of account": changed(type=("Organization", '"Organi\\u0000zation"')),
    "login that no index takes": changed(login=("acme", json.dumps("x" * 5_000))),
    "first half of a pair": changed(login=("acme", '"\\ud800"')),
    "second half of a pair": changed(login=("acme", '"\\uDC00x"')),
    "half a pair where nobody looks": changed(title=("Pay by card", '"Pay \\\\\\ud83d \\ud83d\\ude00"')),
    "owner without a type": changed(type=("Organization", "null")),
    "owner without a login": changed(login=("acme", "null")),
}


@pytest.mark.parametrize("body", ODD_ENVELOPES.values(), ids=ODD_ENVELOPES.keys())
async def test_an_odd_part_of_the_envelope_costs_that_part(
    base: Services, webhook_client: WebhookClient, body: bytes
) -> None:
    for kind, sent in (("application/json", body), (_FORM, b"payload=" + quote_plus(body).encode())):
        assert (await post(webhook_client, sent, kind))[0] == 202
    (event,) = await list_stored_events(base)
    payload = base.cipher.open(event.payload, delivery_place(3, event.delivery_id))
    assert replace_half_pairs(payload) == payload


@pytest.mark.parametrize(
    "odd",
    [
        {"organization": {}},
        {"organization": {"id": 3, "login": None}},
        {"organization": 7},
        {"installation": {"id": 100, "account": {}}},
        {"installation": {"id": 100, "account": {"id": 3, "login": 7, "type": None}}},
        {"repository": None, "organization": {"id": 3, "login": "acme", "type": 7}},
        {"repository": [], "sender": 7},
        {"repository": {"owner": {}}, "changes": [7]},
        {"changes": {"owner": 7}},
    ],
)
async def test_whose_a_delivery_is_can_be_told_by_any_part(
    base: Services, webhook_client: WebhookClient, odd: dict[str, Any]
) -> None:
    assert await webhook_client.deliver("issues", ISSUE_OPENED) == (202, "stored")
    assert await webhook_client.deliver("installation", INSTALLATION_CREATED) == (202, "stored")
    assert await webhook_client.deliver("issues", ISSUE_OPENED | odd) == (202, "stored")
    assert len({event.organization_id for event in await list_stored_events(base)}) == 1


async def test_an_organization_whose_type_is_missing_is_one(
    base: Services, webhook_client: WebhookClient
) -> None:
    owner = ISSUE_OPENED["repository"]["owner"] | {"type": None}
    payload = ISSUE_OPENED | {
        "repository": ISSUE_OPENED["repository"] | {"owner": owner},
        "organization": {"id": 3, "login": "acme"},
    }
    assert await webhook_client.deliver("issues", payload) == (202, "stored")
    (event,) = await list_stored_events(base)
    (organization,) = await rows(base, "select * from organizations", event.organization_id)
    assert (organization.name, organization.account_type) == ("acme", "Organization")


ODD = (
    ODD_ENVELOPES
    | {
        f"{depth} levels deep where nobody looks": b'{"x":' + b"[" * depth + b"]" * depth + b"," + _BODY[1:]
        for depth in (100, 850, 900, 925, 940, 950, 960, 970, 980, 990)
    }
    | {
        "invalid UTF-8 where nobody looks": b'{"x":"\xff",' + _BODY[1:],
        "title with a lone surrogate": changed(title=("Pay by card", '"\\ud800 card"')),
        "title with NUL": changed(title=("Pay by card", '"Pay\\u0000 by\\\\u0000 card"')),
        "title in invalid UTF-8": changed(title=("Pay by card", '"\udcff card"')),
        "issue number of 2**31": changed(number=(7, str(2**31))),
        "sender of 2**63": changed(id=(1, str(2**63))),
        "push long after the end of time": changed(private=(False, 'false, "pushed_at": 999999999999999')),
        "full name that no index takes": changed(full_name=("acme/shop", json.dumps("a/" + "x" * 5_000))),
        "the same key twice": _BODY[:-1] + b', "action": "opened"}',
    }
)


async def test_what_is_taken_can_be_worked_off(base: Services, webhook_client: WebhookClient) -> None:
    """No payload that the door takes fails again and again in the worker, or stops the one behind it."""
    async with worker(base, talks=False):
        for name, body in ODD.items():
            headers = {"X-GitHub-Delivery": name.replace(" ", "-")}
            status, message = await post(webhook_client, body, "application/json", **headers)
            assert status in {202, 400}, (name, message)
        assert await webhook_client.deliver("issues", ISSUE_OPENED) == (202, "stored")

        async def all_are_done() -> bool:
            events = await list_stored_events(base)
            return all(event.processed_at or event.attempts for event in events)

        await wait_until(all_are_done)
    events = await list_stored_events(base)
    assert [event.delivery_id for event in events if event.attempts] == []
    assert len(events) >= len(ODD) / 2


async def test_nul_is_left_out_of_what_is_recorded(base: Services, webhook_client: WebhookClient) -> None:
    async with worker(base, talks=False):
        assert (await post(webhook_client, ODD["title with NUL"], "application/json"))[0] == 202

        async def is_recorded() -> bool:
            (event,) = await list_stored_events(base)
            return event.processed_at is not None

        await wait_until(is_recorded)
    (event,) = await list_stored_events(base)
    (fact,) = await rows(base, "select * from timeline where event = 'opened'", event.organization_id)
    assert "Pay by\\\\u0000 card" in json.dumps(fact._asdict(), default=str)


@given(st.binary(max_size=60))
@example(b'{"repository": {"id": 9223372036854775808}}')
@example(b'{"action": "\xff"}')
@example(b"[" * 5_000)
def test_whatever_comes_is_read_or_malformed(body: bytes) -> None:
    for given_body in (body, b'{"repository": ' + body + b"}", b'{"x": ' + body + b"}"):
        try:
            read_envelope(given_body)
        except MalformedError:
            continue


@given(st.text(alphabet=st.sampled_from(["\x00", "\\", "u", "0", '"', "a", "ü"]), max_size=12))
def test_only_nul_is_left_out(text: str) -> None:
    assert json.loads(strip_nul(json.dumps([text]).encode())) == [text.replace("\x00", "")]


@given(
    st.text(alphabet=st.sampled_from(["\ud83d", "\ude00", "\\", "u", "d", "8", '"', "a", "ü"]), max_size=12)
)
def test_only_halves_of_pairs_are_replaced(text: str) -> None:
    # Where two halves come together, JSON makes one character of them.
    whole = json.loads(json.dumps([text]))[0]
    readable = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in whole)
    assert json.loads(replace_half_pairs(json.dumps([text]).encode())) == [readable]
