"""The HTTP client of Stripe's library, which counts the calls."""

from collections.abc import Mapping
from typing import Any

import stripe

from bot.metrics.instruments import Instruments


class CountingHTTPClient(stripe.AIOHTTPClient):
    """Counts each request, repetitions included, by kind and status."""

    def __init__(self, instruments: Instruments, *, timeout: float) -> None:
        """`timeout` is in seconds."""
        super().__init__(timeout=timeout)
        self._instruments = instruments

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request. Raises stripe.APIConnectionError where no answer comes."""
        try:
            content, status, response_headers = await super().request_async(method, url, headers, post_data)
        except stripe.APIConnectionError:
            self._instruments.count_stripe_call(url, None)
            raise
        self._instruments.count_stripe_call(url, status)
        return content, status, response_headers
