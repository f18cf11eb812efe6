"""Stripe's answers: objects as plain mappings, failures as two exceptions."""

from collections.abc import Mapping
from typing import Any

import stripe


class StripeUnavailableError(Exception):
    """Stripe cannot or will not answer now; asking again later makes sense."""


class StripeRefusedError(Exception):
    """Stripe understood and said no; asking again would not help."""


class translated:  # noqa: N801 - reads as a word where it is used
    """Turns the library's exceptions into our two."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, stripe.APIConnectionError | stripe.RateLimitError | stripe.APIError):
            raise StripeUnavailableError(f"Stripe cannot be reached: {type(problem).__name__}") from None
        if isinstance(problem, stripe.StripeError):
            # Its own text may repeat what was sent, but never the key.
            raise StripeRefusedError(f"Stripe refused: {problem.user_message or problem}") from None


def plain(answer: stripe.StripeObject) -> Mapping[str, Any]:
    """Return an object without the library's types, which tests need not have."""
    return answer.to_dict()
