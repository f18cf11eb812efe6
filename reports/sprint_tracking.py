"""Loads the values of a sprint's sticky comment, and resolves the place in which the sprint is tracked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from commands.framework.changes import CreateMilestone, EditMilestone, Step, decode_steps
from commands.framework.planning import Planning
from commands.messages.forecast_sentences import chance_sentence, swap_sentence
from commands.shared.forecasting import read_outlook, record_forecast
from commands.shared.overload import describe_load
from reports.sticky_comment import StickyComment, effect_words, facts_without, line_key, shown_lines
from sprints.alerts import BlockedItem, find_blocked_items
from sprints.burndown import build_burndown
from sprints.description import has_start_line
from sprints.facts import Facts
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
    """The place in which a sprint is tracked: a thread, or (None) an issue of its own that the App opens."""

    thread: int | None


@dataclass(frozen=True, slots=True)
class ExpectedEnd:
    """The forecast of a sprint's end: in words, as a chance from 0 to 1, and as records to be graded later.

    `load` compares the sprint's scope with what the last sprints delivered, if it is more than usual.
    """

    words: str = ""
    chance: float | None = None
    forecasts: tuple[ForecastRecord, ...] = ()
    load: str = ""


def is_sprint(sprint: Sprint) -> bool:
    """Whether a milestone is a time box: it has a due date, or its description states a start."""
    return not sprint.is_deleted and (sprint.due is not None or has_start_line(sprint.description))


def resolve_tracking_place(
    settings: TeamSettings, sprint: Sprint, start_thread: int | None
) -> TrackingPlace | None:
    """Resolve where a sprint is tracked: as the settings say, or in the thread of its `/sprint start`.

    None if it is not tracked.
    """
    match settings.tracking:
        case int(thread):
            return TrackingPlace(thread)
        case "issue":
            return TrackingPlace(None)
        case "off":
            return None
    tracking_thread = settings.tracking_threads.get(sprint.milestone, start_thread)
    return TrackingPlace(tracking_thread) if tracking_thread is not None else None


def find_start_thread(sprint: Sprint, load_sprint_starts: Iterable[CommandChange]) -> int | None:
    """Find the thread of the newest `/sprint start` that made this milestone, or made it a sprint."""
    for change in load_sprint_starts:
        if any(_affects_sprint(step, sprint) for step in decode_steps(change.steps)):
            return change.thread
    return None


def _affects_sprint(step: Step, sprint: Sprint) -> bool:
    """Whether a step made this milestone, or edited it."""
    match step:
        case CreateMilestone(
            milestone=None
        ):  # Created by a version that stored no ids: only the title is known.
            return step.title == sprint.title
        case CreateMilestone():
            return step.milestone in sprint.milestones
        case EditMilestone():
            return step.number == sprint.number_in(step.repository)
        case _:
            return False


async def load_sprint_starts(planning: Planning) -> Sequence[CommandChange]:
    """Load every `/sprint start` that was carried out here, the newest first."""
    return await planning.changes.applied(_START)


async def forecast_end(planning: Planning, facts: Facts) -> ExpectedEnd:
    """Forecast the sprint's end: the chance to finish, and which items to move out if it is low."""
    sprint_end = await read_outlook(planning, facts)
    forecast = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    load = await describe_load(planning, facts, sprint_end, forecast)
    if not isinstance(sprint_end, Outlook) or not isinstance(forecast, Forecast):
        return ExpectedEnd(load=load)
    words = f"{chance_sentence(sprint_end, forecast)} {swap_sentence(sprint_end, forecast)}".strip()
    chance = forecast.chance if sprint_end.now.remaining > 0 else None
    return ExpectedEnd(words, chance, record_forecast(sprint_end, forecast, "living"), load)


async def load_sticky_comment(planning: Planning, facts: Facts, thread: int | None) -> StickyComment:
    """Load the values of the sticky comment, except the forecast."""
    return StickyComment(
        facts,
        build_burndown(facts),
        blocked=await load_blocked_items(planning, facts),
        is_silenced=planning.project.settings.quiet.is_quiet_thread(
            thread, planning.calendar.day_of(planning.now)
        ),
    )


async def load_blocked_items(planning: Planning, facts: Facts) -> tuple[BlockedItem, ...]:
    """Load the open items of the sprint that are blocked."""
    items = {item.item for item in facts.open_items}
    return find_blocked_items(facts, await planning.flows.of_items(items, facts.as_of))


async def add_effects(planning: Planning, comment: StickyComment, stored: Mapping[str, str]) -> StickyComment:
    """Add the effect of each shown change on the forecast at its time. `stored` effects never change."""
    facts = comment.facts
    lines = {line_key(line): line for line in shown_lines(facts)}
    missing = {key: line for key, line in lines.items() if key not in stored}
    latest = await read_outlook(planning, facts) if missing else None
    if not isinstance(latest, Outlook):
        return replace(comment, effects=stored)
    effects = {key: await _effect_text(planning, latest, line) for key, line in missing.items()}
    return replace(comment, effects={**stored, **effects})


async def _effect_text(planning: Planning, latest: Outlook, line: LedgerLine) -> str:
    """Compare the chance right after a change with the chance without it; empty if there is no forecast."""
    moment = line.changes[-1].at + _A_MOMENT
    facts = await planning.sprints.facts(latest.facts.sprint.milestone, moment)
    facts_before = facts_without(line, facts) if facts else None
    if facts is None or facts_before is None:
        return ""
    before, after = latest.chance_of(facts_before), latest.chance_of(facts)
    return effect_words(before, after) if before is not None and after is not None else ""
