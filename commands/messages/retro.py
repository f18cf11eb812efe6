"""The text that opens a retrospective. Pure functions from values to Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.formatting.wording import counted, footer, format_moment, named, plain, weekday
from commands.messages.report import ReportData, result_sentence
from commands.messages.retro_actions import earlier_actions_text, own_actions_text
from sprints.durations import ServiceLevel
from sprints.milestone import Sprint
from sprints.numbering import ref
from sprints.retro import RetroEvidence, Topic
from sprints.retro_actions import EarlierActions, RetroAction

_MOST_OF_A_TOPIC = 5
# People vote with GitHub's reactions, so each topic has its own.
_TOPICS = {
    Topic.OLDEST: ("👀", "Longest in progress"),
    Topic.BLOCKED: ("😕", "Blocked"),
    Topic.REOPENED: ("❤️", "Reopened after it was done"),
    Topic.LATE: ("🚀", "Late"),
    Topic.CARRIED: ("👍", "Carried more than once"),
}
_ELSE = "🎉"


@dataclass(frozen=True, slots=True)
class Retro:
    """A sprint and the remarkable events in it. `usual` is how long the team's work usually takes.

    `actions` are those that its retrospective decided on, `earlier` those of the ones before.
    """

    sheet: ReportData
    evidence: Mapping[Topic, Sequence[RetroEvidence]]
    usual: ServiceLevel | None = None
    actions: Sequence[RetroAction] = ()
    earlier: Sequence[EarlierActions] = ()


def retro_text(retro: Retro) -> str:
    """What became of earlier actions, the sprint's result, how to vote, the evidence, and new actions."""
    sheet = retro.sheet
    sprint = sheet.sprint
    so_far = "" if sheet.report.is_over else " · so far"
    parts = [
        f"### {plain(sprint.title)} · for the retrospective{so_far}",
        earlier_actions_text(retro.earlier, sprint.calendar),
        _goal(sheet),
        result_sentence(sheet.report),
        _how_to_vote(retro),
        *(_topic(retro, topic) for topic in Topic if topic in retro.evidence),
        _nothing(retro),
        own_actions_text(retro.actions, sprint.calendar),
        footer(
            f"As of {format_moment(sprint.calendar.local(sheet.as_of))}",
            "This is evidence, not a judgment of anyone",
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _goal(sheet: ReportData) -> str:
    if not sheet.sprint.goal:
        return ""
    return f"**Goal{f' {sheet.verdict}' if sheet.verdict else ''}:** {plain(sheet.sprint.goal)}"


def _how_to_vote(retro: Retro) -> str:
    if not retro.evidence:
        return "Nothing stood out in these numbers. What should we talk about? Tell us in a reply."
    return (
        "**What should we talk about?** Vote with a reaction to this comment: each topic shows its own, and "
        f"{_ELSE} is for something else (say what in a reply)."
    )


def _topic(retro: Retro, topic: Topic) -> str:
    mark, name = _TOPICS[topic]
    evidence = retro.evidence[topic]
    lines = [f"- {ref(entry.number)}: {_LINES[topic](entry, retro)}" for entry in evidence[:_MOST_OF_A_TOPIC]]
    rest = [entry.number for entry in evidence[_MOST_OF_A_TOPIC:]]
    if rest:
        lines.append(f"- and {len(rest)} more: {named(rest)}")
    listed = "\n".join(lines)
    return f"**{mark} {name}** ({counted(len({entry.number for entry in evidence}), 'item')})\n{listed}"


def _nothing(retro: Retro) -> str:
    missing = [name for topic, (_, name) in _TOPICS.items() if topic not in retro.evidence]
    if not missing or not retro.evidence:
        return ""
    return f"Nothing to show for: {', '.join(name[0].lower() + name[1:] for name in missing)}."


def _oldest(entry: RetroEvidence, retro: Retro) -> str:
    text = counted(entry.days, "day")
    text += " until it was done" if entry.is_over else ", and not done"
    usual = retro.usual
    if usual and entry.days > usual.days:
        most = counted(usual.days, "day")
        text += f"; at that time, {usual.percent} % of items took at most {most} (n = {usual.n})"
    return text


def _blocked(entry: RetroEvidence, _: Retro) -> str:
    by = f" by {named(entry.by)}" if entry.by else ""
    suffix = "" if entry.is_over else ", and still blocked"
    return f"{_days(entry.elapsed)}{by}{suffix}" + (f" – {plain(entry.reason)}" if entry.reason else "")


def _reopened(entry: RetroEvidence, _: Retro) -> str:
    times = "once" if entry.count == 1 else f"{entry.count} times"
    return f"{times}, {'and done again' if entry.is_over else 'and not done again'}"


def _late(entry: RetroEvidence, retro: Retro) -> str:
    if entry.at:
        text = f"added on {_day(entry.at, retro.sheet.sprint)}"
        if not retro.sheet.report.is_over:
            return f"{text}{', done' if entry.is_over else ''}"
        return f"{text}, {'done in time' if entry.is_over else 'not done'}"
    return f"done {_days(entry.elapsed)} after the end"


def _carried(entry: RetroEvidence, _: Retro) -> str:
    return f"open at the end of {entry.count} sprints"


_LINES = {
    Topic.OLDEST: _oldest,
    Topic.BLOCKED: _blocked,
    Topic.REOPENED: _reopened,
    Topic.LATE: _late,
    Topic.CARRIED: _carried,
}


def _days(elapsed: timedelta | None) -> str:
    duration = elapsed or timedelta(0)
    if duration < timedelta(days=1):
        return counted(max(round(duration.total_seconds() / 3600), 1), "hour")
    return counted(duration.days, "day")


def _day(at: datetime, sprint: Sprint) -> str:
    day = sprint.calendar.day_of(at)
    last = sprint.due
    if last is None:
        return weekday(day)
    left = (last - day).days
    return (
        f"{weekday(day)}, {counted(left, 'day')} before the last one"
        if left > 0
        else f"{weekday(day)}, the last day"
    )
