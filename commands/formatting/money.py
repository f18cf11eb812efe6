"""Format amounts of money in the locale: `$6.00`, `1,200 JPY`."""

from charts.locales import localize
from commands.formatting.foreign_text import plain

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
# https://docs.stripe.com/currencies#zero-decimal. As special cases, Stripe counts ISK and UGX in
# hundredths nevertheless, and HUF and TWD have no decimals in payouts only.
_WITHOUT_DECIMALS = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a list of words
)
_WITH_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
_MINUS = "−"


def money(amount: int, currency: str) -> str:
    """Format an amount given in the smallest unit of an ISO 4217 currency, as Stripe and GitHub count it."""
    code = currency.upper()
    places = 0 if code in _WITHOUT_DECIMALS else 3 if code in _WITH_THREE_DECIMALS else 2
    units, rest = divmod(abs(amount), 10**places)
    number = localize(f"{units:,}.{rest:0{places}}" if places else f"{units:,}")
    sign = _MINUS if amount < 0 else ""
    if code in _SYMBOLS:
        return f"{sign}{_SYMBOLS[code]}{number}"
    return f"{sign}{number} {plain(code)}"
