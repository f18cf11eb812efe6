"""`/sprint close`: end a sprint, and move its open items to the next one."""

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
    closed_sprint_text,
    closing_dry_run,
    closing_preview,
    early_warning,
    title_list,
)
from commands.shared.choosing import SPRINT, refuse_unless_leader, resolve_named_sprint, resolve_sprint
from commands.shared.reporting import LATE, read_facts, read_report
from commands.shared.sprint_names import find_sprints
from sprints.facts import Facts, Item
from sprints.late import MOST_DAYS, convert_credit, select_late_items
from sprints.milestone import Phase, Sprint
from sprints.numbering import split_number
from sprints.upcoming import find_next_sprint, list_open_sprints

_BACKLOG, _NEXT = "backlog", "next"


@command(
    "sprint close",
    summary="ends the sprint: closes its milestone and moves what is open to the next one",
    level=Level.MAINTAIN,
    arguments=(
        Argument("to", ArgumentKind.SPRINT, "where open items go: a milestone's title, `next` or `backlog`"),
        Argument(
            "late",
            ArgumentKind.DAYS,
            "count for its velocity what was done within so many days after its end",
        ),
        Argument("dry-run", ArgumentKind.FLAG, "only show what would be done"),
        SPRINT,
    ),
    examples=(
        "/sprint close dry-run:yes",
        "/sprint close",
        '/sprint close to:"Sprint 25"',
        "/sprint close to:backlog late:2d",
    ),
    is_changing=True,
    synonyms=("sprint end", "sprint finish", "sprint complete", "sprint stop", "sprint done"),
)
async def sprint_close(context: Context, arguments: Arguments) -> Changes | Reply:
    """Close the milestone, then move open items, so that they leave after the end and the numbers stay."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    if sprint.is_deleted:
        raise UserError(f"The milestone {plain(sprint.title)} was deleted; there is nothing to close.")
    refuse_unless_leader(context, sprint)
    sprints = await context.sprints.all(context.now)
    facts = await read_facts(context, sprint, context.now)
    credited = _select_credited(context, facts, arguments.number(LATE))
    closing = Closing(
        sprint,
        (await read_report(context, sprint)).report,
        [item for item in facts.items if item.state == "open"],
        _resolve_target(context, sprints, sprint, arguments.text("to")),
        credited,
        _list_warnings(context, sprint),
    )
    if arguments.flag("dry-run"):
        return Reply((closing_dry_run(closing),))
    steps = [*_build_steps(closing), *_build_credit_steps(context, sprint, credited)]
    if not steps:
        return Changes(
            closing.summary,
            (),
            f"{plain(sprint.title)} is closed already, and nothing is open in it.",
            topic=sprint.title,
        )
    preview = closing_preview(closing)
    return Changes(
        closing.summary,
        tuple(steps),
        closed_sprint_text(closing),
        preview,
        needs_consent=True,
        relies_on=preview,
        topic=sprint.title,
    )


def _build_steps(closing: Closing) -> list[Step]:
    sprint, target = closing.sprint, closing.target
    steps = list[Step]()
    if sprint.closed_at is None:
        before, after = {"state": "open"}, {"state": "closed"}
        steps.append(EditMilestone(sprint.number, dict(before), dict(after)))
        steps += [
            EditMilestone(part.number, dict(before), dict(after), part.repository) for part in sprint.parts
        ]
    return [*steps, *(_move_item(item, sprint, target) for item in closing.moved)]


def _move_item(item: Item, sprint: Sprint, target: Sprint | None) -> MoveItem:
    """Move an item to the target's milestone in its own repository, or out of any milestone without one."""
    repository, number = split_number(item.number)
    after = target.number_in(repository) if target else None
    return MoveItem(number, sprint.number_in(repository), after, repository=repository)


def _build_credit_steps(planning: Planning, sprint: Sprint, credited: Sequence[Item]) -> list[Step]:
    if not credited:
        return []
    before = planning.project.stored_settings.get(LATE)
    stored = dict(before) if isinstance(before, dict) else {}
    after = stored | {str(sprint.milestone): convert_credit(credited)}
    return [] if after == before else [ChangeSetting(LATE, before, after)]


def _select_credited(planning: Planning, facts: Facts, days: int | None) -> tuple[Item, ...]:
    if days is None:
        return ()
    title = plain(facts.sprint.title)
    if days > MOST_DAYS:
        raise UserError(
            f"What was done more than {MOST_DAYS} days after the end belongs to the next sprint. Use "
            f"at most `late:{MOST_DAYS}d`."
        )
    if not facts.sprint.has_ended(planning.now):
        raise UserError(f"{title} has not ended yet, so nothing in it is late. Leave `late` out.")
    return select_late_items(facts, days, planning.now)


def _resolve_target(
    planning: Planning, sprints: Sequence[Sprint], sprint: Sprint, to: str | None
) -> Sprint | None:
    """The sprint to which open items move: the one asked for, else the next; None is the backlog."""
    others = [
        other for other in list_open_sprints(sprints, planning.now) if other.milestone != sprint.milestone
    ]
    named = find_sprints(to, others, planning.now) if to and to.lower() not in {_NEXT, _BACKLOG} else []
    if len(named) > 1:
        return resolve_named_sprint(others, to or "", planning.now, "to")
    if named:
        return named[0]
    if to is None or to.lower() == _NEXT:
        following = find_next_sprint(sprints, sprint, planning.now)
        if following is None and to:
            raise UserError(f"No open milestone is due after {plain(sprint.title)}. {_list_choices(others)}")
        return following
    if to.lower() == _BACKLOG:
        return None
    raise UserError(f"{_explain_no_target(planning, sprints, sprint, to)} {_list_choices(others)}")


def _explain_no_target(planning: Planning, sprints: Sequence[Sprint], sprint: Sprint, to: str) -> str:
    """The text why items cannot move to the milestone that was asked for."""
    matching = [
        other for other in sprints if other.title.casefold() == to.casefold() and not other.is_deleted
    ]
    if not matching:
        return f"There is no milestone called “{plain(to)}” here."
    title = plain(matching[-1].title)
    if matching[-1].milestone == sprint.milestone:
        return f"{title} is the sprint that you are closing."
    ended = matching[-1].end or planning.now
    return f"{title} ended on {full_day(planning.calendar.day_of(ended))}; nothing can be added to it."


def _list_choices(others: Sequence[Sprint]) -> str:
    if not others:
        return "No other milestone is open. Start one with `/sprint start`, or use `to:backlog`."
    return f"Open ones: {title_list(others)}. Or use `to:backlog`."


def _list_warnings(planning: Planning, sprint: Sprint) -> list[str]:
    if sprint.has_ended(planning.now) or sprint.closed_at is not None:
        return []
    if sprint.phase(planning.now) is Phase.PLANNED:
        return [before_start_warning(sprint)]
    days = (sprint.due - planning.calendar.day_of(planning.now)).days if sprint.due else 0
    return [early_warning(sprint, days)] if days > 0 else []
