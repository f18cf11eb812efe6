"""Changes of ours that `/agile undo` took back: they count at no moment, as if they had never been made.

The history keeps all events. Before a fold, the events of such a change, and those of its undoing, are made
neutral in one place (storage/timeline.py), so that every number is the one without the change. What other
people changed in between counts; then the change and its undoing count as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sprints.model import ItemEvent, ItemSnapshot, MilestoneEvent, sort_events
from sprints.pauses import PAUSED, STARTED, UNSTARTED
from sprints.people import same_login

UNDONE = "undone"
"""What an event is called that counts no more. It names the change, and its snapshot shows no trace of it."""

# GitHub's clock may differ from ours, and its times are whole seconds.
_CLOCK_DIFFERENCE = timedelta(minutes=1)
_MEMBERSHIP = frozenset({"milestoned", "demilestoned"})
_LABELS = frozenset({"labeled", "unlabeled"})
_BLOCKS = frozenset({"blocked", "unblocked"})
_WORK = frozenset({STARTED, PAUSED, UNSTARTED})
_STATES = frozenset({"closed", "opened", "deleted"})
_EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Sign:
    """An event by which a step shows in the history: its name, and what it names.

    That is a milestone's id, a label, the node id of a blocking issue, or the edited field of a milestone.
    GitHub's labels ignore case.
    """

    event: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSpan:
    """When a change was carried out, by our clock: its events on GitHub lie in this span.

    Events that we record ourselves have the time `until`.
    """

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class UndoneStep:
    """A step of a change that was undone, by its signs and those of its undoing.

    `change` is the id of the undone change, and `app` the login under which GitHub shows what we change.
    """

    change: int
    app: str
    done: frozenset[Sign]
    undone: frozenset[Sign]
    done_within: ChangeSpan
    undone_within: ChangeSpan


def is_undone(event: ItemEvent) -> bool:
    """Whether an event counts no more, because a change was undone."""
    return event.event == UNDONE


def net_undone_steps(events: Iterable[ItemEvent], steps: Iterable[UndoneStep]) -> list[ItemEvent]:
    """Make the events of undone steps of one item neutral. Returns all of its events in order."""
    ordered = sort_events(events)
    # The change that was made last was undone first, so what lies between a step and its undoing is netted.
    for step in sorted(steps, key=lambda step: step.undone_within.since):
        done, undone = _find_events(ordered, step)
        if not done:
            continue
        last = max(undone, default=_find_last_before(ordered, step.undone_within.until))
        netted = {*done, *undone}
        span = range(min(done), max(last, *done) + 1)
        if any(_changes_same_thing(ordered[n], step) for n in span if n not in netted):
            continue
        for n in span:
            snapshot = _restore(ordered[n].snapshot, step)
            if n in netted:
                ordered[n] = replace(ordered[n], event=UNDONE, named=str(step.change), snapshot=snapshot)
            else:
                ordered[n] = replace(ordered[n], snapshot=snapshot)
    return ordered


def net_undone_edits(events: Iterable[MilestoneEvent], steps: Iterable[UndoneStep]) -> list[MilestoneEvent]:
    """Make the events of undone steps of one milestone neutral. Returns all of its events in order."""
    ordered = sort_events(events)
    for step in sorted(steps, key=lambda step: step.undone_within.since):
        done, undone = _find_events(ordered, step)
        if not done or not undone:  # Only the event of the undoing shows in full what was restored.
            continue
        netted, restored = {*done, *undone}, ordered[max(undone)]
        span = range(min(done), max(undone) + 1)
        if any(_changes_same_fields(ordered[n], step) for n in span if n not in netted):
            continue
        for n in span:
            event = _restore_edit(ordered[n], restored, step)
            ordered[n] = replace(event, event=UNDONE, before=None) if n in netted else event
    return ordered


def _find_events(
    ordered: Sequence[ItemEvent | MilestoneEvent], step: UndoneStep
) -> tuple[list[int], list[int]]:
    """Find the positions of the events of a step, and of those of its undoing, which come later."""
    done = [n for n, event in enumerate(ordered) if _shows(event, step.done, step.done_within, step.app)]
    undone = [
        n for n, event in enumerate(ordered) if _shows(event, step.undone, step.undone_within, step.app)
    ]
    undone = [n for n in undone if done and ordered[n].at >= ordered[done[0]].at]
    # The same step may have been done again after its undoing.
    latest = ordered[undone[-1]].at if undone else step.undone_within.since
    return [n for n in done if ordered[n].at <= latest], undone


def _shows(event: ItemEvent | MilestoneEvent, signs: frozenset[Sign], span: ChangeSpan, app: str) -> bool:
    if not _list_signs(event) <= {_without_case(sign) for sign in signs}:
        return False
    if event.at == span.until:
        return True
    is_within = span.since - _CLOCK_DIFFERENCE <= event.at <= span.until + _CLOCK_DIFFERENCE
    return is_within and same_login(event.actor, app)


def _list_signs(event: ItemEvent | MilestoneEvent) -> frozenset[Sign]:
    """The signs that an event is; of several edited fields one each."""
    if isinstance(event, MilestoneEvent):
        if event.event == _EDITED:
            return frozenset(Sign(_EDITED, field) for field in event.before or ("",))
        return frozenset({Sign(event.event)})
    if event.event in _MEMBERSHIP:
        return frozenset({Sign(event.event, str(event.milestone or ""))})
    if event.event in _LABELS:
        return frozenset({_without_case(Sign(event.event, event.label or ""))})
    return frozenset({Sign(event.event, event.named or "")})


def _without_case(sign: Sign) -> Sign:
    return Sign(sign.event, sign.subject.lower()) if sign.event in _LABELS else sign


def _find_last_before(ordered: Sequence[ItemEvent], moment: datetime) -> int:
    return max((n for n, event in enumerate(ordered) if event.at <= moment), default=0)


def _changes_same_thing(event: ItemEvent, step: UndoneStep) -> bool:
    """Whether an event between a step and its undoing changes the same thing."""
    names = {sign.event for sign in step.done}
    subjects = {_without_case(sign).subject for sign in step.done}
    if event.event == "corrected":
        return _restore(event.snapshot, step) != event.snapshot and not _is_as_left(event.snapshot, step)
    if event.event in _MEMBERSHIP:
        return bool(names & _MEMBERSHIP)
    if event.event in _LABELS:
        return bool(names & _LABELS) and ((event.label or "").lower() in subjects or event.label is None)
    if event.event in _BLOCKS:
        return bool(names & _BLOCKS) and (event.named or "") in subjects
    return event.event in _WORK and bool(names & _WORK)


def _is_as_left(snapshot: ItemSnapshot, step: UndoneStep) -> bool:
    """Whether a snapshot shows an item as a step left it."""
    labels = _lower_case(snapshot.labels)
    removed, added = (_lower_case(_list_subjects(step, event)) for event in ("unlabeled", "labeled"))
    if not added <= labels or removed & labels:
        return False
    if not any(sign.event in _MEMBERSHIP for sign in step.done):
        return True
    return {str(snapshot.milestone)} == (_list_subjects(step, "milestoned") or {str(None)})


def _list_subjects(step: UndoneStep, event: str) -> set[str]:
    return {sign.subject for sign in step.done if sign.event == event}


def _lower_case(labels: Iterable[str]) -> set[str]:
    return {label.lower() for label in labels}


def _restore(snapshot: ItemSnapshot, step: UndoneStep) -> ItemSnapshot:
    """Return a snapshot from between a step and its undoing as it would be without the step."""
    milestone, labels = snapshot.milestone, snapshot.labels
    if any(sign.event in _MEMBERSHIP for sign in step.done):
        milestone = next((int(left) for left in _list_subjects(step, "demilestoned")), None)
    added = _lower_case(_list_subjects(step, "labeled"))
    labels = tuple(label for label in labels if label.lower() not in added)
    present = _lower_case(labels)
    labels += tuple(sorted(name for name in _list_subjects(step, "unlabeled") if name.lower() not in present))
    return replace(snapshot, milestone=milestone, labels=labels)


def _changes_same_fields(event: MilestoneEvent, step: UndoneStep) -> bool:
    """Whether an event between a step and its undoing changes the same thing of a milestone."""
    fields = {sign.subject for sign in step.done if sign.event == _EDITED}
    if event.event in _STATES:
        return any(sign.event in _STATES for sign in step.done)
    return event.event == _EDITED and not fields.isdisjoint(event.before or ())


def _restore_edit(event: MilestoneEvent, restored: MilestoneEvent, step: UndoneStep) -> MilestoneEvent:
    """Return an event from between a step and its undoing with the values as they were restored."""
    fields = {sign.subject for sign in step.done if sign.event == _EDITED}
    return replace(
        event,
        title=restored.title if "title" in fields else event.title,
        description=restored.description if "description" in fields else event.description,
        due_on=restored.due_on if "due_on" in fields else event.due_on,
        closed_at=restored.closed_at if any(s.event in _STATES for s in step.done) else event.closed_at,
    )
