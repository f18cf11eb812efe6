"""Data for moving items into a sprint or out of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from charts.reading import quantity
from commands.formatting.wording import code, full_day, plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from commands.messages.close import title_list
from commands.shared.choosing import require_item
from sprints.facts import Facts
from sprints.milestone import Sprint
from sprints.model import ItemEvent, ItemSnapshot, LabelEvent, State
from sprints.trial import compute_trial, move_items
from sprints.upcoming import list_open_sprints

_MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class SprintItems:
    """A sprint's items with their events, as of the planning's `now`."""

    planning: Planning
    sprint: Sprint
    events: Mapping[str, Sequence[ItemEvent]]
    labels: Sequence[LabelEvent]

    @classmethod
    async def read(cls, planning: Planning, sprint: Sprint) -> "SprintItems":
        """Read the items of a sprint."""
        events = await planning.history.items_of(sprint.milestone)
        return cls(planning, sprint, events, await planning.history.labels())

    @property
    def facts(self) -> Facts:
        """The sprint's facts without any change."""
        return self._trial(self.events)

    async def compute_after(self, joining: Iterable[int] = (), leaving: Iterable[int] = ()) -> Facts:
        """The sprint's facts after items, by number, have joined or left it."""
        timeline = self.planning.history
        joined = [await timeline.item(number) for number in joining]
        left = [await timeline.item(number) for number in leaving]
        events = move_items(
            self.sprint,
            self.events,
            {item_events[0].item: item_events for item_events in joined if item_events},
            [item_events[0].item for item_events in left if item_events],
            self.planning.now,
        )
        return self._trial(events)

    def _trial(self, events: Mapping[str, Sequence[ItemEvent]]) -> Facts:
        return compute_trial(self.sprint, events, self.planning.now, self.planning.project.rules, self.labels)


async def resolve_items(context: Context, arguments: Arguments) -> list[ItemSnapshot]:
    """The items in the argument `items`, else the item of the thread. Raises UserError for unknown items."""
    numbers = list(dict.fromkeys(arguments.numbers("items"))) or [context.request.thread]
    if len(numbers) > _MOST_ITEMS:
        raise UserError(f"You named {len(numbers)} items. You can name up to {_MOST_ITEMS}.")
    return [await require_item(context, number) for number in numbers]


async def refuse_ended_sprint(planning: Planning, sprint: Sprint, command: str) -> None:
    """Raise UserError for a sprint that has ended, because its numbers are final."""
    title = plain(sprint.title)
    if sprint.is_deleted:
        raise UserError(f"The milestone {title} was deleted; nothing can be added to it.")
    if not sprint.has_ended(planning.now) and sprint.closed_at is None:
        return
    ended = full_day(planning.calendar.day_of(sprint.end or planning.now))
    others = list_open_sprints(await planning.sprints.all(planning.now), planning.now)
    advice = "Start the next one with `/sprint start`."
    if others:
        example = code(f'{command} milestone:"{others[0].title}"')
        advice = f"Open ones: {title_list(others)}. For example: {example}."
    raise UserError(
        f"{title} ended on {ended}, and its numbers are final: nothing can be added to it. {advice}"
    )


def describe_item(planning: Planning, item: ItemSnapshot) -> str:
    """The item's estimate as words, and whether it is done or dropped."""
    points = planning.project.rules.estimates.of(item.labels)
    text = "not estimated" if points is None else quantity(points, "points")
    state = resolve_state(planning, item)
    if state is State.OPEN:
        return text
    return f"{text}, {'already done' if state is State.DONE else 'dropped, so it counts nothing'}"


def resolve_state(planning: Planning, item: ItemSnapshot) -> State:
    """The item's state by the team's definition of done."""
    return planning.project.rules.estimates.state_of(item.state, item.labels)
