"""`/sprint start`: make a milestone a sprint, or create a new one."""

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
from commands.shared.choosing import refuse_unless_leader
from commands.shared.goals import with_goal
from commands.shared.tracking import remember_thread_step
from sprints.calendar import earliest_start, latest_due
from sprints.description import has_start_line, set_start_line
from sprints.milestone import Sprint
from sprints.trial import compute_trial, edit_milestone

_MOST_TITLE = 255


@command(
    "sprint start",
    summary="begins a sprint: makes its milestone, or takes the one of that title",
    level=Level.WRITE,
    arguments=(
        Argument(
            "name",
            ArgumentKind.TEXT,
            "the sprint's title",
            is_positional=True,
            is_required=True,
            aliases=("sprint", "milestone", "title"),
        ),
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
    synonyms=("sprint begin", "sprint new", "sprint create", "sprint open"),
)
async def sprint_start(context: Context, arguments: Arguments) -> Changes:
    """Start a sprint; the items in it on its first day are the commitment."""
    title = " ".join((arguments.text("name") or "").split())
    if len(title) > _MOST_TITLE:
        raise UserError(f"This title has {len(title)} characters. A title can have up to {_MOST_TITLE}.")
    today, goal = context.calendar.day_of(context.now), arguments.text("goal")
    due = arguments.date("due") or today
    sprint = await _find_existing(context, title)
    refuse_unless_leader(context, sprint)
    start = arguments.date("start") or _find_stated_start(sprint) or today
    _require_valid_dates(start, due, today)
    if sprint is None:
        description = _build_description("", start, goal)
        done = new_sprint_text(title, goal, start, due, context.calendar, today)
        created = CreateMilestone(title, description, due.isoformat())
        steps = (created, *_list_missing_milestones(context, title, due))
        return Changes(f"begin {plain(title)}", steps, done)
    return await _adopt_milestone(context, sprint, _build_description(sprint.description, start, goal), due)


async def _adopt_milestone(context: Context, sprint: Sprint, description: str, due: date) -> Changes:
    events = await context.history.milestone(sprint.milestone)
    noon = datetime.combine(due, time(12), UTC)
    after = edit_milestone(events, context.now, context.calendar, description, noon)
    items = await context.history.items_of(sprint.milestone)
    labels = await context.history.labels()
    done = adopted_sprint_text(
        compute_trial(after, items, context.now, context.project.rules, labels), sprint
    )
    before: dict[str, str | None] = {
        "description": sprint.description,
        "due_on": sprint.due.isoformat() if sprint.due else None,
    }
    desired_fields: dict[str, str | None] = {"description": description, "due_on": due.isoformat()}
    changed = {key: value for key, value in desired_fields.items() if value != before[key]}
    replaced = {key: before[key] for key in changed}
    # If the milestone needs no change, the thread is stored, so that the sprint is tracked here.
    thread_step = remember_thread_step(context.project, sprint.milestone, context.request.thread)
    steps: tuple[Step, ...] = (
        (EditMilestone(sprint.number, replaced, changed),) if changed else (thread_step,)
    )
    missing = _list_missing_milestones(context, sprint.title, due, {part.repository for part in sprint.parts})
    return Changes(f"begin {plain(sprint.title)}", (*steps, *missing), done, done)


def _list_missing_milestones(
    planning: Planning, title: str, due: date, existing: Collection[str] = ()
) -> Iterator[CreateMilestone]:
    """The milestones of the sprint that are missing in the repositories that share it."""
    for repository in planning.project.sharing[1:]:
        if repository.full_name and repository.full_name not in existing:
            yield CreateMilestone(title, "", due.isoformat(), repository.full_name)


async def _find_existing(planning: Planning, title: str) -> Sprint | None:
    """Find the sprint with a title, ignoring case. Raises UserError for a sprint that has ended."""
    sprints = await planning.sprints.all(planning.now)
    matching = [
        sprint for sprint in sprints if sprint.title.casefold() == title.casefold() and not sprint.is_deleted
    ]
    if not matching:
        return None
    sprint = max(matching, key=lambda sprint: sprint.number)
    if sprint.closed_at is not None or sprint.has_ended(planning.now):
        ended = full_day(planning.calendar.day_of(sprint.end or planning.now))
        raise UserError(
            f"{plain(sprint.title)} ended on {ended}, and its numbers stand. Begin one with another title."
        )
    return sprint


def _find_stated_start(sprint: Sprint | None) -> date | None:
    """The first day that a milestone's description states already."""
    return sprint.first_day if sprint and has_start_line(sprint.description) else None


def _require_valid_dates(start: date, due: date, today: date) -> None:
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


def _build_description(description: str, start: date, goal: str | None) -> str:
    with_start = set_start_line(description, start)
    return with_goal(with_start, goal) if goal else with_start
