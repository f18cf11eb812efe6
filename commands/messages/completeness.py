"""Texts about the completeness of numbers: gaps in the events, and data reconstructed afterwards."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from commands.formatting.wording import counted, format_moment, full_day, named
from sprints.calendar import Calendar
from sprints.gaps import EventGap, GapCause, select_unread
from sprints.numbering import Number

# Why events did not arrive.
GAP_REASONS = {
    GapCause.SUSPENDED: "the App was suspended",
    GapCause.UNINSTALLED: "the App was not installed on the account",
    GapCause.REMOVED: "the App had no access to the repository",
    GapCause.PERMISSIONS: "the App was missing permissions",
    GapCause.OUTAGE: "this service was offline for longer than GitHub keeps events",
    GapCause.UNDELIVERED: "some deliveries failed permanently",
}


def completeness_text(
    calendar: Calendar,
    reconstructed_before: datetime | None,
    gaps: Sequence[EventGap],
    first_seen: Sequence[Number],
    *,
    most_named: int = 0,
) -> str:
    """Whether every event behind the numbers arrived when it happened.

    Names up to `most_named` of the items in `first_seen`, which began before their first event arrived.
    """
    doubts = [text for text in (gaps_text(gaps, calendar),) if text]
    if reconstructed_before:
        day = calendar.day_of(calendar.next_midnight(reconstructed_before))
        doubts.append(f"reconstructed before {full_day(day)}")
    if first_seen:
        names = f": {named(first_seen, most_named)}" if most_named else ""
        doubts.append(f"early history missing for {counted(len(first_seen), 'item')}{names}")
    return ", ".join(doubts) or "complete"


def gaps_text(gaps: Iterable[EventGap], calendar: Calendar) -> str:
    """The spans in which GitHub's events did not arrive; those still missing come before those read since."""
    every = tuple(gaps)
    unread, read = select_unread(every), tuple(gap for gap in every if gap.is_read_again)
    texts = []
    if unread:
        texts.append(f"incomplete: {_spans(unread, calendar)}")
    if read:
        texts.append(f"reconstructed: {_spans(read, calendar)}")
    return ", ".join(texts)


def missing_text(gaps: Iterable[EventGap], calendar: Calendar) -> str:
    """The spans in which GitHub's events did not arrive and have not been read since. Empty without any."""
    return gaps_text(select_unread(gaps), calendar)


def span_text(gap: EventGap, calendar: Calendar) -> str:
    """The beginning and the end of a gap: "since …", "on …" or "from … to …"."""
    began = format_moment(calendar.local(gap.began_at))
    if gap.ended_at is None:
        return f"since {began}"
    if gap.ended_at == gap.began_at:
        return f"on {began}"
    return f"from {began} to {format_moment(calendar.local(gap.ended_at))}"


def _spans(gaps: Sequence[EventGap], calendar: Calendar) -> str:
    """The last gap, which matters most, and the number of earlier ones."""
    last = gaps[-1]
    more = f" and in {counted(len(gaps) - 1, 'earlier gap')}" if len(gaps) > 1 else ""
    return f"no events received {span_text(last, calendar)}{more}"
