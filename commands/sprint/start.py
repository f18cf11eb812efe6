"""`/sprint start`: a milestone becomes a sprint, or a new one is made."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time

from commands.formatting.wording import full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, CreateMilestone, EditMilestone, Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.start import adopted_sprint_text, new_sprint_text
from commands.shared.choosing import refuse_led
from commands.shared.goals import with_goal
from commands.shared.tracking import remembering
from sprints.calendar import earliest_start, latest_due
from sprints.description import states_start, with_start
from sprints.milestone import Sprint
from sprints.trial import described, trial

_MOST_TITLE = 255


@command(
    "sprint start",
    summary="begins a sprint: makes its milestone, or takes the one of that title",
    level=Level.WRITE,
    arguments=(
        Argument("name", ArgumentKind.TEXT, "the sprint's title", is_positional=True, is_required=True),
        Argument("due", ArgumentKind.DATE, "its last day", is_required=True),
        Argument(
            "start", ArgumentKind.DATE, "its first day; else today, or the one that the milestone states"
        ),
        Argument("goal", ArgumentKind.TEXT, "what it is for, in quotation marks"),
    ),
    examples=(
        '/sprint start "Sprint 25" due:2026-12-11',
        '/sprint start "Sprint 25" due:2026-12-11 start:2026-11-30 goal:"Customers can pay by card"',
    ),
    is_changing=True,
)
async def sprint_start(context: Context, arguments: Arguments) -> Changes:
    """What it holds on its first day is the commitment."""
    title = " ".join((arguments.text("name") or "").split())
    if len(title) > _MOST_TITLE:
        raise UserError(f"This title has {len(title)} characters. A title can have up to {_MOST_TITLE}.")
    today, goal = context.calendar.day_of(context.now), arguments.text("goal")
    due = arguments.date("due") or today
    sprint = await _existing(context, title)
    refuse_led(context, sprint)
    start = arguments.date("start") or _stated(sprint) or today
    _check(start, due, today)
    if sprint is None:
        description = _description("", start, goal)
        done = new_sprint_text(title, goal, start, due, context.calendar, today)
        made = CreateMilestone(title, description, due.isoformat())
        steps = (made, *_elsewhere(context, title, due))
        return Changes(f"begin {plain(title)}", steps, done)
    return await _adopt(context, sprint, _description(sprint.description, start, goal), due)


async def _adopt(context: Context, sprint: Sprint, description: str, due: date) -> Changes:
    events = await context.history.milestone(sprint.milestone)
    noon = datetime.combine(due, time(12), UTC)
    after = described(events, context.now, context.calendar, description, noon)
    items = await context.history.items_of(sprint.milestone)
    labels = await context.history.labels()
    done = adopted_sprint_text(trial(after, items, context.now, context.project.rules, labels), sprint)
    before: dict[str, str | None] = {
        "description": sprint.description,
        "due_on": sprint.due.isoformat() if sprint.due else None,
    }
    told: dict[str, str | None] = {"description": description, "due_on": due.isoformat()}
    changed = {key: value for key, value in told.items() if value != before[key]}
    was = {key: before[key] for key in changed}
    # Even where nothing has to change, this is where the sprint was begun, and where it is followed.
    here = remembering(context.project, sprint.milestone, context.request.thread)
    steps: tuple[Step, ...] = (EditMilestone(sprint.number, was, changed),) if changed else (here,)
    missing = _elsewhere(context, sprint.title, due, {part.repository for part in sprint.parts})
    return Changes(f"begin {plain(sprint.title)}", (*steps, *missing), done, done)


def _elsewhere(
    planning: Planning, title: str, due: date, having: Collection[str] = ()
) -> Iterator[CreateMilestone]:
    """The milestones of the sprint that are missing in the repositories that share it."""
    for one in planning.project.sharing[1:]:
        if one.full_name and one.full_name not in having:
            yield CreateMilestone(title, "", due.isoformat(), one.full_name)


async def _existing(planning: Planning, title: str) -> Sprint | None:
    """The milestone of that title, in any case. Raises UserError for one that has ended."""
    found = [
        one for one in await planning.sprints.all(planning.now) if one.title.casefold() == title.casefold()
    ]
    alive = [one for one in found if not one.is_deleted]
    if not alive:
        return None
    sprint = max(alive, key=lambda one: one.number)
    if sprint.closed_at is not None or sprint.has_ended(planning.now):
        ended = full_day(planning.calendar.day_of(sprint.end or planning.now))
        raise UserError(
            f"{plain(sprint.title)} ended on {ended}, and its numbers stand. Begin one with another title."
        )
    return sprint


def _stated(sprint: Sprint | None) -> date | None:
    """The start that a milestone states already."""
    return sprint.first_day if sprint and states_start(sprint.description) else None


def _check(start: date, due: date, today: date) -> None:
    if due < today:
        raise UserError(f"`due:{due.isoformat()}` is over; name today or a day to come.")
    if start > due:
        raise UserError(
            f"`start:{start.isoformat()}` lies after `due:{due.isoformat()}`. "
            "A sprint lasts from its first day to its last one."
        )
    if due > (last_possible := latest_due(start)):
        if last_possible < today:  # Such a `due:` would be over, so it is the start that has to move.
            advice = f"Use a `start:` from {full_day(earliest_start(due))}."
        else:
            advice = f"Use a `due:` up to {full_day(last_possible)}."
        raise UserError(f"A sprint can last up to two years. {advice}")


def _description(description: str, start: date, goal: str | None) -> str:
    described = with_start(description, start)
    return with_goal(described, goal) if goal else described
