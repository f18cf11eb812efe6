"""Texts about a sprint that cannot start as it was asked for. Pure functions."""

from datetime import date

from charts.reading import whole
from commands.formatting.foreign_text import can_stand_in_code
from commands.formatting.wording import code, counted, full_day, plain, weekday
from commands.framework.words import quote
from sprints.calendar import earliest_start, latest_due
from sprints.milestone import Sprint
from sprints.start_check import StartCheck, correct_year
from sprints.succession import TimeBox


def start_line(
    title: str | None, *, start: date | None = None, due: date | None = None, goal: str | None = None
) -> str:
    """The command that starts a sprint, to copy; empty if a text cannot be shown in a line of code."""
    if not all(map(can_stand_in_code, filter(None, (title, goal)))):
        return ""
    words = [
        "/sprint start",
        quote(title) if title else "",
        f"start:{start.isoformat()}" if start else "",
        f"due:{due.isoformat()}" if due else "",
        f"goal:{quote(goal)}" if goal else "",
    ]
    return " ".join(word for word in words if word)


def try_text(line: str) -> str:
    """A corrected line as advice; empty without one."""
    return f" Try: {code(line)}" if line else ""


def long_title_text(length: int, most: int) -> str:
    return f"This title has {whole(length)} characters. A title can have up to {most}."


def no_number_text(title: str, box: TimeBox) -> str:
    """The text where the next sprint cannot be named: the last one's title has no number to count on."""
    line = f'/sprint start "…" start:{box.first.isoformat()} due:{box.due.isoformat()}'
    called = (
        f"Your last sprint is called “{plain(title)}”. Its title has no number, so I can't suggest "
        "the next one."
    )
    return f"{called} Choose a title: `{line}`"


def over_text(sprint: Sprint, ended_on: date, next_title: str | None, due: date | None) -> str:
    """The text where a title belongs to a sprint that is over."""
    line = start_line(next_title, due=due) if next_title else ""
    return (
        f"{plain(sprint.title)} ended on {full_day(ended_on)}, and its numbers are final. Start one "
        f"with another title.{try_text(line)}"
    )


def due_over_text(title: str | None, due: date, start: date | None, today: date) -> str:
    """The text about a last day in the past."""
    corrected = correct_year(due, start or today, max(start or today, today))
    line = start_line(title, start=start, due=corrected) if corrected else ""
    return f"`due:{due.isoformat()}` is in the past. Use today or a later day.{try_text(line)}"


def start_after_due_text(title: str | None, start: date, due: date) -> str:
    """The text about a first day after the last one, which may have been swapped or of another year."""
    corrected = correct_year(start, due, date.min)
    if corrected and corrected <= due:
        line = start_line(title, start=corrected, due=due)
    else:
        line = start_line(title, start=due, due=start)
    return (
        f"`start:{start.isoformat()}` is after `due:{due.isoformat()}`. "
        f"A sprint can't end before it starts.{try_text(line)}"
    )


def too_long_text(title: str | None, check: StartCheck) -> str:
    """The text about a sprint of more than two years."""
    first, due, today = check.box.first, check.box.due, check.today
    if latest_due(first) < today:  # Such a `due:` would be over, so it is the start that has to move.
        advice = f"Use a `start:` from {full_day(earliest_start(due))}."
    else:
        advice = f"Use a `due:` up to {full_day(latest_due(first))}."
    corrected = correct_year(due, max(first, today), max(first, today))
    line = start_line(title, start=first if first != today else None, due=corrected) if corrected else ""
    question = f" Or did you mean {full_day(corrected)}? {code(line)}" if corrected and line else ""
    return (
        f"There are {counted(check.working_days, 'working day')} from {weekday(first, with_year=True)} to "
        f"{weekday(due, with_year=True)}. A sprint can last up to two years. "
        f"{advice}{question}"
    )
