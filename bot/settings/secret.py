"""Values that must not show."""

import re

_HIDDEN = "…"
# A secret that got into a text in spite of all is known by its form: the password of an address, tokens of
# GitHub, JSON web tokens, Stripe's keys, private keys, and what stands in our own links.
_FORMS = (
    (re.compile(r"(?<=://)[^\s/@\"']{0,100}:[^\s\"']{0,300}@"), f"{_HIDDEN}@"),
    (re.compile(r"(?i)(\bpassword['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&)]+"), rf"\1{_HIDDEN}"),
    (
        re.compile(r"(?i)(\bauthorization['\"]?\s*[=:,]\s*['\"]?(?:bearer|token|basic)\s+)[^\s'\",;)]+"),
        rf"\1{_HIDDEN}",
    ),
    (re.compile(r"\b(?:gh[a-z]_|github_pat_)\w{16,}"), _HIDDEN),
    (re.compile(r"(?<![\w-])eyJ[\w-]{1,4000}\.[\w-]{1,8000}\.[\w-]+"), _HIDDEN),
    (re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+"), _HIDDEN),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
        _HIDDEN,
    ),
    (re.compile(r"(/charts/|/billing/(?:checkout|portal|done|cancelled)/)[\w-]{20,}"), rf"\1{_HIDDEN}"),
)


def redacted(text: str) -> str:
    """Replace everything in a text that has the form of a secret. The last line of defence, not the first."""
    for form, replacement in _FORMS:
        text = form.sub(replacement, text)
    return text


class Secret:
    """A value that never shows when it is printed, logged or part of an exception."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"
