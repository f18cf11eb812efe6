"""`/sprint close`: ends a sprint, and moves what is open to the next one."""

from collections.abc import Sequence

from commands.formatting.wording import full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting, EditMilestone, MoveItem, Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.close import (
    Closing,
    before_start_warning,
    closing_done,
    closing_dry_run,
    closing_preview,
    early_warning,
    title_list,
)
from commands.shared.choosing import refuse_led, sprint_meant
from commands.shared.reporting import LATE, fold, sheet_of
from sprints.facts import Facts, Item
from sprints.late import MOST_DAYS, credit_for, done_late
from sprints.milestone import Phase, Sprint
from sprints.numbering import place
from sprints.upcoming import next_after, open_sprints

_BACKLOG, _NEXT = "backlog", "next"


@command(
    "sprint close",
    summary="ends the sprint: closes its milestone and moves what is open to the next one",
    level=Level.MAINTAIN,
    arguments=(
        Argument("to", ArgumentKind.TEXT, "where open items go: a milestone's title, `next` or `backlog`"),
        Argument(
            "late",
            ArgumentKind.DAYS,
            "count for its velocity what was done within so many days after its end",
        ),
        Argument("dry-run", ArgumentKind.FLAG, "only show what would be done"),
        Argument("milestone", ArgumentKind.TEXT, "another sprint than the one that is running"),
    ),
    examples=(
        "/sprint close dry-run:yes",
        "/sprint close",
        '/sprint close to:"Sprint 25"',
        "/sprint close to:backlog late:2d",
    ),
    is_changing=True,
)
async def sprint_close(context: Context, arguments: Arguments) -> Changes | Reply:
    """What moves leaves after the end, so that the sprint's numbers stay as they are.

    That is why its milestone is closed first.
    """
    sprint = await sprint_meant(context, arguments.text("milestone"))
    if sprint.is_deleted:
        raise UserError(f"The milestone {plain(sprint.title)} was deleted; there is nothing to close.")
    refuse_led(context, sprint)
    sprints = await context.sprints.all(context.now)
    facts = await fold(context, sprint, context.now)
    credited = _credited(context, facts, arguments.number(LATE))
    closing = Closing(
        sprint,
        (await sheet_of(context, sprint)).report,
        [item for item in facts.items if item.state == "open"],
        _target(context, sprints, sprint, arguments.text("to")),
        credited,
        _warnings(context, sprint),
    )
    if arguments.flag("dry-run"):
        return Reply((closing_dry_run(closing),))
    steps = [*_steps(closing), *_settling(context, sprint, credited)]
    if not steps:
        return Changes(
            closing.summary, (), f"{plain(sprint.title)} is closed already, and nothing is open in it."
        )
    preview = closing_preview(closing)
    return Changes(
        closing.summary, tuple(steps), closing_done(closing), preview, needs_consent=True, relies_on=preview
    )


def _steps(closing: Closing) -> list[Step]:
    sprint, target = closing.sprint, closing.target
    steps = list[Step]()
    if sprint.closed_at is None:
        was, becomes = {"state": "open"}, {"state": "closed"}
        steps.append(EditMilestone(sprint.number, dict(was), dict(becomes)))
        steps += [
            EditMilestone(part.number, dict(was), dict(becomes), part.repository) for part in sprint.parts
        ]
    return [*steps, *(_move(item, sprint, target) for item in closing.moved)]


def _move(item: Item, sprint: Sprint, target: Sprint | None) -> MoveItem:
    """Into the target's milestone in the item's own repository, or into none where there is none."""
    repository, number = place(item.number)
    after = target.number_in(repository) if target else None
    return MoveItem(number, sprint.number_in(repository), after, repository=repository)


def _settling(planning: Planning, sprint: Sprint, credited: Sequence[Item]) -> list[Step]:
    if not credited:
        return []
    before = planning.project.stored_settings.get(LATE)
    told = dict(before) if isinstance(before, dict) else {}
    after = told | {str(sprint.milestone): credit_for(credited)}
    return [] if after == before else [ChangeSetting(LATE, before, after)]


def _credited(planning: Planning, facts: Facts, days: int | None) -> tuple[Item, ...]:
    if days is None:
        return ()
    title = plain(facts.sprint.title)
    if days > MOST_DAYS:
        raise UserError(
            f"What was done more than {MOST_DAYS} days after the end belongs to the next sprint: "
            f"`late:{MOST_DAYS}d` at most."
        )
    if not facts.sprint.has_ended(planning.now):
        raise UserError(f"{title} has not ended yet, so nothing in it is late. Leave `late` out.")
    return done_late(facts, days, planning.now)


def _target(planning: Planning, sprints: Sequence[Sprint], sprint: Sprint, to: str | None) -> Sprint | None:
    """Where open items go. Unless somebody says, to the next sprint, or to the backlog if there is none."""
    others = [one for one in open_sprints(sprints, planning.now) if one.milestone != sprint.milestone]
    named = [one for one in others if to and one.title.casefold() == to.casefold()]
    if named:
        return named[-1]
    if to is None or to.lower() == _NEXT:
        following = next_after(sprints, sprint, planning.now)
        if following is None and to:
            raise UserError(f"No open milestone is due after {plain(sprint.title)}. {_choices(others)}")
        return following
    if to.lower() == _BACKLOG:
        return None
    raise UserError(f"{_why_not(planning, sprints, sprint, to)} {_choices(others)}")


def _why_not(planning: Planning, sprints: Sequence[Sprint], sprint: Sprint, to: str) -> str:
    """Why items cannot go where somebody wants them to."""
    found = [one for one in sprints if one.title.casefold() == to.casefold() and not one.is_deleted]
    if not found:
        return f"There is no milestone called “{plain(to)}” here."
    title = plain(found[-1].title)
    if found[-1].milestone == sprint.milestone:
        return f"{title} is the sprint to be closed."
    ended = found[-1].end or planning.now
    return f"{title} ended on {full_day(planning.calendar.day_of(ended))}; nothing can be added to it."


def _choices(others: Sequence[Sprint]) -> str:
    if not others:
        return "No other milestone is open: begin one with `/sprint start`, or say `to:backlog`."
    return f"Open ones: {title_list(others)}. Or say `to:backlog`."


def _warnings(planning: Planning, sprint: Sprint) -> list[str]:
    if sprint.has_ended(planning.now) or sprint.closed_at is not None:
        return []
    if sprint.phase(planning.now) is Phase.PLANNED:
        return [before_start_warning(sprint)]
    days = (sprint.due - planning.calendar.day_of(planning.now)).days if sprint.due else 0
    return [early_warning(sprint, days)] if days > 0 else []
