"""Why a call to Stripe failed."""


class StripeUnavailableError(Exception):
    """Stripe is unreachable, overloaded or limits the rate; a later try may succeed."""


class StripeRefusedError(Exception):
    """Stripe rejected the request; a repetition would not help."""
