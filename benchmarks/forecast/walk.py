"""Walks the demo's sprint from nothing to 600 open points, and prints what the cards say of each step.

Run `python benchmarks/forecast/walk.py`; it takes some seconds and prints the same each time. Only the open
work differs between the steps: each has so many points open, and from none to three items without an
estimate. What is printed are the answers of the commands themselves. It ends with an error where the chance
rises with open work, or where a card says that all is done while something is open.

`--pictures FOLDER` also writes the picture of each step.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

if __name__ == "__main__":  # Run as a file, the repository is not on the path.
    sys.path.insert(0, str(Path(__file__).parents[2]))

from charts.locales import find_locale, use_locale
from charts.render import render
from charts.values import ForecastFan
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Picture, Reply
from commands.framework.registry import Command
from commands.sprint.forecast import forecast as forecast_command
from commands.sprint.risk import risk as risk_command
from commands.sprint.status import sprint_status as status_command
from demo.events import DemoHistory, demo_history
from sprints.calendar import Calendar
from sprints.fact_folding import compute_facts
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.flows import build_flows
from sprints.forecast import Forecast
from sprints.milestone import Sprint, derive_sprint
from sprints.model import ItemEvent, State
from sprints.outlook import Outlook, SprintRecord, TrackRecord, build_outlook
from sprints.velocity import SprintOutcome
from storage.projects import Project
from storage.sprints import SprintNumbers

CALENDAR = Calendar()
NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
POINTS = (0, 1, 3, 5, 8, 13, 20, 31, 40, 51, 60, 75, 100, 150, 200, 300, 511, 600)
NOT_ESTIMATED = (0, 1, 2, 3)
COMMANDS = {"/forecast": forecast_command, "/sprint status": status_command, "/risk": risk_command}
_LARGEST_ITEM = 8
_MOST_TAKEN_OUT = 2  # Cards name no more items that should come out.
# What no card may say while something is open; of what would be, if the last items came out, it may.
_ALL_DONE = re.compile(r"everything in the sprint is done|nothing is left|\(100 %\)|certain", re.IGNORECASE)
_WITHOUT_THE_LAST = re.compile(r"Taking out [^.]* makes it certain")


@dataclass(frozen=True)
class Step:
    """The demo's sprint with so much open, and what was said of it, by command."""

    points: int
    not_estimated: int
    chance: float | None
    unit: str
    cards: dict[str, Reply]

    @property
    def open_items(self) -> int:
        """How many items are open."""
        return len(_sizes(self.points)) + self.not_estimated

    @property
    def texts(self) -> dict[str, str]:
        """The cards as text, a picture by its alternative."""
        return {name: "\n\n".join(map(_text, reply.parts)) for name, reply in self.cards.items()}

    @property
    def fan(self) -> ForecastFan | None:
        """The picture of the forecast; None where nothing is left to draw."""
        pictures = [part.chart for part in self.cards["/forecast"].parts if isinstance(part, Picture)]
        return next((chart for chart in pictures if isinstance(chart, ForecastFan)), None)


def walk(points: Sequence[int] = POINTS, not_estimated: Sequence[int] = NOT_ESTIMATED) -> list[Step]:
    """Every step, those with few open points first."""
    return [step_at(count, extra) for extra in not_estimated for count in points]


def step_at(points: int, not_estimated: int) -> Step:
    """The demo's sprint with other open work than it has, which came in half an hour ago."""
    return asyncio.run(_step_at(points, not_estimated))


async def _step_at(points: int, not_estimated: int) -> Step:
    context = DemoContext(_with_open(demo_history(NOW), points, not_estimated))
    outlook = await context.outlook()
    expected = outlook.forecast()
    chance = expected.chance if isinstance(expected, Forecast) else None
    with use_locale(find_locale("en", context.calendar.day_of(NOW))):
        cards = {name: await _answer(command, context) for name, command in COMMANDS.items()}
    return Step(points, not_estimated, chance, outlook.unit, cards)


def problems_of(steps: Sequence[Step]) -> Iterator[str]:
    """What should not be: a chance that rises with open work, and "done" while something is open."""
    for step in steps:
        name = f"{step.points} points and {step.not_estimated} items without an estimate"
        if step.open_items and step.chance == 1:
            yield f"{name}: the chance is 1"
        for command, text in step.texts.items():
            sure = _WITHOUT_THE_LAST.sub("", text) if step.open_items <= _MOST_TAKEN_OUT else text
            if step.open_items and (words := _ALL_DONE.search(sure)):
                yield f"{name}: {command} says “{words.group()}”"
        larger = [other for other in steps if _holds(other, step)]
        highest = max(larger, key=lambda other: other.chance or 0)
        if (highest.chance or 0) > (step.chance or 0) + 1e-9:
            more = f"{highest.points} points and {highest.not_estimated} such items"
            yield f"{name}: the chance is {step.chance:.3f}, but {highest.chance:.3f} with {more}"


def _holds(step: Step, other: Step) -> bool:
    """Whether all that is open in the other step is open in this one, too."""
    return step.points >= other.points and step.not_estimated >= other.not_estimated


async def _answer(command: Command, context: "DemoContext") -> Reply:
    reply = await command.run(cast(Context, context), Arguments({}))
    if not isinstance(reply, Reply):
        raise TypeError(f"/{command.name} changes something")
    return reply


def _with_open(history: DemoHistory, points: int, not_estimated: int) -> DemoHistory:
    """The same history, but for what is open in the running sprint."""
    at, sprint = NOW - timedelta(minutes=30), history.running
    for item in list(history.items.values()):
        if item.snapshot.milestone == sprint and item.snapshot.state is State.OPEN:
            item.left(at, "alice", sprint)
    for size in [*_sizes(points), *[None] * not_estimated]:
        item = history.add_item("More work", at, "feature").opened(at, "alice")
        if size is not None:
            item.estimated(at, "alice", size)
        item.joined(at, "alice", sprint)
    return history


def _sizes(points: int) -> list[int]:
    """Items of 8 points, and one of what remains."""
    rest = points % _LARGEST_ITEM
    return [_LARGEST_ITEM] * (points // _LARGEST_ITEM) + [rest] * bool(rest)


class DemoContext:
    """What the commands ask of a request's context, answered from the demo's events without a database."""

    def __init__(self, history: DemoHistory) -> None:
        self._all = history
        self.now = NOW
        self.project = Project(1, "acme/webshop", is_private=False, installation=100, stored_settings={})
        self.calendar = CALENDAR
        self.request = _NoThread()
        self.tenant = _NoForecasts()
        self.sprints = self.history = self.flows = self
        self.links_pictures = True
        self._running = _facts(history, history.running, NOW)
        self._flows = build_flows(history.events_by_item, NOW, self.project.rules)

    async def can_use(self, _: str) -> bool:
        return True

    async def all(self, as_of: datetime) -> list[Sprint]:
        return [derive_sprint(events, as_of, CALENDAR) for events in self._all.milestones.values()]

    async def facts(self, milestone: int, as_of: datetime) -> Facts:
        is_asked_again = milestone == self._all.running and as_of == NOW
        return self._running if is_asked_again else _facts(self._all, milestone, as_of)

    async def numbers(self, _: datetime) -> list[SprintNumbers]:
        return [*earlier_numbers(), SprintNumbers(self._running.sprint, self._running)]

    async def records(self, now: datetime) -> list[SprintRecord]:
        return [record for numbers in await self.numbers(now) if (record := numbers.record(now))]

    async def numbers_of(self, _: object, now: datetime) -> list[SprintNumbers]:
        return await self.numbers(now)

    async def outcomes(self, now: datetime, most: int, _: object = None) -> list[SprintOutcome]:
        return [outcome for numbers in await self.numbers(now) if (outcome := numbers.outcome(now))][-most:]

    async def items_of(self, _: int) -> dict[str, list[ItemEvent]]:
        return self._all.events_by_item

    async def labels(self) -> list[Any]:
        return []

    async def activity(self, *_: object) -> list[Any]:
        return []

    async def read_gaps(self) -> tuple[Any, ...]:
        return ()

    async def moved(self, *_: object) -> Sequence[Flow]:
        return self._flows

    async def of_items(self, *_: object) -> Sequence[Flow]:
        return self._flows

    async def outlook(self) -> Outlook:
        """The outlook of the running sprint."""
        facts = await self.facts(self._all.running, self.now)
        outlook = build_outlook(
            facts, TrackRecord(tuple(await self.records(self.now)), (), self.tenant.organization_id)
        )
        if not isinstance(outlook, Outlook):
            raise TypeError(outlook.sentence)
        return outlook


@cache
def earlier_numbers() -> tuple[SprintNumbers, ...]:
    """Those of the sprints that have ended; no open work changes them."""
    history = demo_history(NOW)
    ended = [
        _facts(history, milestone, NOW) for milestone in history.milestones if milestone != history.running
    ]
    return tuple(SprintNumbers(facts.sprint, facts) for facts in ended)


def _facts(history: DemoHistory, milestone: int, as_of: datetime) -> Facts:
    sprint = derive_sprint(history.milestones[milestone], as_of, CALENDAR)
    return compute_facts(sprint, history.events_in(milestone), as_of)


class _NoThread:
    """A request from an issue that is in no milestone."""

    milestone = None
    thread = 0


class _NoForecasts:
    """A tenant of whom no forecast is kept."""

    organization_id = 1

    @property
    def connection(self) -> "_NoForecasts":
        return self

    async def execute(self, *_: object) -> tuple[()]:
        return ()


def _text(part: str | Picture) -> str:
    return part if isinstance(part, str) else f"[picture: {part.alt}]"


def _sentences(step: Step) -> str:
    """What the cards say before their folds and tables."""
    lines = list[str]()
    for name, text in step.texts.items():
        opening = text.partition("<details>")[0]
        kept = [
            line for line in opening.splitlines() if line and not line.startswith(("#", "|", "<sub", "_"))
        ]
        lines += [f"  {name}", *(f"    {line}" for line in kept)]
    return "\n".join(lines)


def _draw(step: Step, folder: Path) -> None:
    if step.fan:
        png = render(step.fan, find_locale("en", NOW.date()))
        (folder / f"walk-{step.points}-{step.not_estimated}.png").write_bytes(png)


def main() -> int:
    """Prints each step and what is wrong; 1 if something is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pictures", type=Path, help="a folder for the pictures of all steps")
    folder = parser.parse_args().pictures
    steps = walk()
    for step in steps:
        chance = "no forecast" if step.chance is None else f"{step.chance:.3f}"
        print(f"{step.points} points, {step.not_estimated} items without an estimate: {chance} ({step.unit})")
        print(_sentences(step))
        if folder:
            _draw(step, folder)
    problems = list(problems_of(steps))
    print(*(problems or ["The chance never rises, and nothing that is open is called done."]), sep="\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
