"""`/calendar remove`: make days off working days again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from commands.calendar.add import describe_effects
from commands.formatting.wording import code
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.calendar import absence_removed_text, not_away_text, others_absence_text
from commands.messages.calendar_remove import WHICH_DAYS, holidays_text, no_days_off_text, removed_text
from commands.shared.days_off import Owners, change_days_off, days_off_topic, read_owners
from sprints.rules import DaysOff

_A_DAY = timedelta(days=1)


@command(
    "calendar remove",
    summary="turns days off back into working days",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "dates",
            ArgumentKind.DATES,
            "a day, or the first and the last of several days",
            is_positional=True,
            is_required=True,
        ),
        Argument(
            "person",
            ArgumentKind.TEXTS,
            "`@login` of the person who is not away; else the team's days off",
            is_positional=True,
        ),
    ),
    examples=(
        "/calendar remove 2026-12-24..2027-01-02",
        "/calendar remove 31 Dec",
        "/calendar remove 2026-12-07..2026-12-11 @bob",
    ),
    is_changing=True,
)
async def calendar_remove(context: Context, arguments: Arguments) -> Changes:
    """Remove days off in a range: entries within it are removed, overlapping ones are cut."""
    dates = arguments.dates("dates")
    if dates is None:  # The parser requires it.
        raise UserError(WHICH_DAYS)
    first, last = dates
    owners = read_owners(arguments.texts("person"))
    if owners.name:
        raise UserError(f"{code(owners.name)} is not a valid login. Write people as `@bob`.")
    if owners.people:
        return _remove_absences(context, owners, first, last)
    days_off = context.project.settings.days_off
    left = remove_days(days_off, first, last)
    if left == list(days_off):
        raise UserError(_explain_nothing_removed(context, first, last))
    days_before, days_after = (len({day for off in some for day in off.days}) for some in (days_off, left))
    after = [*left, *context.project.settings.absences]
    done = [
        removed_text(days_before - days_after, first, last),
        *await describe_effects(context, after),
    ]
    step, topic = change_days_off(context, after), days_off_topic(owners, first, last)
    return Changes("remove days off", (step,), "\n\n".join(done), topic=topic)


def _remove_absences(planning: Planning, owners: Owners, first: date, last: date) -> Changes:
    """Remove the absences of people in a range."""
    settings = planning.project.settings
    others = [off for off in settings.absences if off.person not in owners.people]
    theirs = [off for off in settings.absences if off.person in owners.people]
    left = remove_days(theirs, first, last)
    if left == theirs:
        raise UserError(not_away_text(owners.people, first, last))
    step = change_days_off(planning, [*settings.days_off, *others, *left])
    done = absence_removed_text(owners.people, first, last)
    return Changes("remove absences", (step,), done, topic=days_off_topic(owners, first, last))


def remove_days(offs: Iterable[DaysOff], first: date, last: date) -> list[DaysOff]:
    """Remove the days from `first` to `last`; split an entry that spans them."""
    left = []
    for off in offs:
        if off.last < first or last < off.first:
            left.append(off)
            continue
        if off.first < first:
            left.append(replace(off, last=first - _A_DAY))
        if last < off.last:
            left.append(replace(off, first=last + _A_DAY))
    return left


def _explain_nothing_removed(planning: Planning, first: date, last: date) -> str:
    """The text why none of these days can be removed."""
    absences = planning.project.settings.absences
    if away := [off.person for off in absences if off.first <= last and first <= off.last]:
        return others_absence_text(list(dict.fromkeys(away)), first, last)
    fixed = sorted(day for day in planning.calendar.holidays if first <= day <= last)
    return holidays_text(fixed) if fixed else no_days_off_text(first, last)
