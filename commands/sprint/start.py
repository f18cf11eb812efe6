"""`/sprint start`: make a milestone a sprint, or create a new one."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, CreateMilestone, EditMilestone, Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.start import (
    adopted_sprint_body,
    adopted_sprint_text,
    new_sprint_body,
    new_sprint_text,
)
from commands.messages.start_preview import box_text, preview_text
from commands.messages.start_problems import (
    due_over_text,
    long_title_text,
    no_number_text,
    over_text,
    start_after_due_text,
    too_long_text,
)
from commands.shared.choosing import refuse_unless_leader
from commands.shared.goals import with_goal
from commands.shared.sprint_names import RelativeSprint, find_relative_word
from commands.shared.succession import read_succession
from commands.shared.tracking import remember_thread_step
from sprints.calendar import latest_due
from sprints.description import has_start_line, set_start_line
from sprints.milestone import Sprint
from sprints.start_check import StartCheck
from sprints.succession import Succession
from sprints.trial import compute_trial, edit_milestone

_MOST_TITLE = 255


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the person typed; None stands for what is left to us."""

    title: str | None
    start: date | None
    due: date | None
    goal: str | None


@dataclass(frozen=True, slots=True)
class _Start:
    """The sprint that starts: a new one, or the `milestone` that is there. `is_proposed` in part by us."""

    title: str
    goal: str | None
    milestone: Sprint | None
    check: StartCheck
    last: Sprint | None
    is_proposed: bool

    @property
    def needs_consent(self) -> bool:
        return self.is_proposed or self.check.is_questionable


@command(
    "sprint start",
    summary="begins a sprint, in a new milestone or the one of that title; without one, proposes the next",
    level=Level.WRITE,
    arguments=(
        Argument(
            "name",
            ArgumentKind.TEXT,
            "the sprint's title; else the next one's",
            is_positional=True,
            aliases=("sprint", "milestone", "title"),
        ),
        Argument("due", ArgumentKind.DATE, "its last day; else as long as usual"),
        Argument(
            "start",
            ArgumentKind.DATE,
            "its first day; else today, or the one that the milestone states; "
            "if you leave out the title or the due date, the day after the running sprint",
        ),
        Argument("goal", ArgumentKind.TEXT, "what it is for, in quotation marks"),
    ),
    examples=(
        "/sprint start",
        '/sprint start "Sprint 25" due:2026-12-11',
        '/sprint start "Sprint 25" due:2026-12-11 start:2026-11-30 goal:"Customers can pay by card"',
    ),
    is_changing=True,
    synonyms=("sprint begin", "sprint new", "sprint create", "sprint open"),
)
async def sprint_start(context: Context, arguments: Arguments) -> Changes:
    """Start a sprint; the items in it on its first day are the commitment."""
    title = " ".join((arguments.text("name") or "").split()) or None
    if title and find_relative_word(title) is RelativeSprint.NEXT:
        title = None  # `/sprint start next` asks for the one that comes, not for this title.
    if title and len(title) > _MOST_TITLE:
        raise UserError(long_title_text(len(title), _MOST_TITLE))
    wish = _Wish(title, arguments.date("start"), arguments.date("due"), arguments.text("goal"))
    start = _plan_start(context, await read_succession(context), wish)
    if start.milestone is None:
        return _create_sprint(context, start)
    return await _adopt_milestone(context, start, start.milestone)


def _plan_start(context: Context, succession: Succession, wish: _Wish) -> _Start:
    """Complete what the person typed by what is usual. Raises UserError for days that make no sprint."""
    milestone = _find_existing(succession, wish.title, wish.due) if wish.title else succession.waiting
    refuse_unless_leader(context, milestone)
    due = wish.due or (milestone.due if milestone else None)
    start = wish.start or _find_stated_start(milestone)
    if start is None and wish.title and wish.due:
        start = succession.today
    box = succession.propose_time_box(start, due)
    title = milestone.title if milestone else wish.title or succession.propose_title(box.first)
    if title is None:
        last = succession.last_begun
        raise UserError(no_number_text(last.title if last else "Sprint", box))
    check = StartCheck(
        box,
        succession.today,
        context.calendar,
        succession.usual_working_days,
        succession.list_overlapping(box, milestone.milestone if milestone else None),
        is_start_new=wish.start is not None,
    )
    _require_valid_days(wish, check)
    is_proposed = wish.title is None or start is None or due is None
    return _Start(title, wish.goal, milestone, check, succession.last_begun, is_proposed)


def _create_sprint(context: Context, start: _Start) -> Changes:
    due = start.check.box.due
    created = CreateMilestone(
        start.title, build_description("", start.check.box.first, start.goal), due.isoformat()
    )
    steps = (created, *list_missing_milestones(context, start.title, due))
    body = new_sprint_body(start.title, start.goal, start.check)
    return _propose_changes(start, steps, new_sprint_text(start.title, start.goal, start.check), body)


async def _adopt_milestone(context: Context, start: _Start, sprint: Sprint) -> Changes:
    due = start.check.box.due
    description = build_description(sprint.description, start.check.box.first, start.goal)
    events = await context.history.milestone(sprint.milestone)
    noon = datetime.combine(due, time(12), UTC)
    after = edit_milestone(events, context.now, context.calendar, description, noon)
    items = await context.history.items_of(sprint.milestone)
    labels = await context.history.labels()
    facts = compute_trial(after, items, context.now, context.project.rules, labels)
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
    missing = list_missing_milestones(context, sprint.title, due, {part.repository for part in sprint.parts})
    done = adopted_sprint_text(facts, sprint, start.check)
    return _propose_changes(start, (*steps, *missing), done, adopted_sprint_body(facts, sprint, start.check))


def _propose_changes(start: _Start, steps: tuple[Step, ...], done: str, body: str) -> Changes:
    days = box_text(start.check.box, start.check.today)
    return Changes(
        f"start {plain(start.title)}, {days}",
        steps,
        done,
        preview_text(start.title, body, start.check, start.last, is_proposed=start.is_proposed),
        needs_consent=start.needs_consent,
    )


def list_missing_milestones(
    planning: Planning, title: str, due: date, existing: Collection[str] = ()
) -> Iterator[CreateMilestone]:
    """The milestones of the sprint that are missing in the repositories that share it."""
    for repository in planning.project.sharing[1:]:
        if repository.full_name and repository.full_name not in existing:
            yield CreateMilestone(title, "", due.isoformat(), repository.full_name)


def build_description(description: str, start: date, goal: str | None = None) -> str:
    """A milestone's description with the line of its start, and of its goal if there is one."""
    with_start = set_start_line(description, start)
    return with_goal(with_start, goal) if goal else with_start


def _find_existing(succession: Succession, title: str, due: date | None) -> Sprint | None:
    """Find the sprint with a title, ignoring case. Raises UserError for a sprint that has ended."""
    matching = [
        sprint
        for sprint in succession.sprints
        if sprint.title.casefold() == title.casefold() and not sprint.is_deleted
    ]
    if not matching:
        return None
    sprint = max(matching, key=lambda sprint: sprint.number)
    if sprint.closed_at is not None or sprint.has_ended(succession.now):
        ended = succession.calendar.day_of(sprint.end or succession.now)
        following = succession.waiting.title if succession.waiting else None
        next_title = following or succession.propose_title(succession.today)
        raise UserError(over_text(sprint, sprint.last_day or ended, next_title, due))
    return sprint


def _find_stated_start(sprint: Sprint | None) -> date | None:
    """The first day that a milestone's description states already."""
    return sprint.first_day if sprint and has_start_line(sprint.description) else None


def _require_valid_days(wish: _Wish, check: StartCheck) -> None:
    box = check.box
    if box.due < check.today:
        raise UserError(due_over_text(wish.title, box.due, wish.start, check.today))
    if box.first > box.due:
        raise UserError(start_after_due_text(wish.title, box.first, box.due))
    if box.due > latest_due(box.first):
        raise UserError(too_long_text(wish.title, check))
