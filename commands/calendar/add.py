"""`/calendar add`: add days on which the team does not work."""

import re
from collections.abc import Sequence
from datetime import date, timedelta

from commands.formatting.wording import counted, full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.calendar import absence_text, already_away_text, day_off_line, sprint_effect_lines
from commands.shared.days_off import (
    DAYS_OFF,
    Owners,
    change_days_off,
    days_off_topic,
    list_days_off,
    read_owners,
    serialize_days_off,
)
from sprints.capacity import list_shares
from sprints.rules import MOST_DAYS_OFF, DaysOff
from sprints.settings_parser import parse_settings

# What is left of a range whose last day cannot be read: `- 32`, `to 31 Sep`.
_BROKEN_RANGE = re.compile(r"(?:[-–—/]|\.\.+|(?:to|until|till|through|bis)\b)\s*\d", re.IGNORECASE)
_MOST_SHOWN = 40


@command(
    "calendar add",
    summary="days on which your team, or one person, does not work",
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
            "name",
            ArgumentKind.TEXTS,
            "what for, in quotation marks; with `@login`, only that person is away",
            is_positional=True,
        ),
    ),
    examples=(
        '/calendar add 24 Dec to 2 Jan "Winter break"',
        "/calendar add 2027-05-14",
        '/calendar add 2026-12-07..2026-12-11 @bob "vacation"',
    ),
    is_changing=True,
)
async def calendar_add(context: Context, arguments: Arguments) -> Changes:
    """Add an entry to the days off, and list the sprints that it changes; or the absences of people."""
    dates, owners = arguments.dates("dates"), read_owners(arguments.texts("name"))
    if dates is None:  # The parser requires it.
        raise UserError("Which days? For example `/calendar add 24 Dec to 2 Jan`.")
    first, last = dates
    if _BROKEN_RANGE.match(owners.name):
        raise UserError(
            f"“{plain(owners.name[:_MOST_SHOWN])}” does not make a range with {full_day(first)}. "
            f"Write both days in full: `/calendar add {first}..{last + timedelta(days=1)}`."
        )
    if (count := (last - first).days + 1) >= MOST_DAYS_OFF:
        raise UserError(
            f"These are {counted(count, 'day')}. You can add up to {MOST_DAYS_OFF - 1} at once. "
            "Is the year right?"
        )
    if owners.people:
        return _add_absences(context, owners, first, last)
    added = DaysOff(first, last, owners.name)
    present = {day for entry in context.project.settings.days_off for day in entry.days}
    if present.union(context.calendar.holidays).issuperset(added.days):
        raise UserError(
            f"{'That day is' if first == last else 'Those days are'} already off. `/calendar` shows "
            "all days off."
        )
    after = [*list_days_off(context), added]
    done = [f"**Off:** {day_off_line(added, context.calendar)}.", *await describe_effects(context, after)]
    step, topic = change_days_off(context, after), days_off_topic(owners, first, last)
    return Changes("add days off", (step,), "\n\n".join(done), topic=topic)


def _add_absences(planning: Planning, owners: Owners, first: date, last: date) -> Changes:
    """Add the same absence of each person, unless that person is away then already."""
    settings = planning.project.settings
    added = list[DaysOff]()
    for login in owners.people:
        away = {day for off in settings.absences if off.person == login for day in off.days}
        absence = DaysOff(first, last, owners.name, login)
        if not away.issuperset(absence.days):
            added.append(absence)
    if not added:
        raise UserError(already_away_text(owners.people, first, last))
    team = list_shares(settings.shares, settings.teams)
    done = absence_text(added, planning.calendar, [off.person for off in added if off.person not in team])
    step = change_days_off(planning, [*list_days_off(planning), *added])
    return Changes("add absences", (step,), done, topic=days_off_topic(owners, first, last))


async def describe_effects(planning: Planning, offs: Sequence[DaysOff]) -> list[str]:
    """Describe the effects of other days off on sprints that have not ended; empty without effects."""
    after = parse_settings(
        planning.project.stored_settings | {DAYS_OFF: serialize_days_off(offs)}
    ).rules.calendar
    sprints = await planning.sprints.all(planning.now)
    today = planning.calendar.day_of(planning.now)
    lines = sprint_effect_lines(sprints, planning.calendar, after, today)
    return (
        ["\n".join(f"- {line}" for line in lines), "Ideal lines and forecasts are updated."] if lines else []
    )
