"""Texts of `/agile quiet`, about threads without automatic posts."""

from datetime import date

from commands.formatting.wording import full_day

# The stored value of a thread that is quiet for good; other values are the first day that is not quiet.
ON = "on"
OFF_WITH_DATE = "`off` takes effect now, so leave out `until`."


def quiet_text(value: str | None, today: date) -> str:
    """Whether a thread is quiet, and when automatic posts begin again. `value` is ON or that day."""
    if value is None or (value != ON and value <= today.isoformat()):
        return "This thread is not quiet: I may post here automatically. To stop that, run `/agile quiet on`."
    quiet = "This thread is **quiet**: I post here only to answer commands."
    if value == ON:
        return f"{quiet} To change that, run `/agile quiet off`."
    return f"{quiet} Automatic posts begin again on {full_day(date.fromisoformat(value))}."


def past_day_text(until: date) -> str:
    """Say that a thread cannot be quiet until a day that is over, or until today."""
    return f"`until:{until.isoformat()}` is not in the future. Use tomorrow or a later day."


def quiet_summary(*, is_quiet: bool) -> str:
    """Name the change of a thread."""
    return "stop automatic posts here" if is_quiet else "allow automatic posts here"
