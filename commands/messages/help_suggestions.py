"""The commands that `/help` puts first: lines to copy that fit the thread, the sprint and its phase."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from commands.formatting.foreign_text import can_stand_in_quotes
from commands.framework.arguments import Argument, ArgumentKind

_USUAL_SPRINT_DAYS = 14
# A longer title makes the line longer than it helps.
_LONGEST_TITLE = 40
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")
# In this order where nothing else fits better; all of them work without a sprint, in a team of any size.
_ALWAYS = (
    *("my", "standup", "velocity", "throughput", "aging", "cycletime"),
    *("agile config", "calendar", "agile health", "agile config validate"),
)


class SprintStage(StrEnum):
    """Where the sprint of a thread stands, as far as it matters for what is done next."""

    NONE = "none"
    PLANNED = "planned"
    RUNNING = "running"
    LAST_DAY = "last day"
    ENDED = "ended"
    CLOSED = "closed"

    @property
    def is_running(self) -> bool:
        return self in {SprintStage.RUNNING, SprintStage.LAST_DAY}


@dataclass(frozen=True, slots=True)
class ThreadItem:
    """The open issue or pull request of a thread."""

    is_in_sprint: bool
    is_estimated: bool
    is_started: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class HelpSituation:
    """What `/help` knows about the thread in which it is asked.

    `item` is None where no work can be recorded: in a thread that is closed, unknown or told by other items.
    `sprint` and `last_day` are the title and the last day of the sprint that a command without a name would
    mean, `titles` those of all sprints. `refused` are the commands that only work elsewhere, such as in the
    repository that leads shared sprints.
    """

    thread: int
    today: date
    stage: SprintStage = SprintStage.NONE
    sprint: str = ""
    last_day: date | None = None
    has_goal: bool = False
    item: ThreadItem | None = None
    titles: Sequence[str] = ()
    is_paused: bool = False
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A command by its name, and what to write after it; None stands for the sprint, if it can be named."""

    command: str
    words: str | None = None


def list_suggestions(situation: HelpSituation) -> Iterator[Suggestion]:
    """Yield commands that work now, the most fitting first; a command may come twice."""
    for suggestion in _list_fitting(situation):
        if suggestion.command not in situation.refused:
            yield suggestion


def _list_fitting(situation: HelpSituation) -> Iterator[Suggestion]:
    if situation.is_paused:
        yield Suggestion("agile resume")
    stage = situation.stage
    if stage in {SprintStage.LAST_DAY, SprintStage.ENDED}:
        yield Suggestion("sprint close")
    if situation.item:
        yield from _suggest_for_item(situation.item, stage)
    yield from _suggest_for_sprint(situation)
    yield from map(Suggestion, _ALWAYS)


def _suggest_for_item(item: ThreadItem, stage: SprintStage) -> Iterator[Suggestion]:
    if item.is_blocked:
        yield Suggestion("unblocked")
    if not item.is_in_sprint and (stage.is_running or stage is SprintStage.PLANNED):
        yield Suggestion("sprint add", "")
    if not item.is_estimated:
        yield Suggestion("estimate", "5")
    if not item.is_started:
        yield Suggestion("start")
    elif not item.is_blocked:
        yield Suggestion("eta")
        yield Suggestion("blocked", 'reason:"waits for a review"')


def _suggest_for_sprint(situation: HelpSituation) -> Iterator[Suggestion]:
    next_sprint = _write_next_sprint(situation)
    match situation.stage:
        case SprintStage.NONE:
            yield Suggestion("sprint start", next_sprint)
        case SprintStage.PLANNED:
            yield from map(Suggestion, ("sprint plan", "sprint status", "my", "standup"))
        case SprintStage.RUNNING | SprintStage.LAST_DAY:
            yield from map(Suggestion, ("sprint status", "my", "standup", "burndown", "forecast"))
            if not situation.has_goal:
                yield Suggestion("sprint goal", '"What this sprint is for"')
            yield from map(Suggestion, ("sprint scope", "risk"))
        case SprintStage.ENDED:
            yield from map(Suggestion, ("sprint report", "sprint retro", "sprint status"))
            yield Suggestion("sprint start", next_sprint)
        case SprintStage.CLOSED:
            yield Suggestion("sprint start", next_sprint)
            yield from map(Suggestion, ("sprint report", "sprint retro"))


def _write_next_sprint(situation: HelpSituation) -> str:
    """Write the title and the due date of a sprint that could begin today."""
    due = situation.today + timedelta(days=_USUAL_SPRINT_DAYS - 1)
    return f'"{propose_title(situation.sprint, situation.titles)}" due:{due.isoformat()}'


def propose_title(latest: str, titles: Sequence[str]) -> str:
    """Count the number in the latest title up to a free one; without a number, begin with `Sprint 1`."""
    if not _LAST_NUMBER.search(latest) or not can_type(latest):
        latest = "Sprint 0"
    taken = {title.casefold() for title in titles}
    while (latest := _count_up(latest)).casefold() in taken:
        pass
    return latest


def _count_up(title: str) -> str:
    return _LAST_NUMBER.sub(lambda number: f"{int(number[0]) + 1:0{len(number[0])}}", title)


def can_type(title: str) -> bool:
    """Whether a title can be typed between quotation marks in a line that is not too long."""
    return 0 < len(title) <= _LONGEST_TITLE and can_stand_in_quotes(title)


def write_sprint_argument(arguments: Sequence[Argument], title: str) -> str:
    """Name a sprint after a command that takes one, in the way that the command declares; else nothing."""
    if not can_type(title):
        return ""
    for argument in arguments:
        if argument.kind is ArgumentKind.TEXT and argument.name in {"name", "sprint", "for", "milestone"}:
            return f'"{title}"' if argument.is_positional else f'{argument.name}:"{title}"'
    return ""
