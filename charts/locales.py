"""The form of numbers and dates by a team's locale.

The form includes the present year: a date of another year is written with its year.

Words stay English. The locale is read in some two hundred places that make a text, so it is a context
variable: the code that makes an answer, a post or a picture sets it once (`use_locale`). The forms are those
of Unicode's CLDR 47, except that English without a region writes the day first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date

_SPACE, _NARROW_SPACE = "\u00a0", "\u202f"
# Decimal mark and thousands separator, and the locales that use them.
_MARKS = (
    (".", ",", "en en-AU en-CA en-GB en-IE en-NZ en-US es-MX he ja ko th zh"),
    (",", ".", "da de de-AT el es hr id is it nl nl-BE pt pt-BR ro sl tr vi"),
    (".", "’", "de-CH it-CH"),
    (",", _NARROW_SPACE, "fr fr-CH"),
    (",", _SPACE, "bg cs en-ZA et fi fr-CA hu lt nb pl pt-PT ru sk sv uk"),
)
_MONTH_FIRST = frozenset({"en-US", "en-CA"})
_YEAR_FIRST = frozenset({"hu", "ja", "ko", "lt", "zh"})
# The name of the setting.
LOCALE = "locale"


@dataclass(frozen=True, slots=True)
class Locale:
    """A form of numbers and dates. The `first` part of a date is its day, month or year.

    `year` is the present one, in which dates need no year. Without it no date has a year.
    """

    name: str
    decimal: str
    group: str
    first: str
    year: int | None = None

    def needs_year(self, day: date) -> bool:
        """Return whether a reader would take this day for one of the present year."""
        return self.year is not None and day.year != self.year


def _first(name: str) -> str:
    if name in _MONTH_FIRST:
        return "month"
    return "year" if name in _YEAR_FIRST else "day"


LOCALES = {
    name: Locale(name, decimal, group, _first(name))
    for decimal, group, names in _MARKS
    for name in names.split()
}
ENGLISH = LOCALES["en"]
_current: ContextVar[Locale] = ContextVar(LOCALE, default=ENGLISH)


def find_locale(name: object, today: date | None = None) -> Locale:
    """Return the locale of that name, else that of its language, else English, as of a team's local day."""
    requested = name if isinstance(name, str) else ""
    locale = LOCALES.get(requested) or LOCALES.get(requested.partition("-")[0]) or ENGLISH
    return replace(locale, year=today.year if today else None)


def get_locale() -> Locale:
    """Return the locale of the current context."""
    return _current.get()


@contextmanager
def use_locale(locale: Locale) -> Iterator[None]:
    """Set the locale for all texts that are written within the context."""
    before = _current.set(locale)
    try:
        yield
    finally:
        _current.reset(before)


def localize(text: str) -> str:
    """Convert numbers that are written as `1,234.5` to the form of the locale."""
    locale = get_locale()
    is_english = (locale.decimal, locale.group) == (ENGLISH.decimal, ENGLISH.group)
    return text if is_english else text.translate({44: locale.group, 46: locale.decimal})


def write_day(day: date, month: str, *, with_year: bool = False) -> str:
    """Write a day as 20 Nov or Nov 20; with its year if it is another one, or with `with_year`."""
    locale = get_locale()
    is_day_first = locale.first == "day"
    text = f"{day.day} {month}" if is_day_first else f"{month} {day.day}"
    if with_year or locale.needs_year(day):
        return f"{text} {day.year}" if is_day_first else f"{text}, {day.year}"
    return text
