"""Reads what the living comment of a sprint is made of, and where it belongs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from commands.framework.changes import CreateMilestone, EditMilestone, Step, decode_steps
from commands.framework.planning import Planning
from commands.messages.forecast_sentences import chance_sentence, swap_sentence
from commands.shared.forecasting import read_outlook, record_forecast
from commands.shared.overload import describe_load
from reports.sticky_comment import StickyComment, effect_words, key_of, shown_lines, without
from sprints.alerts import BlockedItem, find_blocked_items
from sprints.blocked import find_blockers
from sprints.burndown import build_burndown
from sprints.description import has_start_line
from sprints.facts import Facts
from sprints.flow import build_flows
from sprints.forecast import Forecast
from sprints.ledger import LedgerLine
from sprints.milestone import Sprint
from sprints.outlook import Outlook
from sprints.team_settings import TeamSettings
from storage.changes import CommandChange
from storage.forecasts import ForecastRecord

_START = "sprint start"
_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TrackingPlace:
    """Where a sprint is followed: in a thread, or (None) in an issue of its own that we open."""

    thread: int | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a sprint's end: in words, as a chance, and as it is kept to be graded.

    `load` compares what it holds with what the last sprints delivered, where that is more than usual.
    """

    words: str = ""
    chance: float | None = None
    foretold: tuple[ForecastRecord, ...] = ()
    load: str = ""


def is_sprint(sprint: Sprint) -> bool:
    """Whether a milestone is meant as a time box at all: it has a due date, or states a start."""
    return not sprint.is_deleted and (sprint.due is not None or has_start_line(sprint.description))


def place_of(settings: TeamSettings, sprint: Sprint, begun_in: int | None) -> TrackingPlace | None:
    """Where a sprint is followed: as the settings say, else where somebody had us begin it; else nowhere."""
    match settings.tracking:
        case int(thread):
            return TrackingPlace(thread)
        case "issue":
            return TrackingPlace(None)
        case "off":
            return None
    started_in = settings.tracking_threads.get(sprint.milestone, begun_in)
    return TrackingPlace(started_in) if started_in is not None else None


def begun_in(sprint: Sprint, starts: Iterable[CommandChange]) -> int | None:
    """The thread of the newest `/sprint start` that made this milestone or made it a sprint."""
    for change in starts:
        if any(_is_about(step, sprint) for step in decode_steps(change.steps)):
            return change.thread
    return None


def _is_about(step: Step, sprint: Sprint) -> bool:
    """Whether a step made this milestone, or edited it."""
    match step:
        case CreateMilestone(milestone=None):  # Made before ids were noted: only its title is known.
            return step.title == sprint.title
        case CreateMilestone():
            return step.milestone in sprint.milestones
        case EditMilestone():
            return step.number == sprint.number_in(step.repository)
        case _:
            return False


async def starts(planning: Planning) -> Sequence[CommandChange]:
    """Every `/sprint start` that was carried out here, the newest first."""
    return await planning.changes.applied(_START)


async def expected_of(planning: Planning, facts: Facts) -> Expected:
    """Will we make it, and if not, what should come out."""
    sprint_end = await read_outlook(planning, facts)
    forecast = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    load = await describe_load(planning, facts, sprint_end, forecast)
    if not isinstance(sprint_end, Outlook) or not isinstance(forecast, Forecast):
        return Expected(load=load)
    words = f"{chance_sentence(sprint_end, forecast)} {swap_sentence(sprint_end, forecast)}".strip()
    chance = forecast.chance if sprint_end.now.remaining > 0 else None
    return Expected(words, chance, record_forecast(sprint_end, forecast, "living"), load)


async def living_of(planning: Planning, facts: Facts, thread: int | None) -> StickyComment:
    """What the comment shows, but for what is expected."""
    return StickyComment(
        facts,
        build_burndown(facts),
        blocked=await blocked_of(planning, facts),
        is_silenced=planning.project.settings.quiet.is_quiet_thread(
            thread, planning.calendar.day_of(planning.now)
        ),
    )


async def blocked_of(planning: Planning, facts: Facts) -> tuple[BlockedItem, ...]:
    """The open items of the sprint that wait for something."""
    items = await planning.history.items_of(facts.sprint.milestone)
    blockers = {one for told in items.values() for one in find_blockers(told)} - items.keys()
    known = items | await planning.history.items_by_id(blockers)
    return find_blocked_items(facts, build_flows(known, facts.as_of, planning.project.rules))


async def with_effects(planning: Planning, living: StickyComment, known: Mapping[str, str]) -> StickyComment:
    """What each shown change did to the forecast at its time. What was told once stays as it was told."""
    facts = living.facts
    lines = {key_of(line): line for line in shown_lines(facts)}
    missing = {key: line for key, line in lines.items() if key not in known}
    latest = await read_outlook(planning, facts) if missing else None
    if not isinstance(latest, Outlook):
        return replace(living, effects=known)
    effects = {key: await _effect(planning, latest, line) for key, line in missing.items()}
    return replace(living, effects={**known, **effects})


async def _effect(planning: Planning, latest: Outlook, line: LedgerLine) -> str:
    """The chance right after a change, with it and without it; empty where there is none to tell."""
    moment = line.changes[-1].at + _A_MOMENT
    facts = await planning.sprints.facts(latest.facts.sprint.milestone, moment)
    undone = without(line, facts) if facts else None
    if facts is None or undone is None:
        return ""
    before, after = latest.chance_of(undone), latest.chance_of(facts)
    return effect_words(before, after) if before is not None and after is not None else ""
