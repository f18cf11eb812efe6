"""Texts about a team's calendar: days off, and their effect on sprints."""

from collections.abc import Iterable, Sequence
from datetime import date

from charts.reading import WEEKDAYS
from commands.formatting.wording import counted, folded, full_day, person, plain
from sprints.calendar import Calendar, days_between
from sprints.milestone import Sprint
from sprints.rules import DaysOff


def date_range(first: date, last: date) -> str:
    """24 Dec 2026 – 2 Jan 2027, or one day."""
    return full_day(first) if first == last else f"{full_day(first)} – {full_day(last)}"


def day_off_line(off: DaysOff, calendar: Calendar) -> str:
    """24 Dec 2026 – 2 Jan 2027, Winter break: 7 working days."""
    name = f", {plain(off.name)}" if off.name else ""
    who = f", {person(off.person)}" if off.person else ""
    count = sum(day.weekday() in calendar.weekdays for day in off.days)
    return f"{date_range(off.first, off.last)}{who}{name}: {counted(count, 'working day')}"


def absence_text(absences: Sequence[DaysOff], calendar: Calendar, strangers: Iterable[str]) -> str:
    """The text after absences of people were added; `strangers` are those who count in no capacity."""
    lines = [f"**Away:** {day_off_line(absence, calendar)}." for absence in absences]
    lines.append("`/sprint plan` takes it into account. The team's working days stay the same.")
    unknown = list(strangers)
    if unknown:
        names = " and ".join(person(login) for login in unknown)
        lines.append(
            f"{names} {'is' if len(unknown) == 1 else 'are'} not in the settings `people` or `teams` "
            "yet. To add them: "
            f"`/agile config set people.{unknown[0]} 100%`."
        )
    return "\n\n".join(lines)


def already_away_text(people: Sequence[str], first: date, last: date) -> str:
    """The text where all of these absences are known."""
    names = " and ".join(person(login) for login in people)
    are = "is" if len(people) == 1 else "are"
    return f"{names} {are} already away then ({date_range(first, last)}). `/calendar` shows all days off."


def not_away_text(people: Sequence[str], first: date, last: date) -> str:
    """The text where none of these absences is known."""
    names = " and ".join(person(login) for login in people)
    are = "is" if len(people) == 1 else "are"
    return f"{names} {are} not away then ({date_range(first, last)}). `/calendar` shows all days off."


def absence_removed_text(people: Sequence[str], first: date, last: date) -> str:
    """The text after absences of people were taken back."""
    names = " and ".join(person(login) for login in people)
    are = "is" if len(people) == 1 else "are"
    return f"**{names} {are} back** ({date_range(first, last)}). `/sprint plan` takes it into account."


def others_absence_text(people: Sequence[str], first: date, last: date) -> str:
    """The text where only single people are away on the days that were to be taken back."""
    names = " and ".join(person(login) for login in people)
    line = f"/calendar remove {first.isoformat()}..{last.isoformat()} @{people[0]}"
    return f"Only {names} {'is' if len(people) == 1 else 'are'} away then. To remove that: `{line}`."


def calendar_text(offs: Sequence[DaysOff], holidays: Iterable[date], calendar: Calendar, today: date) -> str:
    """The working days, the time zone, and the days off from today on; past ones are folded."""
    names = " ".join(WEEKDAYS[day] for day in sorted(calendar.weekdays))
    parts = ["### Days off", f"Working days: {names} · time zone: {_zones(calendar, today)}"]
    lines = [(off.first, off.last, day_off_line(off, calendar)) for off in offs]
    lines += [(day, day, f"{full_day(day)} (holiday, from the settings)") for day in holidays]
    lines.sort()
    coming = [f"- {text}" for _, last, text in lines if last >= today]
    past = [f"- {text}" for _, last, text in lines if last < today]
    none = 'There are no days off yet. Add some: `/calendar add 24 Dec to 2 Jan "Winter break"`.'
    parts.append("\n".join(coming) or ("None coming up." if past else none))
    if past:
        parts.append(folded(f"{len(past)} in the past", "\n".join(past)))
    return "\n\n".join(parts)


def _zones(calendar: Calendar, today: date) -> str:
    """Europe/Berlin, from 1 Dec 2026 Asia/Tokyo."""
    moves = (f"from {full_day(since)} {zone}" for since, zone in calendar.zones if since > today)
    return ", ".join([str(calendar.zone_of(today)), *moves])


def sprint_effect_lines(
    sprints: Iterable[Sprint], before: Calendar, after: Calendar, today: date
) -> list[str]:
    """A line for each sprint not yet over whose number of working days changes."""
    lines = []
    for sprint in sorted(sprints, key=lambda sprint: (sprint.first_day, sprint.number)):
        if sprint.due is None or sprint.due < today or sprint.is_deleted:
            continue
        days = days_between(sprint.first_day, sprint.due)
        was, now = (sum(map(calendar.is_working_day, days)) for calendar in (before, after))
        if was != now:
            text = f"{plain(sprint.title)} has {counted(now, 'working day')} instead of {was}"
            lines.append(
                text + ("; none of its days is a working day, so all of them count." if not now else ".")
            )
    return lines
