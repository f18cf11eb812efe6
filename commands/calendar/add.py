"""`/calendar add`: add days on which the team does not work."""

from commands.formatting.wording import counted
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.calendar import day_off_line, sprint_effect_lines
from sprints.rules import MOST_DAYS_OFF, DaysOff
from sprints.settings_parser import parse_settings

DAYS_OFF = "days_off"


@command(
    "calendar add",
    summary="days on which your team does not work",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "dates",
            ArgumentKind.DATES,
            "a day, or a first and a last one",
            is_positional=True,
            is_required=True,
        ),
        Argument("name", ArgumentKind.TEXT, "what for, in quotation marks", is_positional=True),
    ),
    examples=('/calendar add 24 Dec to 2 Jan "Winter break"', "/calendar add 2027-05-14"),
    is_changing=True,
)
async def calendar_add(context: Context, arguments: Arguments) -> Changes:
    """Add an entry to the days off, and list the sprints that it changes."""
    dates, name = arguments.dates("dates"), " ".join((arguments.text("name") or "").split())
    if dates is None:  # The parser requires it.
        raise UserError("Which days? For example `/calendar add 24 Dec to 2 Jan`.")
    first, last = dates
    if (count := (last - first).days + 1) >= MOST_DAYS_OFF:
        raise UserError(
            f"These are {counted(count, 'day')}. You can add up to {MOST_DAYS_OFF - 1} at once. "
            "Is the year right?"
        )
    days_off, added = context.project.settings.days_off, DaysOff(first, last, name)
    present = {day for entry in days_off for day in entry.days} | set(context.calendar.holidays)
    if present.issuperset(added.days):
        raise UserError(
            f"{'That day is' if first == last else 'Those days are'} off already. `/calendar` shows all."
        )
    after = sorted([*days_off, added], key=lambda entry: (entry.first, entry.last, entry.name))
    done = [f"**Off:** {day_off_line(added, context.calendar)}.", *await describe_effects(context, after)]
    return Changes("add days off", (change_days_off(context, after),), "\n\n".join(done))


def change_days_off(planning: Planning, offs: list[DaysOff]) -> ChangeSetting:
    """The step that replaces all days off."""
    return ChangeSetting(DAYS_OFF, planning.project.stored_settings.get(DAYS_OFF), serialize_days_off(offs))


def serialize_days_off(offs: list[DaysOff]) -> list[dict[str, str]]:
    """Serialize days off as the settings store them."""
    return [
        {"from": off.first.isoformat(), "to": off.last.isoformat()} | ({"name": off.name} if off.name else {})
        for off in offs
    ]


async def describe_effects(planning: Planning, offs: list[DaysOff]) -> list[str]:
    """Describe the effects of other days off on sprints that have not ended; empty without effects."""
    after = parse_settings(
        planning.project.stored_settings | {DAYS_OFF: serialize_days_off(offs)}
    ).rules.calendar
    sprints = await planning.sprints.all(planning.now)
    today = planning.calendar.day_of(planning.now)
    lines = sprint_effect_lines(sprints, planning.calendar, after, today)
    return ["\n".join(f"- {line}" for line in lines), "Ideal lines and forecasts follow."] if lines else []
