"""Texts of `/agile resync`."""

from datetime import date

from commands.formatting.wording import full_day


def started_text(since: date | None) -> str:
    """Confirm a comparison with GitHub; with `since`, the history is imported again as well."""
    parts = ["I am comparing the running sprints with GitHub and correcting any differences."]
    if since is not None:
        parts.append(
            "I am also importing this repository's history again: all of it, not only the days since "
            f"{full_day(since)}, because an item's history can only be read in full."
        )
    text = " ".join(parts)
    return (
        f"{text}\n\nThis runs in the background and never adds anything twice. `/agile health` shows when it "
        "is done and how many corrections I have made."
    )


def future_day_text(since: date) -> str:
    """Refuse a day in the future."""
    return f"`since:{since.isoformat()}` is in the future. Use today or an earlier day."
