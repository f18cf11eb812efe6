"""Texts about the start of work on an item."""

from commands.messages.work import since_text, wip_sentence
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
        parts.append("Finish something, or `/pause` it, before more is started.")
    return "\n\n".join(parts)


def unneeded_start_sentence(flow: Flow, work: RepositoryWork) -> str:
    """Explain why `/start` changes nothing. Empty if it changes something."""
    if flow.is_paused:
        return ""
    if flow.is_pull_request and flow.started_at:
        since = _since_start(flow, work)
        return f"#{flow.number} is a pull request: it is in progress {since}, when it was opened."
    if flow.start_signal is StartSignal.COMMAND:
        return f"#{flow.number} is in progress already, {_since_start(flow, work)}."
    return ""


def started_sentence(flow: Flow, work: RepositoryWork) -> str:
    """The sentence on an item that was started or resumed."""
    if flow.is_paused and flow.started_at:
        paused = since_text(flow.pauses[-1].span.since, work.now, work.calendar)
        return (
            f"**#{flow.number} goes on.** It was paused {paused}; its age counts {_since_start(flow, work)}."
        )
    text = f"**#{flow.number} is in progress.**"
    if flow.is_covered:
        text += " Others tell its work, so it counts against no limit itself."
    if flow.started_at and flow.start_signal and flow.is_start_dated:
        old_start = f"{_since_start(flow, work)}, from {_SIGNALS[flow.start_signal]}"
        text += f" Its age counts from now; until now it counted {old_start}."
    return text


def _since_start(flow: Flow, work: RepositoryWork) -> str:
    return since_text(flow.started_at or work.now, work.now, work.calendar)
