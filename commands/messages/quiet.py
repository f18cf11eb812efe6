"""Texts about threads in which nothing is posted unasked."""

from datetime import date

from commands.formatting.wording import full_day

# The stored value of a thread that is quiet for good; other values are the first day that is not quiet.
ON = "on"


def quiet_text(value: str | None, today: date) -> str:
    """Whether a thread is quiet, and until which day. `value` is ON or the first day that is not quiet."""
    if value is None or (value != ON and value <= today.isoformat()):
        return "This thread is not quiet: I may post here unasked. `/agile quiet on` ends that."
    end = "" if value == ON else f" until {full_day(date.fromisoformat(value))}"
    return f"This thread is **quiet**{end}: I post nothing here unasked, and answer what is asked."
