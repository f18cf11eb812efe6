"""Resolve the sprint and the item to which a command refers."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import NamedValueError, Reading, UserError
from commands.framework.planning import Planning
from commands.framework.words import quote
from commands.shared.sprint_names import RelativeSprint, find_relative_word, find_sprints
from sprints.facts import Facts
from sprints.milestone import Sprint
from sprints.model import ItemSnapshot
from sprints.selection import choose_sprint

# The sprint of a command, which people name alike everywhere.
SPRINT = Argument(
    "sprint",
    ArgumentKind.SPRINT,
    "the sprint's title or number, `current`, `last` or `next`; else the one that is running",
    is_positional=True,
    aliases=("for", "milestone", "name"),
)
_NO_SPRINT = (
    "There is no sprint yet in {repository}. A sprint is a GitHub milestone: start one here with "
    "`/sprint start`, and add issues to it."
)
_NO_RELATIVE_SPRINT = {
    RelativeSprint.CURRENT: "No sprint is running. Start one: `/sprint start`.",
    RelativeSprint.PREVIOUS: "No sprint has ended yet. `/sprint list` shows the sprints that there are.",
    RelativeSprint.NEXT: "There is no next sprint yet. Start one: `/sprint start`.",
}
_MOST_TITLES, _MOST_SHOWN = 5, 100


def resolve_moment(planning: Planning, arguments: Arguments, name: str = "as-of") -> datetime:
    """The end of the day in the argument `name`, or now. Raises UserError for a future day."""
    day = arguments.date(name)
    if day is None:
        return planning.now
    if day > planning.calendar.day_of(planning.now):
        raise UserError(f"`{name}:{day.isoformat()}` is in the future. Use today or an earlier day.")
    return min(planning.calendar.midnight(day + timedelta(days=1)), planning.now)


async def resolve_sprint(context: Context, title: str | None, as_of: datetime | None = None) -> Sprint:
    """Find the sprint with a title, else the current one. Raises UserError if there is none."""
    moment = as_of or context.now
    sprints = await context.sprints.all(moment)
    if title is None:
        if chosen := choose_sprint(sprints, moment, context.request.milestone):
            return chosen
        raise UserError(_NO_SPRINT.format(repository=context.project.full_name))
    return resolve_named_sprint(sprints, title, moment)


def resolve_named_sprint(
    sprints: Sequence[Sprint], name: str, moment: datetime, argument: str = SPRINT.name
) -> Sprint:
    """The sprint that a name means. Raises NamedValueError if none or several have it."""
    matching = find_sprints(name, sprints, moment)
    if len(matching) == 1:
        return matching[0]
    if argument == SPRINT.name and (relative := find_relative_word(name)) and not matching:
        raise UserError(_NO_RELATIVE_SPRINT[relative])
    shown = plain(name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…")
    if matching:
        readings = tuple(Reading(quote(sprint.title)) for sprint in matching[-_MOST_TITLES:])
        raise NamedValueError(f"“{shown}” may be one of {len(matching)} sprints.", argument, readings)
    recent = sorted(sprints, key=lambda sprint: -sprint.number)[:_MOST_TITLES]
    titles = ", ".join(f"“{plain(sprint.title)}”" for sprint in recent) or "none yet"
    if known := _find_leading_sprint(name, sprints, moment):
        words = plain(name[len(known) :].strip())
        raise NamedValueError(
            f"I don't understand “{words}” behind the sprint's name.", argument, (Reading(quote(known)),)
        )
    closest = get_close_matches(name[:_MOST_SHOWN], [sprint.title for sprint in recent], n=1)
    likely = closest[0] if closest else recent[0].title if recent else None
    raise NamedValueError(
        f"There is no milestone called “{shown}” here. The latest ones: {titles}.",
        argument,
        (Reading(quote(likely)),) if likely else (),
    )


def _find_leading_sprint(name: str, sprints: Sequence[Sprint], moment: datetime) -> str | None:
    """The first words of a name that name a sprint in full by themselves; None if there are none.

    A part of a title does not count: “Sprint 99” is not “Sprint 12” with a word too many.
    """
    words = list(re.finditer(r"\S+", name[:_MOST_SHOWN]))
    for last in reversed(words[:-1]):
        leading = name[: last.end()]
        for sprint in find_sprints(leading, sprints, moment)[:1]:
            is_full = leading.casefold() == sprint.title.casefold()
            if is_full or leading.isdecimal() or find_relative_word(leading):
                return leading
    return None


def suggest_due(planning: Planning) -> date:
    """A due date for examples: the last working day of the next two weeks."""
    last = planning.calendar.day_of(planning.now) + timedelta(days=13)
    return next(
        (day for back in range(7) if planning.calendar.is_working_day(day := last - timedelta(days=back))),
        last,
    )


def refuse_unless_leader(planning: Planning, sprint: Sprint | None) -> None:
    """Raise UserError if another repository leads a sprint, because it is started, changed and closed there.

    `sprint` is None for a sprint that is yet to be created.
    """
    if planning.project.is_led and (sprint is None or sprint.repository):
        title = f"{plain(sprint.title)} spans" if sprint else "Sprints here span"
        raise UserError(
            f"{title} repositories, and {planning.project.leader.full_name} leads them. Run the "
            "command in an issue there."
        )


def local_milestone(planning: Planning, sprint: Sprint) -> int:
    """The number of a sprint's milestone in this repository. Raises UserError if it has none here."""
    number = sprint.number_in()
    if number is None:
        title = plain(sprint.title)
        raise UserError(
            f"{planning.project.full_name} has no milestone called “{title}” yet. Create one with "
            f"that title: it becomes part of the sprint that {planning.project.leader.full_name} "
            "leads."
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


async def require_item(planning: Planning, number: int) -> ItemSnapshot:
    """Find an issue or pull request by number. Raises UserError if no event of it is recorded."""
    item = await planning.find_item(number)
    if item is None:
        raise UserError(
            f"I have no record of #{number} here. If it exists, `/agile resync` asks GitHub for what "
            "I missed."
        )
    return item
