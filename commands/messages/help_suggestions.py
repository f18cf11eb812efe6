"""The commands that `/help` puts first: lines to copy that fit the thread, the sprint and its phase."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from commands.formatting.foreign_text import can_stand_in_code
from commands.framework.arguments import Argument, ArgumentKind
from commands.framework.words import quote

# A longer title makes the line longer than it helps.
_LONGEST_TITLE = 40
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
    mean. `refused` are the commands that only work elsewhere, such as in the
    repository that leads shared sprints.
    """

    thread: int
    today: date
    stage: SprintStage = SprintStage.NONE
    sprint: str = ""
    last_day: date | None = None
    has_goal: bool = False
    item: ThreadItem | None = None
    is_paused: bool = False
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """A command by its name, and what to write after it; None stands for the sprint, if it can be named."""

    command: str
    words: str | None = None


def list_suggestions(situation: HelpSituation) -> Iterator[SuggestedLine]:
    """Yield commands that work now, the most fitting first; a command may come twice."""
    for suggestion in _list_fitting(situation):
        if suggestion.command not in situation.refused:
            yield suggestion


def _list_fitting(situation: HelpSituation) -> Iterator[SuggestedLine]:
    if situation.is_paused:
        yield SuggestedLine("agile resume")
    stage = situation.stage
    if stage in {SprintStage.LAST_DAY, SprintStage.ENDED}:
        yield SuggestedLine("sprint close")
    if situation.item:
        yield from _suggest_for_item(situation.item, stage)
    yield from _suggest_for_sprint(situation)
    yield from map(SuggestedLine, _ALWAYS)


def _suggest_for_item(item: ThreadItem, stage: SprintStage) -> Iterator[SuggestedLine]:
    if item.is_blocked:
        yield SuggestedLine("unblocked")
    if not item.is_in_sprint and (stage.is_running or stage is SprintStage.PLANNED):
        yield SuggestedLine("sprint add", "")
    if not item.is_estimated:
        yield SuggestedLine("estimate", "5")
    if not item.is_started:
        yield SuggestedLine("start")
    elif not item.is_blocked:
        yield SuggestedLine("eta")
        yield SuggestedLine("blocked", 'reason:"waits for a review"')


def _suggest_for_sprint(situation: HelpSituation) -> Iterator[SuggestedLine]:
    match situation.stage:
        case SprintStage.NONE:
            yield SuggestedLine("sprint start")
        case SprintStage.PLANNED:
            yield from map(SuggestedLine, ("sprint plan", "sprint status", "my", "standup"))
        case SprintStage.RUNNING | SprintStage.LAST_DAY:
            yield from map(SuggestedLine, ("sprint status", "my", "standup", "burndown", "forecast"))
            if not situation.has_goal:
                yield SuggestedLine("sprint goal", '"What this sprint is for"')
            yield from map(SuggestedLine, ("sprint scope", "risk"))
        case SprintStage.ENDED:
            yield from map(SuggestedLine, ("sprint report", "sprint retro", "sprint status"))
            yield SuggestedLine("sprint start")
        case SprintStage.CLOSED:
            yield SuggestedLine("sprint start")
            yield from map(SuggestedLine, ("sprint report", "sprint retro"))


def can_type(title: str) -> bool:
    """Whether a title can be copied from a line of code that is not too long."""
    return 0 < len(title) <= _LONGEST_TITLE and can_stand_in_code(title)


def write_sprint_argument(arguments: Sequence[Argument], title: str) -> str:
    """Name a sprint after a command that takes one, in the way that the command declares; else nothing."""
    if not can_type(title):
        return ""
    for argument in arguments:
        if argument.kind is ArgumentKind.SPRINT and argument.name == "sprint":
            return quote(title) if argument.is_positional else f"{argument.name}:{quote(title)}"
    return ""
