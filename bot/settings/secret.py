"""Secrets that must not be shown: a type that hides its value, and redaction of texts by form."""

import re

_REDACTED = "…"
# A secret in a text is recognised by its form: the password of a URL, tokens of GitHub, JSON web tokens,
# Stripe's keys, private keys, and the tokens in the App's links.
_PATTERNS = (
    (re.compile(r"(?<=://)[^\s/@\"']{0,100}:[^\s\"']{0,300}@"), f"{_REDACTED}@"),
    (re.compile(r"(?i)(\bpassword['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&)]+"), rf"\1{_REDACTED}"),
    (
        re.compile(r"(?i)(\bauthorization['\"]?\s*[=:,]\s*['\"]?(?:bearer|token|basic)\s+)[^\s'\",;)]+"),
        rf"\1{_REDACTED}",
    ),
    (re.compile(r"\b(?:gh[a-z]_|github_pat_)\w{16,}"), _REDACTED),
    (re.compile(r"(?<![\w-])eyJ[\w-]{1,4000}\.[\w-]{1,8000}\.[\w-]+"), _REDACTED),
    (re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+"), _REDACTED),
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
        _REDACTED,
    ),
    (re.compile(r"(/charts/|/billing/(?:checkout|portal|done|cancelled)/)[\w-]{20,}"), rf"\1{_REDACTED}"),
)


def redacted(text: str) -> str:
    """Return a text with everything that has the form of a secret replaced, as the last line of defence."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class Secret:
    """A value that is hidden when it is printed, logged or part of an exception."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"
