"""Guess which value of a setting was meant by one that is refused, where its values are few or well known."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from charts.locales import LOCALES
from sprints.cadence import normalize_period

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST = 100


def guess_value(forms: Sequence[Mapping[str, Any]], text: str) -> str | None:
    """The value that was meant by a text, where a setting has one of the forms; None if nobody can tell."""
    if len(text) > _LONGEST:
        return None
    for form in forms:
        for guess in (_guess_by_format, _guess_weekday, _guess_period, _guess_choice):
            if value := guess(form, text.strip()):
                return value
    return None


def _guess_by_format(form: Mapping[str, Any], text: str) -> str | None:
    guess = _BY_FORMAT.get(str(form.get("format")))
    return guess(text) if guess else None


def _guess_zone(text: str) -> str | None:
    """`Berlin`, `europe/berlin` and `Europe/Berln` are `Europe/Berlin`; of several, none."""
    typed = text.casefold().replace(" ", "_")
    zones, cities = _list_zones()
    if exact := zones.get(typed):
        return exact
    if close := difflib.get_close_matches(typed, zones, n=1, cutoff=0.8):
        return zones[close[0]]
    named = cities.get(typed) or [
        zone for city in difflib.get_close_matches(typed, cities, n=1, cutoff=0.8) for zone in cities[city]
    ]
    return named[0] if len(named) == 1 else None


@cache
def _list_zones() -> tuple[dict[str, str], dict[str, list[str]]]:
    """The zones by their spelling in lower case, and by the name of their city alone."""
    zones = sorted(zone for zone in available_timezones() if not zone.startswith(("posix/", "right/")))
    cities = dict[str, list[str]]()
    for zone in zones:
        if "/" in zone and not zone.startswith("Etc/"):
            cities.setdefault(zone.rpartition("/")[2].casefold(), []).append(zone)
    return {zone.casefold(): zone for zone in zones}, cities


def _guess_locale(text: str) -> str | None:
    by_spelling = {locale.casefold(): locale for locale in LOCALES}
    typed = text.casefold().replace("_", "-").partition(".")[0]
    return by_spelling.get(typed) or by_spelling.get(typed.partition("-")[0])


def _guess_choice(form: Mapping[str, Any], text: str) -> str | None:
    """The choice of which a text is a misspelling."""
    choices = [choice for choice in form.get("enum", ()) if isinstance(choice, str)]
    close = difflib.get_close_matches(text.casefold(), choices, n=1, cutoff=0.7)
    return close[0] if close else None


def _guess_period(form: Mapping[str, Any], text: str) -> str | None:
    is_period = str(form.get("$ref", "")).endswith("/period")
    return normalize_period(text) if is_period else None


def _guess_weekday(form: Mapping[str, Any], text: str) -> str | None:
    names_a_day = "[Mm]on" in str(form.get("pattern", "")) or form.get("enum") == list(_WEEKDAYS)
    return next((day for day in _WEEKDAYS if text.casefold().startswith(day)), None) if names_a_day else None


_BY_FORMAT: dict[str, Callable[[str], str | None]] = {"zone": _guess_zone, "locale": _guess_locale}
