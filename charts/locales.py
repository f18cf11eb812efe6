"""In which form numbers and dates are written: the one place that knows what a team's locale decides.

The form knows the present year, too: a date of another year is written with its year.

Words stay English. Which locale holds is asked in some two hundred places in which a text is made, so it goes
along with the task (a context variable): who makes an answer, a post or a picture says it once, around all.
The forms are those of Unicode's CLDR 47, but for English without a region, which writes the day first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date

_SPACE, _NARROW_SPACE = "\u00a0", "\u202f"
# Decimal mark and thousands separator, and who writes so.
_MARKS = (
    (".", ",", "en en-AU en-CA en-GB en-IE en-NZ en-US es-MX he ja ko th zh"),
    (",", ".", "da de de-AT el es hr id is it nl nl-BE pt pt-BR ro sl tr vi"),
    (".", "’", "de-CH it-CH"),
    (",", _NARROW_SPACE, "fr fr-CH"),
    (",", _SPACE, "bg cs en-ZA et fi fr-CA hu lt nb pl pt-PT ru sk sv uk"),
)
_MONTH_FIRST = frozenset({"en-US", "en-CA"})
_YEAR_FIRST = frozenset({"hu", "ja", "ko", "lt", "zh"})
# The setting of this name.
LOCALE = "locale"


@dataclass(frozen=True, slots=True)
class Locale:
    """A form of numbers and dates. The `first` part of a date is its day, month or year.

    `year` is the present one, in which dates need no year. Without it none gets one.
    """

    name: str
    decimal: str
    group: str
    first: str
    year: int | None = None

    def needs_year(self, day: date) -> bool:
        """Whether a reader would take this day for one of the present year."""
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


def locale_of(name: object, today: date | None = None) -> Locale:
    """The locale of that name, else that of its language, else English, as of a team's local day."""
    told = name if isinstance(name, str) else ""
    locale = LOCALES.get(told) or LOCALES.get(told.partition("-")[0]) or ENGLISH
    return replace(locale, year=today.year if today else None)


def current() -> Locale:
    """The locale in which is written here and now."""
    return _current.get()


@contextmanager
def writing_in(locale: Locale) -> Iterator[None]:
    """All that is written within has this form."""
    before = _current.set(locale)
    try:
        yield
    finally:
        _current.reset(before)


def localized(text: str) -> str:
    """Numbers that are written as `1,234.5`, in the form that holds."""
    locale = current()
    is_english = (locale.decimal, locale.group) == (ENGLISH.decimal, ENGLISH.group)
    return text if is_english else text.translate({44: locale.group, 46: locale.decimal})


def written_day(day: date, month: str, *, with_year: bool = False) -> str:
    """20 Nov, or Nov 20; of another year, or where it is asked for, 20 Nov 2026 or Nov 20, 2026."""
    locale = current()
    is_day_first = locale.first == "day"
    text = f"{day.day} {month}" if is_day_first else f"{month} {day.day}"
    if with_year or locale.needs_year(day):
        return f"{text} {day.year}" if is_day_first else f"{text}, {day.year}"
    return text
