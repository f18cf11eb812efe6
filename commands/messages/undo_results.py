"""How things are once steps have undone others, a sentence each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from charts.reading import number
from commands.formatting.wording import code, counted, full_day, named, plain
from commands.framework.changes import (
    ChangeSetting,
    EditMilestone,
    ExcludeFromSprint,
    MoveItem,
    RecordFact,
    Relabel,
    SetBlocked,
    Step,
)
from commands.messages.change_steps import Titles, milestone_text, step_text, value_text
from commands.messages.setting_changes import days_off_changes
from sprints.estimates import Estimates
from sprints.milestone import find_goal
from sprints.numbering import Number, qualify_number, ref, split_number

# From so many items on, their count comes first.
_MANY = 4
_FACTS = {
    "unstarted": "#{number} no longer counts as started by `/start`.",
    "started": "#{number} is in progress again, as if it had never been paused.",
    "unblocked": "#{number} is no longer blocked.",
    "blocked": "#{number} is blocked again.",
}


def list_results(undone: Sequence[Step], titles: Titles, estimates: Estimates) -> Iterator[str]:
    """Say how things are after steps that undid others: moved items together, each other thing by itself."""
    yield from _move_results([step for step in undone if isinstance(step, MoveItem)], titles)
    blockers = {(step.number, step.by) for step in undone if isinstance(step, SetBlocked)}
    for step in undone:
        if isinstance(step, MoveItem):
            continue
        if isinstance(step, RecordFact) and (step.number, step.by) in blockers:
            continue  # GitHub's own dependency says it already.
        if isinstance(step, Relabel):
            yield _label_result(step, titles, estimates)
        elif isinstance(step, EditMilestone):
            yield from _milestone_results(step, titles)
        else:
            words = _RESULTS.get(type(step))
            yield words(step) if words else f"{step_text(step, titles)}."


def _move_results(steps: Sequence[MoveItem], titles: Titles) -> Iterator[str]:
    moved = dict[str, list[Number]]()
    for step in steps:
        place = milestone_text(step.after, step.repository, titles)
        moved.setdefault(place, []).append(qualify_number(step.repository, step.number))
    for place, unsorted in moved.items():
        numbers = sorted(unsorted, key=split_number)
        if len(numbers) < _MANY:
            subject = " and ".join(filter(None, [", ".join(map(ref, numbers[:-1])), ref(numbers[-1])]))
            yield f"{subject} {'is' if len(numbers) == 1 else 'are'} in {place} again."
        else:
            yield f"{counted(len(numbers), 'item')} are in {place} again: {named(numbers)}."


def _label_result(step: Relabel, titles: Titles, estimates: Estimates) -> str:
    points = estimates.of(step.added)
    if points is not None:
        return f"#{step.number} is estimated at {number(points)} again."
    if estimates.of(step.removed) is not None:
        return f"#{step.number} has no estimate again."
    return f"{step_text(step, titles)}."


def _milestone_results(step: EditMilestone, titles: Titles) -> Iterator[str]:
    title = milestone_text(step.number, step.repository, titles)
    for field, value in step.after.items():
        yield _FIELD_RESULTS[field](title, step.before.get(field) or "", value or "")


def _description_result(title: str, before: str, after: str) -> str:
    goal = find_goal(after)
    if goal == find_goal(before):
        return f"The description of {title} is as it was before."
    return f"The goal of {title} is “{plain(goal)}” again." if goal else f"{title} has no goal again."


def _due_result(title: str, _: str, after: str) -> str:
    if not after:
        return f"{title} has no due date again."
    return f"{title} is due on {full_day(date.fromisoformat(after))} again."


_FIELD_RESULTS: Mapping[str, Callable[[str, str, str], str]] = {
    "state": lambda title, _, after: f"{title} is {after} again.",
    "description": _description_result,
    "due_on": _due_result,
    "title": lambda _, __, after: f"It is called “{plain(after)}” again.",
}


def _fact_result(step: RecordFact) -> str:
    return _FACTS[step.event].format(number=step.number)


def _block_result(step: SetBlocked) -> str:
    if step.is_blocked:
        return f"#{step.number} waits for #{step.by} again."
    return f"#{step.number} no longer waits for #{step.by}."


def _setting_result(step: ChangeSetting) -> str:
    if days := days_off_changes(step.key, step.before, step.after):
        return f"The setting {code(step.key)} has changed: {days}."
    value = value_text(step.before, step.after)
    if value is None:
        return f"The setting {code(step.key)} is no longer set."
    return f"The setting {code(step.key)} is {value} again."


def _exclusion_result(step: ExcludeFromSprint) -> str:
    return (
        f"#{step.number} {'no longer counts as' if step.is_aside else 'counts as'} work of the sprint again."
    )


_RESULTS: dict[type, Callable[[Any], str]] = {
    RecordFact: _fact_result,
    SetBlocked: _block_result,
    ChangeSetting: _setting_result,
    ExcludeFromSprint: _exclusion_result,
}
