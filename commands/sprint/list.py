"""`/sprint list`: the team's sprints, the newest first."""

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.sprint_list import SprintRow, list_text, newest_first
from commands.shared.reporting import read_outcomes
from sprints.late import apply_credits
from sprints.velocity import compute_velocity
from storage.closed_sprints import ClosedSprint
from storage.sprints import SprintNumbers

_USUAL, _MOST = 10, 100


@command(
    "sprint list",
    summary="the team's sprints: dates, state, what was committed and done, and say/do",
    level=Level.READ,
    arguments=(Argument("last", ArgumentKind.NUMBER, f"how many; else {_USUAL}"),),
    examples=("/sprint list", "/sprint list last:20"),
    synonyms=("sprint all", "sprints", "sprint history"),
)
async def sprint_list(context: Context, arguments: Arguments) -> Reply:
    """List sprints, the latest start first; finished sprints with their final numbers."""
    last = arguments.number("last")
    most = _USUAL if last is None else last
    if not 1 <= most <= _MOST:
        raise UserError(f"`last:{most}` must be from 1 to {_MOST}.")
    sprints = newest_first(await context.sprints.all(context.now))
    if not sprints:
        raise UserError('There is no sprint yet. Start one with `/sprint start "Sprint 1" due:in 2 weeks`.')
    numbers = await context.sprints.numbers_of({sprint.milestone for sprint in sprints[:most]}, context.now)
    rows = {entry.sprint.milestone: _build_row(context, entry) for entry in numbers}
    shown = [rows[sprint.milestone] for sprint in sprints if sprint.milestone in rows]
    velocity = compute_velocity(await read_outcomes(context))
    now = context.calendar.local(context.now)
    return Reply((list_text(shown, len(sprints), velocity, now),))


def _build_row(planning: Planning, entry: SprintNumbers) -> SprintRow:
    outcome = entry.outcome(planning.now)
    if outcome:
        (outcome,) = apply_credits([outcome], planning.project.settings.late_credits)
        is_final = isinstance(entry.numbers, ClosedSprint)
        return SprintRow(entry.sprint, outcome.committed, outcome.completed, outcome, is_final)
    if isinstance(entry.numbers, ClosedSprint):  # A snapshot is taken at an end, which has an outcome.
        raise TypeError(f"{entry.sprint.title} was taken before its end")
    return SprintRow(entry.sprint, entry.numbers.committed, entry.numbers.done)
