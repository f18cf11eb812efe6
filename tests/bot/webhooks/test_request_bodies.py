"""Checks before the signature: requests are refused by their headers, and bodies are bounded together."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

import bot.cli.serve
from bot.cli.serve import web_server
from bot.services import Services
from bot.webhooks.request_bodies import MAX_BODY_BYTES
from storage.cipher import delivery_place
from tests.support.calling import SIGNED, STRIPE_SIGNED, RawConnection, strict_endpoint
from tests.support.running import WebhookClient, signature, wait_until
from tests.support.webhooks import ISSUE_OPENED, list_stored_events


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    async with strict_endpoint(base) as opened:
        yield opened


@pytest.fixture
async def roomy(base: Services) -> AsyncIterator[WebhookClient]:
    """A door as it is when nothing is set."""
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


@pytest.fixture
async def callers() -> AsyncIterator[Any]:
    """Opens connections, and closes them at the end."""
    async with AsyncExitStack() as stack:

        async def call(
            webhook_client: WebhookClient,
            headers: dict[str, str],
            *,
            path: str = "/webhooks/github",
            length: int | None = None,
        ) -> RawConnection:
            caller = await RawConnection.of(webhook_client)
            stack.callback(caller.hang_up)
            size = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
            lines = [f"{name}: {value}" for name, value in ({"Host": "x"} | size | headers).items()]
            await caller.send("\r\n".join([f"POST {path} HTTP/1.1", *lines, "\r\n"]).encode())
            return caller

        yield call


def chunk(size: int) -> bytes:
    """A chunk of a body without a length."""
    return f"{size:x}\r\n".encode() + b"x" * size + b"\r\n"


# Before the body


@pytest.mark.parametrize("path", ["/webhooks/github", "/webhooks/marketplace"])
@pytest.mark.parametrize(
    "signed",
    ["", "sha256=", "sha256=" + "0" * 63, "sha256=" + "0" * 65, "sha256=" + "g" * 64, "sha1=" + "0" * 40,
     "0" * 64, "sha256=" + "0" * 64 + " x"],
)  # fmt: skip
async def test_without_a_signature_no_body_is_waited_for(
    webhook_client: WebhookClient, callers: Any, path: str, signed: str
) -> None:
    caller = await callers(
        webhook_client, SIGNED | {"X-Hub-Signature-256": signed}, path=path, length=1_000_000
    )
    status, _, message = await caller.answer()
    assert status == 401
    assert "X-Hub-Signature-256" in message


@pytest.mark.parametrize(
    "signed", [None, "nonsense", "t=1", f"v1={'0' * 64}", "t=abc,v1=def", f"t=1,v1={'0' * 63}"]
)
async def test_nor_by_stripe_s_endpoint(
    webhook_client: WebhookClient, callers: Any, signed: str | None
) -> None:
    headers = {} if signed is None else {"Stripe-Signature": signed}
    caller = await callers(webhook_client, headers, path="/webhooks/stripe", length=1_000_000)
    assert (await caller.answer())[0] == 401


@pytest.mark.parametrize("path", ["/webhooks/github", "/webhooks/marketplace"])
@pytest.mark.parametrize("header", ["X-GitHub-Event", "X-GitHub-Delivery"])
@pytest.mark.parametrize("value", [None, "", "two words", "é", "x" * 101])
async def test_a_header_that_names_nothing_is_refused_at_once(
    webhook_client: WebhookClient, callers: Any, path: str, header: str, value: str | None
) -> None:
    headers = SIGNED | {header: value or ""}
    if value is None:
        del headers[header]
    status, _, message = await (await callers(webhook_client, headers, path=path, length=1_000_000)).answer()
    assert status == 400
    assert f"the header {header} is" in message


@pytest.mark.parametrize(
    ("path", "signed"),
    [("/webhooks/github", SIGNED), ("/webhooks/marketplace", SIGNED), ("/webhooks/stripe", STRIPE_SIGNED)],
)
@pytest.mark.parametrize(
    ("headers", "length", "status"),
    [
        ({}, MAX_BODY_BYTES + 1, 413),
        ({}, 10**17, 413),
        ({"Content-Encoding": "gzip"}, 100, 415),
        ({"Content-Type": "text/plain"}, 100, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 100, 415),
    ],
)
async def test_what_could_not_be_read_is_refused_at_once(
    webhook_client: WebhookClient,
    callers: Any,
    path: str,
    signed: dict[str, str],
    headers: dict[str, str],
    length: int,
    status: int,
) -> None:
    caller = await callers(webhook_client, signed | headers, path=path, length=length)
    assert (await caller.answer())[0] == status


@pytest.mark.parametrize("path", ["/webhooks/github", "/webhooks/marketplace", "/webhooks/stripe"])
async def test_bytes_that_are_no_text_in_headers_are_refused(
    webhook_client: WebhookClient, path: str
) -> None:
    caller = await RawConnection.of(webhook_client)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n".encode()
    for name in (b"X-GitHub-Delivery", b"X-GitHub-Event", b"X-Hub-Signature-256", b"Stripe-Signature"):
        head += name + b": \xff\xfe\r\n"
    await caller.send(head + b"\r\n")
    assert (await caller.answer())[0] in {400, 401}
    caller.hang_up()


async def test_half_a_head_does_not_keep_a_connection(
    base: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.cli.serve, "_IDLE_SECONDS", 1)
    async with web_server(base, "127.0.0.1", 0) as port:
        caller = RawConnection(*await asyncio.open_connection("127.0.0.1", port))
        await caller.send(b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\n")
        assert await caller.is_closed()
        caller.hang_up()


# While the body comes


@pytest.mark.parametrize(
    ("path", "signed"),
    [("/webhooks/github", SIGNED), ("/webhooks/marketplace", SIGNED), ("/webhooks/stripe", STRIPE_SIGNED)],
)
@pytest.mark.parametrize("length", [1_000_000, None])
async def test_a_body_that_does_not_come_is_given_up(
    webhook_client: WebhookClient, callers: Any, path: str, signed: dict[str, str], length: int | None
) -> None:
    caller = await callers(webhook_client, signed, path=path, length=length)
    await caller.send(b"x" if length else chunk(1))
    status, headers, message = await caller.answer()
    assert status == 503
    assert headers["retry-after"] == "2"
    assert "within 2 seconds" in message


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_unfinished_bodies_are_bounded_together(
    webhook_client: WebhookClient, callers: Any, is_chunked: bool
) -> None:
    announced = None if is_chunked else 24 * 1024 * 1024
    unfinished = [await callers(webhook_client, SIGNED, length=announced) for _ in range(20)]
    sent = chunk(400_000) if is_chunked else b"x" * 400_000
    await asyncio.gather(*(caller.send(sent) for caller in unfinished))

    assert await webhook_client.deliver("issues", ISSUE_OPENED) == (202, "stored")

    answers = await asyncio.gather(*(caller.answer() for caller in unfinished))
    assert {status for status, _, _ in answers} == {503}
    assert all("retry-after" in headers for _, headers, _ in answers)
    # Two of them had room, and were given up later.
    assert sum("too many large bodies" in message for _, _, message in answers) == 18


async def test_who_only_announces_much_takes_no_room(webhook_client: WebhookClient, callers: Any) -> None:
    for _ in range(50):
        await callers(webhook_client, SIGNED, length=24 * 1024 * 1024)
    assert await webhook_client.deliver("issues", ISSUE_OPENED) == (202, "stored")


async def test_room_is_given_back(webhook_client: WebhookClient, callers: Any) -> None:
    large = ISSUE_OPENED | {"padding": "x" * 700_000}
    for number in range(5):
        unfinished = await callers(webhook_client, SIGNED, length=1_000_000)
        await unfinished.send(b"x" * 300_000)
        unfinished.hang_up()
        wrong = await callers(webhook_client, SIGNED, length=300_000)
        await wrong.send(b"x" * 300_000)
        assert (await wrong.answer())[0] == 401

        async def there_is_room(number: int = number) -> bool:
            return (await webhook_client.deliver("issues", large, f"guid-{number}"))[0] == 202

        await wait_until(there_is_room)


async def test_more_than_25_megabytes_in_chunks_is_413(roomy: WebhookClient, callers: Any) -> None:
    caller = await callers(roomy, SIGNED)
    for _ in range(26):
        await caller.send(chunk(1024 * 1024))
    assert (await caller.answer())[0] == 413


async def test_a_large_delivery_is_stored_whole(base: Services, roomy: WebhookClient) -> None:
    large = ISSUE_OPENED | {"padding": "x" * 20_000_000}
    body = json.dumps(large).encode()
    headers = SIGNED | {"X-Hub-Signature-256": signature(body)}
    url = f"{roomy.url}/webhooks/github"
    async with roomy.session.post(url, data=io.BytesIO(body), headers=headers) as response:
        assert response.status == 202
    (event,) = await list_stored_events(base)
    assert json.loads(base.cipher.open(event.payload, delivery_place(3, event.delivery_id))) == large


@pytest.mark.parametrize(
    ("path", "signed"),
    [("/webhooks/github", SIGNED), ("/webhooks/marketplace", SIGNED), ("/webhooks/stripe", STRIPE_SIGNED)],
)
@pytest.mark.parametrize("rest", [b"", b"x", b"5\r\nxx", b"nonsense\r\n"])
async def test_an_upload_that_is_aborted_is_no_failure_of_ours(
    webhook_client: WebhookClient,
    callers: Any,
    capsys: pytest.CaptureFixture[str],
    path: str,
    signed: dict[str, str],
    rest: bytes,
) -> None:
    for length in (1_000_000, None):
        caller = await callers(webhook_client, signed, path=path, length=length)
        await caller.send(rest)
        await asyncio.sleep(0.05)
        caller.hang_up()
    await asyncio.sleep(0.1)
    async with webhook_client.session.get(webhook_client.url + "/healthz") as response:
        assert response.status == 200
    logged = "".join(capsys.readouterr())
    assert "Traceback" not in logged
    assert "request failed" not in logged
