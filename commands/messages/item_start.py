"""Texts about the start of work on an item."""

from datetime import date, datetime

from commands.formatting.wording import counted, full_day, person
from commands.messages.work import since_text, wip_sentence
from sprints.calendar import working_days
from sprints.flow import Flow
from sprints.starts import StartSignal
from sprints.wip import Wip
from sprints.work import RepositoryWork

_SIGNALS = {
    StartSignal.COMMAND: "`/start`",
    StartSignal.STATUS: "its status",
    StartSignal.LABEL: "its label",
    StartSignal.PULL_REQUEST: "a pull request",
    StartSignal.ASSIGNED: "its first assignment",
}


def sentence_with_wips(sentence: str, wips: list[Wip]) -> str:
    """A sentence about an item, followed by the work in progress compared to its limits."""
    parts = [sentence, "\n".join(wip_sentence(wip) for wip in wips)]
    if any(wip.excess for wip in wips):
        parts.append("Finish or `/pause` something before you start more.")
    return "\n\n".join(parts)


def unneeded_start_sentence(flow: Flow, work: RepositoryWork, starter: str | None) -> str:
    """Say since when an item is in progress, where `/start` changes nothing. Empty if it changes something.

    `starter` is who gave the signal of its start, if known.
    """
    if flow.is_paused or flow.started_at is None:
        return ""
    if flow.is_pull_request:
        since = since_text(flow.started_at, work.now, work.calendar)
        return f"#{flow.number} is a pull request: it is in progress {since}, when it was opened."
    another_day = work.calendar.day_of(work.now).isoformat()
    return (
        f"#{flow.number} has been in progress {_start_text(flow, work, starter)}. To set a different "
        f"start, name the day: `/start since:{another_day}`."
    )


def started_sentence(flow: Flow, work: RepositoryWork) -> str:
    """The sentence on an item that was started or resumed."""
    if flow.is_paused and flow.started_at:
        paused, since = (
            since_text(moment, work.now, work.calendar)
            for moment in (flow.pauses[-1].span.since, flow.started_at)
        )
        return f"**#{flow.number} is in progress again.** It was paused {paused}, and its age counts {since}."
    text = f"**#{flow.number} is in progress.**"
    if flow.is_covered:
        text += " Its work is already covered by linked items, so it doesn't count towards a limit."
    return text


def redating_summary(flow: Flow, since: date) -> str:
    """The change of an item's start in one line, as an infinitive."""
    return f"count #{flow.number} as started on {full_day(since)}"


def redating_preview(flow: Flow, work: RepositoryWork, since: datetime, starter: str | None) -> str:
    """The text before an item gets another start: its age now, and its age then."""
    then = _since_with_age(since, work)
    if flow.started_at is None:
        return f"#{flow.number} has not been started. It would be in progress {then}."
    return (
        f"#{flow.number} has been in progress {_start_text(flow, work, starter)}. It would be in progress "
        f"{then}; its age and its cycle time would count from there."
    )


def redated_sentence(flow: Flow, work: RepositoryWork, since: datetime, starter: str | None) -> str:
    """The sentence on an item that was given another start."""
    text = f"**#{flow.number} has been in progress {_since_with_age(since, work)}.**"
    if flow.started_at is None:
        return text
    return f"{text} Until now, it counted as in progress {_start_text(flow, work, starter)}."


def future_start_text(since: date) -> str:
    """The error about a start in the future."""
    return f"`since:{since.isoformat()}` is in the future. Use today or an earlier day."


def before_opening_text(flow: Flow, opened: date) -> str:
    """The error about a start before an item existed."""
    return (
        f"#{flow.number} was opened on {full_day(opened)}, so its work cannot have started before "
        f"then. Use that day or a later one: `/start since:{opened.isoformat()}`."
    )


def _start_text(flow: Flow, work: RepositoryWork, starter: str | None) -> str:
    """since Wed 18 Nov (9 working days), by `/start` (`alice`)."""
    text = _since_with_age(flow.started_at or work.now, work)
    if not flow.is_start_dated:
        text += " or earlier"
    if flow.start_signal is None:
        return text
    text += f", by {_SIGNALS[flow.start_signal]}"
    return text if starter is None else f"{text} ({person(starter)})"


def _since_with_age(moment: datetime, work: RepositoryWork) -> str:
    first, today = work.calendar.day_of(moment), work.calendar.day_of(work.now)
    since = since_text(moment, work.now, work.calendar)
    if first == today:
        return since
    return f"{since} ({counted(len(working_days(work.calendar, first, today)), 'working day')})"
