"""Resolve the sprint and the item to which a command refers."""

from datetime import datetime, timedelta

from commands.formatting.wording import plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from sprints.facts import Facts
from sprints.milestone import Sprint
from sprints.model import ItemSnapshot
from sprints.selection import choose_sprint

_NO_SPRINT = (
    "There is no sprint yet in {repository}. A sprint is a GitHub milestone: begin one here with "
    '`/sprint start "Sprint 1" due:2026-12-11`, and add issues to it.'
)


def resolve_moment(planning: Planning, arguments: Arguments, name: str = "as-of") -> datetime:
    """The end of the day in the argument `name`, or now. Raises UserError for a future day."""
    day = arguments.date(name)
    if day is None:
        return planning.now
    if day > planning.calendar.day_of(planning.now):
        raise UserError(f"`{name}:{day.isoformat()}` lies in the future; name today or a day before.")
    return min(planning.calendar.midnight(day + timedelta(days=1)), planning.now)


async def resolve_sprint(context: Context, title: str | None, as_of: datetime | None = None) -> Sprint:
    """Find the sprint with a title, else the current one. Raises UserError if there is none."""
    moment = as_of or context.now
    sprints = await context.sprints.all(moment)
    if title is None:
        if chosen := choose_sprint(sprints, moment, context.request.milestone):
            return chosen
        raise UserError(_NO_SPRINT.format(repository=context.project.full_name))
    matching = [sprint for sprint in sprints if sprint.title.casefold() == title.casefold()]
    if matching:
        return max(matching, key=lambda sprint: sprint.number)
    recent = sorted(sprints, key=lambda sprint: -sprint.number)[:5]
    titles = ", ".join(f"“{plain(sprint.title)}”" for sprint in recent) or "none yet"
    raise UserError(f"There is no milestone called “{plain(title)}” here. The latest ones: {titles}.")


def refuse_unless_leader(planning: Planning, sprint: Sprint | None) -> None:
    """Raise UserError if another repository leads a sprint, because it is started, changed and closed there.

    `sprint` is None for a sprint that is yet to be created.
    """
    if planning.project.is_led and (sprint is None or sprint.repository):
        title = f"{plain(sprint.title)} spans" if sprint else "Sprints here span"
        raise UserError(
            f"{title} repositories, and {planning.project.leader.full_name} leads: say it in an issue there."
        )


def local_milestone(planning: Planning, sprint: Sprint) -> int:
    """The number of a sprint's milestone in this repository. Raises UserError if it has none here."""
    number = sprint.number_in()
    if number is None:
        title = plain(sprint.title)
        raise UserError(
            f"{planning.project.full_name} has no milestone called “{title}” yet. Make one of that title: it "
            f"becomes part of the sprint that {planning.project.leader.full_name} leads."
        )
    return number


async def resolve_facts(context: Context, title: str | None, as_of: datetime | None = None) -> Facts:
    """The facts of the sprint that `resolve_sprint` finds. Raises UserError if there is none."""
    moment = as_of or context.now
    sprint = await resolve_sprint(context, title, moment)
    facts = await context.sprints.facts(sprint.milestone, moment)
    if facts is None:  # Its events were read a moment ago and are never deleted.
        raise RuntimeError(f"milestone {sprint.milestone} has no events")
    return facts


async def item_of_thread(context: Context) -> ItemSnapshot:
    """The issue or pull request of the request's thread. Raises UserError if no event of it is recorded."""
    return await require_item(context, context.request.thread)


async def require_item(planning: Planning, number: int) -> ItemSnapshot:
    """Find an issue or pull request by number. Raises UserError if no event of it is recorded."""
    item = await planning.find_item(number)
    if item is None:
        raise UserError(
            f"I have no record of #{number} here. If it exists, `/agile resync` asks GitHub for what "
            "I missed."
        )
    return item
