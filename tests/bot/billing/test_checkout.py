"""A checkout against emulate's own Stripe, which we did not write."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.billing.stripe_checkout import CheckoutTerms
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import StripeUnavailableError
from bot.settings.billing import StripeSettings
from bot.settings.secret import Secret
from github_standin.emulate import find_emulate, find_node

_KEY = {"Authorization": "Bearer sk_test_x"}


@pytest.fixture
async def emulate(tmp_path: Path) -> AsyncIterator[str]:
    """The address of emulate's Stripe."""
    seed = tmp_path / "seed.json"
    seed.write_text("{}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("start", "-s", "stripe", "--port", str(port), "--seed", str(seed))
    process = await asyncio.create_subprocess_exec(
        str(find_node()), str(find_emulate()), *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20):
            while not await _answers(port):  # noqa: ASYNC110 - it says nothing when it is ready
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def ask(url: str, method: str = "GET", **fields: str) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(headers=_KEY) as session,
        session.request(method, url, data=fields or None) as response,
    ):
        assert response.status == 200, await response.text()
        result: dict[str, Any] = await response.json()
        return result


async def test_a_checkout_carries_the_account(emulate: str) -> None:
    product = await ask(f"{emulate}/v1/products", "POST", name="Pro")
    recurring = {"recurring[interval]": "month"}
    price = await ask(
        f"{emulate}/v1/prices", "POST", product=product["id"], currency="usd", unit_amount="600", **recurring
    )
    client = RealStripe(StripeSettings(Secret("sk_test_x"), (), {}, api_url=emulate))
    customer = await client.create_customer(account=7, login="acme", key="key-0")
    done, cancelled = "https://agile.example/billing/done", "https://agile.example/billing/cancelled"
    terms = CheckoutTerms(7, customer, price["id"], 3, done, cancelled)
    opened = await client.open_checkout(terms, "key-1")
    await client.close()
    session = await ask(f"{emulate}/v1/checkout/sessions/{opened['id']}")
    assert (session["mode"], session["metadata"]) == ("subscription", {"account": "7"})
    assert (session["success_url"], session["cancel_url"]) == (done, cancelled)
    assert session["customer"] == customer


async def test_nobody_there_is_reported_apart_from_a_refusal() -> None:
    client = RealStripe(StripeSettings(Secret("sk_test_x"), (), {}, api_url="http://127.0.0.1:9"))
    with pytest.raises(StripeUnavailableError):
        await client.get_subscription("sub_1")
    await client.close()
