"""Texts of `/calendar remove`."""

from collections.abc import Sequence
from datetime import date

from commands.formatting.wording import counted, full_day
from commands.messages.calendar import date_range

_MOST_HOLIDAYS = 5
WHICH_DAYS = "Which days? For example `/calendar remove 31 Dec`."


def removed_text(days: int, first: date, last: date) -> str:
    """Confirm that days off are working days again."""
    return f"**{counted(days, 'day')} off removed** ({date_range(first, last)})."


def holidays_text(holidays: Sequence[date]) -> str:
    """Say that holidays can only be removed in the settings."""
    if len(holidays) == 1:
        return f"{full_day(holidays[0])} is a holiday in the settings. Remove it there, under `holidays`."
    days = ", ".join(full_day(day) for day in holidays[:_MOST_HOLIDAYS])
    more = f", and {len(holidays) - _MOST_HOLIDAYS} more" if len(holidays) > _MOST_HOLIDAYS else ""
    return f"These days are holidays in the settings: {days}{more}. Remove them there, under `holidays`."


def no_days_off_text(first: date, last: date) -> str:
    """Say that there are no days off in a range."""
    if first == last:
        return f"{full_day(first)} is not a day off. `/calendar` shows all days off."
    return f"There are no days off from {date_range(first, last)}. `/calendar` shows all days off."
