"""Answers of Stripe's library: objects become plain mappings, failures become two exceptions."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe

from bot.billing.stripe_errors import StripeRefusedError, StripeUnavailableError


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the library's exceptions as StripeUnavailableError or StripeRefusedError."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as problem:
        raise StripeUnavailableError(f"Stripe cannot be reached: {type(problem).__name__}") from None
    except stripe.StripeError as problem:
        # The library's own text may repeat what was sent, but never the API key.
        raise StripeRefusedError(f"Stripe refused: {problem.user_message or problem}") from None


def to_plain(answer: stripe.StripeObject) -> Mapping[str, Any]:
    """Return an object as a plain mapping, free of the library's types."""
    return answer.to_dict()


async def retrieve_or_none(request: Awaitable[stripe.StripeObject]) -> Mapping[str, Any] | None:
    """Return the object that a request retrieves. None if Stripe has no such object.

    Raises StripeUnavailableError or StripeRefusedError.
    """
    with translate_errors():
        try:
            return to_plain(await request)
        except stripe.InvalidRequestError as problem:
            if problem.http_status == 404:
                return None
            raise
