"""Reads what is needed to move items into a sprint or out of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from charts.reading import quantity
from commands.formatting.wording import code, full_day, plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from commands.messages.close import title_list
from commands.shared.choosing import item_meant
from sprints.facts import Facts
from sprints.milestone import Sprint
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, State
from sprints.trial import trial, with_moves
from sprints.upcoming import open_sprints

_MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Board:
    """A sprint's items with all that happened to them, as of now."""

    planning: Planning
    sprint: Sprint
    events: Mapping[str, Sequence[ItemEvent]]
    labels: Sequence[LabelEvent]

    @classmethod
    async def of(cls, planning: Planning, sprint: Sprint) -> "Board":
        events = await planning.history.items_of(sprint.milestone)
        return cls(planning, sprint, events, await planning.history.labels())

    @property
    def facts(self) -> Facts:
        """How it stands."""
        return self._trial(self.events)

    async def after(self, joining: Iterable[int] = (), leaving: Iterable[int] = ()) -> Facts:
        """How it would stand once these items, by number, have joined it or left it."""
        history = self.planning.history
        told = [await history.item(number) for number in joining]
        gone = [await history.item(number) for number in leaving]
        events = with_moves(
            self.sprint,
            self.events,
            {one[0].item: one for one in told if one},
            [one[0].item for one in gone if one],
            self.planning.now,
        )
        return self._trial(events)

    def _trial(self, events: Mapping[str, Sequence[ItemEvent]]) -> Facts:
        return trial(self.sprint, events, self.planning.now, self.planning.project.rules, self.labels)


async def items_named(context: Context, arguments: Arguments) -> list[ItemSnapshot]:
    """The items that are named, or the one in whose thread it is asked. Raises UserError."""
    numbers = list(dict.fromkeys(arguments.numbers("items"))) or [context.request.thread]
    if len(numbers) > _MOST_ITEMS:
        raise UserError(f"You named {len(numbers)} items. You can name up to {_MOST_ITEMS}.")
    return [await item_meant(context, number) for number in numbers]


async def refuse_ended(planning: Planning, sprint: Sprint, command: str) -> None:
    """Raises UserError for a sprint that has ended: its numbers stand, so nothing can be added to it."""
    title = plain(sprint.title)
    if sprint.is_deleted:
        raise UserError(f"The milestone {title} was deleted; nothing can be added to it.")
    if not sprint.has_ended(planning.now) and sprint.closed_at is None:
        return
    ended = full_day(planning.calendar.day_of(sprint.end or planning.now))
    others = open_sprints(await planning.sprints.all(planning.now), planning.now)
    advice = "Begin the next one with `/sprint start`."
    if others:
        example = code(f'{command} milestone:"{others[0].title}"')
        advice = f"Open ones: {title_list(others)}. For example: {example}."
    raise UserError(f"{title} ended on {ended}, and its numbers stand: nothing can be added to it. {advice}")


def worth(planning: Planning, item: ItemSnapshot) -> str:
    """Its estimate, and whether it is done or was given up."""
    points = planning.project.rules.estimates.of(item.labels)
    text = "not estimated" if points is None else quantity(points, "points")
    state = state_of(planning, item)
    if state is State.OPEN:
        return text
    return f"{text}, {'done already' if state is State.DONE else 'given up: it counts nothing'}"


def state_of(planning: Planning, item: ItemSnapshot) -> State:
    """What it is by the team's rule of what is done."""
    return planning.project.rules.estimates.state_of(item.state, item.labels)
