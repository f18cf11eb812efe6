"""Compares a number at two moments: which ones, what changed it between them, and who did that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.formatting.wording import footer, format_moment, full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.planning import Planning
from commands.messages.charts import sprint_argument
from commands.messages.explain import Rule
from commands.messages.explain_between import ComparedNumber, comparison_text
from commands.messages.sprint_charts import sprint_footer
from commands.shared.choosing import resolve_facts, resolve_moment, resolve_sprint
from sprints.comparison import (
    COMPARABLE,
    compare_moments,
    compare_work_in_progress,
    find_moved_flows,
    list_changes,
)
from sprints.facts import Facts
from sprints.milestone import Sprint
from sprints.model import ItemEvent, LabelEvent
from sprints.numbering import Number, qualify_number
from sprints.people import is_bot
from storage.changes import AuditEntry

FROM = Argument(
    "from",
    ArgumentKind.DATE,
    "why it changed: from the beginning of this day, else the sprint's start",
    is_past=True,
)
TO = Argument("to", ArgumentKind.DATE, "why it changed: to the end of this day, else now", is_past=True)
WIP = "wip"
# Work in progress at a moment is folded from the events of all items of that time.
_LONGEST_WIP = timedelta(days=92)
_A_WEEK = timedelta(days=7)
_MOST_ENTRIES = 1000
# The longest time between a person's command and the event by which GitHub reports the App's change.
_SOON = timedelta(minutes=10)


def is_comparison(arguments: Arguments) -> bool:
    """Whether a command asks for a number at two moments."""
    return arguments.date("from") is not None or arguments.date("to") is not None


async def explain_between(context: Context, arguments: Arguments, metric: str, rule: Rule) -> Reply:
    """Explain why a number changed between two days. Raises UserError if it or they cannot be compared."""
    if metric == WIP:
        return await _explain_wip(context, arguments, rule)
    if metric not in COMPARABLE:
        names = ", ".join(f"`{name}`" for name in (*COMPARABLE, WIP))
        raise UserError(
            f"`/explain {metric}` takes no `from` and `to`, because it has no value at each moment. "
            f"These do: {names}."
        )
    facts = await resolve_facts(context, arguments.text("for"))
    since, until = _resolve_span(context, arguments, metric, facts.sprint)
    compared = ComparedNumber(
        rule,
        facts.sprint.title,
        compare_moments(list_changes(facts, metric), since, until),
        _choose_unit(arguments, facts, metric),
        facts.sprint.calendar,
        (await _read_requesters(context)).find_actor,
    )
    return Reply((comparison_text(compared, sprint_footer(facts)),), says_completeness=True)


async def _explain_wip(context: Context, arguments: Arguments, rule: Rule) -> Reply:
    sprint = await resolve_sprint(context, arguments.text("for"))
    since, until = _resolve_span(context, arguments, WIP, sprint)
    if until - since > _LONGEST_WIP:
        raise UserError(
            f"Work in progress can be compared over {_LONGEST_WIP.days} days at most. Use a later day "
            "for `from`."
        )
    before = await context.flows.active(since, since)
    after = await context.flows.active(since, until)
    came, went = find_moved_flows(before, after)
    events = await context.history.events_of(came | went)
    compared = ComparedNumber(
        rule,
        "",
        compare_work_in_progress(before, after, events, since, until),
        "count",
        context.calendar,
        (await _read_requesters(context)).find_actor,
        counts_items_only=True,
    )
    return Reply((comparison_text(compared, footer(f"As of {_now(context)}")),))


def _choose_unit(arguments: Arguments, facts: Facts, metric: str) -> str:
    return arguments.text("by") or ("points" if metric == "reestimated" else facts.unit)


def _resolve_span(
    planning: Planning, arguments: Arguments, metric: str, sprint: Sprint
) -> tuple[datetime, datetime]:
    """The first and the last moment. Raises UserError unless the first one is earlier and both are over."""
    calendar, first, last = planning.calendar, arguments.date("from"), arguments.date("to")
    until = resolve_moment(planning, arguments, "to")
    if first is None and last and until <= sprint.start:
        week_before = (last - _A_WEEK).isoformat()
        raise UserError(
            f"{plain(sprint.title)} starts on {full_day(sprint.first_day)}, after `to:{last.isoformat()}`. "
            f"Add the first day: `/explain {metric} from:{week_before} to:{last.isoformat()}`."
        )
    if first is None:
        since = sprint.start
    elif first > calendar.day_of(planning.now):
        raise UserError(f"`from:{first.isoformat()}` is in the future. Use today or an earlier day.")
    else:
        since = calendar.midnight(first)
    if first and last and first > last:
        raise UserError(
            f"`from:{first.isoformat()}` is later than `to:{last.isoformat()}`. Try `/explain {metric} "
            f"from:{last.isoformat()} to:{first.isoformat()}`."
        )
    end = sprint.end
    if metric != WIP and end and end <= until:
        if first and since >= end and sprint.last_day:
            raise UserError(
                f"{plain(sprint.title)} ended on {full_day(sprint.last_day)}, and its numbers have not "
                f"changed since. Try `/explain {metric}{sprint_argument(sprint.title)} "
                f"from:{sprint.first_day.isoformat()} to:{sprint.last_day.isoformat()}`."
            )
        until = end
    return since, until


@dataclass(frozen=True, slots=True)
class _Requesters:
    """Who asked the bot for its changes, by item: the login and the time of each."""

    by_number: Mapping[Number, Sequence[tuple[datetime, str]]]

    def find_actor(self, event: ItemEvent | LabelEvent) -> str | None:
        """Who did what an event says; for a change by the App, the person who asked for it if known."""
        if not is_bot(event.actor) or not isinstance(event, ItemEvent):
            return event.actor
        asked = self.by_number.get(event.snapshot.number, ())
        near = [(abs(at - event.at), login) for at, login in asked if abs(at - event.at) <= _SOON]
        return min(near)[1] if near else event.actor


async def _read_requesters(context: Context) -> _Requesters:
    entries = await context.changes.audit_entries(_MOST_ENTRIES)
    by_number = dict[Number, list[tuple[datetime, str]]]()
    for entry in entries:
        if number := _number_of(entry):
            by_number.setdefault(number, []).append((entry.at, entry.actor))
    return _Requesters(by_number)


def _number_of(entry: AuditEntry) -> Number | None:
    """The item that an entry of the audit log changed."""
    match entry.details.get("step"):
        case {"type": "MoveItem" | "Relabel", "number": int(number), **rest}:
            return qualify_number(str(rest.get("repository") or ""), number)
        case _:
            return None


def _now(planning: Planning) -> str:
    return format_moment(planning.calendar.local(planning.now))
