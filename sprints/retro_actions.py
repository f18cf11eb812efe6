"""Actions that a team decided on in its retrospectives, and what became of them by the next one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sprints.milestone import Sprint
from sprints.numbering import Number, split_number

# The label of the issues; people may give it to others.
RETRO_LABEL = "retro-action"


class ActionState(StrEnum):
    """What became of an action. One that is `GONE` was deleted, transferred or made a discussion."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RetroAction:
    """An action as an issue, `state` since `at`. `milestone` is GitHub's id of the sprint that it is about.

    The milestone is None for an issue to which a person gave the label.
    """

    number: Number
    title: str
    milestone: int | None
    state: ActionState
    at: datetime


@dataclass(frozen=True, slots=True)
class EarlierActions:
    """The actions of an earlier sprint; without a sprint, those of which it is not known."""

    sprint: Sprint | None
    actions: tuple[RetroAction, ...]


def select_own_actions(actions: Iterable[RetroAction], sprint: Sprint) -> tuple[RetroAction, ...]:
    """Select the actions of a sprint's own retrospective."""
    return _sort_by_number(action for action in actions if action.milestone in sprint.milestones)


def select_earlier_actions(
    actions: Sequence[RetroAction], sprints: Iterable[Sprint], sprint: Sprint
) -> list[EarlierActions]:
    """Select the actions that a sprint's retrospective checks, those of the latest sprint first.

    Of the latest earlier sprint that had any these are all, of sprints before it those that are still open.
    Of a labelled issue without a sprint it matters whether it was open in this one.
    """
    earlier = sorted(
        (other for other in sprints if other.start < sprint.start), key=lambda s: s.start, reverse=True
    )
    groups = list[EarlierActions]()
    for other in earlier:
        own = select_own_actions(actions, other)
        if groups:
            own = tuple(action for action in own if action.state is ActionState.OPEN)
        if own:
            groups.append(EarlierActions(other, own))
    labelled = _sort_by_number(
        action
        for action in actions
        if action.milestone is None and (action.state is ActionState.OPEN or action.at >= sprint.start)
    )
    return [*groups, EarlierActions(None, labelled)] if labelled else groups


def _sort_by_number(actions: Iterable[RetroAction]) -> tuple[RetroAction, ...]:
    return tuple(sorted(actions, key=lambda action: split_number(action.number)))
