"""Texts shown before a sprint starts: what was proposed, and what deserves a second look. Pure functions."""

from collections.abc import Sequence
from datetime import date

from charts.reading import short_day
from commands.formatting.wording import counted, full_day, plain, weekday
from commands.messages.start_problems import start_line
from sprints.milestone import Sprint
from sprints.start_check import StartCheck, correct_year
from sprints.succession import TimeBox

_FULL_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def box_text(box: TimeBox, today: date) -> str:
    """27 Nov – 10 Dec; with years if they are not this one."""
    with_year = not box.first.year == box.due.year == today.year
    if box.first == box.due:
        return short_day(box.first, with_year=with_year)
    return f"{short_day(box.first, with_year=with_year)} – {short_day(box.due, with_year=with_year)}"


def frame_text(check: StartCheck) -> str:
    """Fri 27 Nov – Thu 10 Dec 2026 · 10 working days."""
    box, days = check.box, counted(check.working_days, "working day")
    if box.first == box.due:
        return f"{weekday(box.due, with_year=True)} · {days}"
    first = weekday(box.first, with_year=box.first.year != box.due.year)
    return f"{first} – {weekday(box.due, with_year=True)} · {days}"


def preview_text(title: str, body: str, check: StartCheck, last: Sprint | None, *, is_proposed: bool) -> str:
    """What will start, what deserves a second look, and the line for other dates."""
    parts = [body, _length_text(check, title), _distance_text(check, title)]
    if is_proposed:
        parts += [_following_text(last, check), _other_days_text(title, check.box)]
    return "\n\n".join(part for part in parts if part)


def beside_text(check: StartCheck) -> str:
    """The sprints beside it, and a last day that is off; empty if there is neither."""
    return "\n\n".join(text for text in (_overlap_text(check), _day_off_text(check)) if text)


def _following_text(last: Sprint | None, check: StartCheck) -> str:
    if last is None or last.due is None or not last.due < check.box.first or check.box.first <= check.today:
        return ""
    return f"It follows {plain(last.title)}, which runs until {weekday(last.due)}."


def _other_days_text(title: str, box: TimeBox) -> str:
    line = start_line(title, start=box.first, due=box.due)
    return f"For other days, change this line:\n\n```\n{line}\n```" if line else ""


def _length_text(check: StartCheck, title: str) -> str:
    """What is unusual about its length, and the line with another year if that is likely meant."""
    if not (check.is_long or check.is_short):
        return ""
    days, box = counted(check.working_days, "working day"), check.box
    if not check.working_days:
        return "**None of its days is a working day,** so all of them would count."
    if check.is_short:
        when = " It begins and ends today." if box.first == box.due == check.today else ""
        return f"**It has only {days};** {_usual_text(check)}.{when}"
    corrected = correct_year(box.due, box.first, box.first)
    line = start_line(title, start=box.first, due=corrected) if corrected else ""
    hint = f" If you mean {full_day(corrected)}: `{line}`" if corrected and line else ""
    return f"**It has {days};** {_usual_text(check)}.{hint}"


def _usual_text(check: StartCheck) -> str:
    if check.usual is None:
        return "most teams plan 5 to 20"
    return f"your sprints usually have {check.usual}"


def _distance_text(check: StartCheck, title: str) -> str:
    """That its first day is far from today, and the line with another year if that is likely meant."""
    if not (check.starts_long_ago or check.starts_far_off):
        return ""
    days = counted(abs((check.box.first - check.today).days), "day")
    corrected = correct_year(check.box.first, check.today, date.min)
    is_possible = corrected is not None and corrected <= check.box.due
    line = start_line(title, start=corrected, due=check.box.due) if is_possible else ""
    hint = f" If you mean {full_day(corrected)}: `{line}`" if corrected and line else ""
    distance = f"is {days} ago" if check.starts_long_ago else f"is {days} away"
    return f"**Its first day, {full_day(check.box.first)}, {distance}.**{hint}"


def _overlap_text(check: StartCheck) -> str:
    running = [sprint for sprint in check.overlapping if sprint.first_day <= check.today]
    planned = [sprint for sprint in check.overlapping if sprint.first_day > check.today]
    texts = []
    if running:
        are = "sprint is" if len(running) == 1 else "sprints are"
        count = "Another" if len(running) == 1 else str(len(running))
        other = "" if len(running) == 1 else "other "
        texts.append(f"**{count} {other}{are} running:** {_list_sprints(running)}.")
    if planned:
        are = "is" if len(planned) == 1 else "are"
        names = ", ".join(f"{plain(s.title)} (from {weekday(s.first_day)})" for s in planned)
        texts.append(f"{names} {are} planned for some of these days.")
    return " ".join(texts)


def _list_sprints(sprints: Sequence[Sprint]) -> str:
    ends = {
        sprint.milestone: f"until {weekday(sprint.due)}" if sprint.due else "without a due date"
        for sprint in sprints
    }
    return ", ".join(f"{plain(sprint.title)} {ends[sprint.milestone]}" for sprint in sprints)


def _day_off_text(check: StartCheck) -> str:
    last = check.last_working_day
    if last is None:
        return ""
    due = check.box.due
    is_weekend = due.weekday() not in check.calendar.weekdays
    reason = f"a {_FULL_WEEKDAYS[due.weekday()]}" if is_weekend else "a day off"
    return f"Its last day is {reason}: the last working day is {weekday(last)}."
