"""Reads the situation in which `/help` is asked: the sprint and the item of the thread."""

from commands.framework.context import Context
from commands.framework.permissions import Policy
from commands.messages.help_suggestions import HelpSituation, SprintStage, ThreadItem
from sprints.milestone import Phase, Sprint
from sprints.selection import choose_sprint


async def read_situation(context: Context) -> HelpSituation:
    """Read the sprint that a command without a name would mean, and the item of the thread."""
    now, request = context.now, context.request
    sprints = await context.sprints.all(now)
    sprint = choose_sprint(sprints, now, request.milestone)
    today = context.calendar.day_of(now)
    is_paused = Policy(context.project.settings).is_paused
    if sprint is None:
        item = await _read_item(context, is_in_sprint=False)
        refused = _list_refused(context, None)
        return HelpSituation(request.thread, today, item=item, is_paused=is_paused, refused=refused)
    is_in_sprint = request.milestone is not None and sprint.number_in() == request.milestone
    return HelpSituation(
        request.thread,
        today,
        _find_stage(context, sprint),
        sprint.title,
        sprint.last_day,
        bool(sprint.goal),
        await _read_item(context, is_in_sprint=is_in_sprint),
        is_paused,
        _list_refused(context, sprint),
    )


def _list_refused(context: Context, sprint: Sprint | None) -> frozenset[str]:
    """The commands that a led repository refuses, and without a milestone here the one that adds items."""
    refused = {"sprint start", "sprint goal", "sprint close"} if context.project.is_led else set[str]()
    return frozenset(refused | ({"sprint add"} if sprint and sprint.number_in() is None else set()))


def _find_stage(context: Context, sprint: Sprint) -> SprintStage:
    now, is_closed = context.now, sprint.closed_at is not None
    if is_closed or sprint.is_deleted:
        return SprintStage.CLOSED
    if sprint.has_ended(now):
        return SprintStage.ENDED
    if sprint.phase(now) is Phase.PLANNED:
        return SprintStage.PLANNED
    is_last_day = sprint.last_day == context.calendar.day_of(now)
    return SprintStage.LAST_DAY if is_last_day else SprintStage.RUNNING


async def _read_item(context: Context, *, is_in_sprint: bool) -> ThreadItem | None:
    """Read the thread's item. None if it is closed, not known, or represented by other items."""
    flows = await context.flows.of_numbers([context.request.thread], context.now)
    flow = flows[-1] if flows else None
    if flow is None or not flow.is_open or flow.is_covered:
        return None
    return ThreadItem(
        is_in_sprint=is_in_sprint,
        is_estimated=flow.points is not None,
        is_started=flow.is_in_progress,
        is_blocked=any(block.is_open for block in flow.blocks),
    )
