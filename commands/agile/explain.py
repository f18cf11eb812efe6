"""`/explain`: the meaning of a number, its parts, and the events behind it."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from commands.formatting.wording import footer, format_moment, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages import explain_flow, explain_sprint
from commands.messages.charts import BY
from commands.messages.explain import Explanation, explanation_text
from commands.messages.explain_overview import RULES, explain_overview
from commands.messages.sprint_charts import sprint_footer
from commands.messages.undo import undone_line
from commands.shared.choosing import SPRINT, resolve_facts
from commands.shared.comparing import FROM, TO, explain_between, is_comparison
from commands.shared.cycle_times import read_timed_work
from commands.shared.flow_window import LAST, resolve_window
from commands.shared.reporting import read_outcomes
from commands.shared.undoing import list_undone
from sprints.durations import select_done
from sprints.expectation import WINDOW_DAYS
from sprints.facts import Facts, ScopeCause
from sprints.history import LabelHistory, trace_changes
from sprints.milestone import Sprint
from sprints.throughput import count_throughput
from sprints.velocity import CarryOver, compute_velocity, list_carry_over

_BY_SPRINT: dict[str, Callable[[explain_sprint.SprintEvidence], Explanation]] = {
    "committed": explain_sprint.explain_committed,
    "added": lambda evidence: explain_sprint.explain_cause(evidence, explain_sprint.ADDED, ScopeCause.ADDED),
    "removed": lambda evidence: explain_sprint.explain_cause(
        evidence, explain_sprint.REMOVED, ScopeCause.REMOVED
    ),
    "dropped": lambda evidence: explain_sprint.explain_cause(
        evidence, explain_sprint.DROPPED, ScopeCause.DROPPED
    ),
    "reestimated": lambda evidence: explain_sprint.explain_cause(
        evidence, explain_sprint.REESTIMATED, ScopeCause.REESTIMATED
    ),
    "scope": explain_sprint.explain_scope,
    "done": explain_sprint.explain_done,
    "remaining": explain_sprint.explain_remaining,
    "say/do": explain_sprint.explain_say_do,
}
_BY_FLOW: dict[str, Callable[[explain_flow.FlowEvidence], Explanation]] = {
    "throughput": lambda evidence: explain_flow.explain_throughput(
        evidence,
        count_throughput(evidence.flows, evidence.calendar, evidence.window.first, evidence.window.last),
    ),
    "cycle time": explain_flow.explain_cycle_time,
    "lead time": explain_flow.explain_lead_time,
    "wip": explain_flow.explain_wip,
}
METRICS = tuple(RULES)
_OTHER_NAMES = {"completed": "done", "workinprogress": "wip"}
_MOST_WORDS = max(len(re.split(r"[ /-]", name)) for name in METRICS)
VERBOSE = Argument("verbose", ArgumentKind.FLAG, "also name GitHub's deliveries behind the events")
# Explained together with the changes that were undone and count no more.
_WITH_UNDONE = {"committed", "added", "removed", "reestimated", "scope"}


@command(
    "explain",
    summary="what a number means, how it adds up, and who did what when behind it",
    level=Level.READ,
    arguments=(
        Argument("metric", ArgumentKind.TEXTS, ", ".join(METRICS), is_positional=True),
        replace(
            SPRINT, is_positional=False, summary="in this sprint, by its title or number, or during its days"
        ),
        LAST,
        BY,
        FROM,
        TO,
        VERBOSE,
    ),
    examples=(
        "/explain",
        "/explain added",
        "/explain cycle time last:8",
        "/explain done verbose:yes",
        '/explain carry-over for:"Sprint 24"',
        "/explain scope from:2026-11-20 to:2026-11-27",
    ),
)
async def explain(context: Context, arguments: Arguments) -> Reply:
    """Explain a metric; without one, list the metrics and explain the sprint's scope."""
    words, name = split_metric(arguments.texts("metric"))
    if name:
        arguments = arguments.with_text(SPRINT.name, name)
    if not words:
        if is_comparison(arguments):
            return await explain_between(context, arguments, "scope", RULES["scope"])
        return await _explain_overview(context, arguments)
    metric = _resolve_metric(words)
    if is_comparison(arguments):
        return await explain_between(context, arguments, metric, RULES[metric])
    if metric in _BY_FLOW:
        return await _explain_flow(context, arguments, metric)
    if metric == "velocity":
        return await _explain_velocity(context, arguments)
    facts = await resolve_facts(context, arguments.text("sprint"))
    evidence = await _read_evidence(context, facts, arguments.text("by") or facts.unit)
    if metric == "carry-over":
        explanation = explain_sprint.explain_carry_over(evidence, await _read_carry_over(context, facts))
    else:
        explanation = _BY_SPRINT[metric](evidence)
        if metric in _WITH_UNDONE:
            explanation = await _add_undone(context, explanation, facts)
    return Reply(
        (explanation_text(explanation, sprint_footer(facts), is_verbose=arguments.flag("verbose")),),
        says_completeness=True,
    )


def split_metric(words: Sequence[str]) -> tuple[str, str]:
    """Split `carry-over Sprint 24` into the metric and the sprint's name; without a metric all is one."""
    names = {_keep_letters(name) for name in METRICS} | _OTHER_NAMES.keys()
    for length in range(min(len(words), _MOST_WORDS), 0, -1):
        if _keep_letters(" ".join(words[:length])) in names:
            return " ".join(words[:length]), " ".join(words[length:])
    return " ".join(words), ""


def _resolve_metric(text: str) -> str:
    """Find a metric by its name, ignoring case and punctuation. Raises UserError for an unknown one."""
    names = {_keep_letters(name): name for name in METRICS} | _OTHER_NAMES
    if metric := names.get(_keep_letters(text)):
        return metric
    close = difflib.get_close_matches(_keep_letters(text), names, n=1)
    guess = f" Did you mean `/explain {names[close[0]]}`?" if close else ""
    metrics = ", ".join(f"`{name}`" for name in METRICS)
    raise UserError(f"I cannot explain “{plain(text)}”.{guess} I can explain: {metrics}.")


def _keep_letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


async def _explain_overview(context: Context, arguments: Arguments) -> Reply:
    facts = await resolve_facts(context, arguments.text("sprint"))
    return Reply((explain_overview(facts), sprint_footer(facts)), says_completeness=True)


async def _read_evidence(planning: Planning, facts: Facts, unit: str) -> explain_sprint.SprintEvidence:
    """Read a sprint's facts together with the items' histories behind them."""
    milestone, estimates = facts.sprint.milestone, planning.project.rules.estimates
    items = await planning.history.items_of(milestone)
    label_history = LabelHistory(await planning.history.labels())
    histories = {
        item: trace_changes(events, milestone, estimates, label_history.find_for(events))
        for item, events in items.items()
    }
    return explain_sprint.SprintEvidence(facts, histories, unit)


async def _add_undone(planning: Planning, explanation: Explanation, facts: Facts) -> Explanation:
    """Add a note for each change of the sprint's scope that was undone."""
    undone = [entry for entry in await list_undone(planning, facts.sprint) if entry.items]
    notes = [undone_line(entry.change, entry.items, planning.calendar) for entry in undone]
    return replace(explanation, notes=[*explanation.notes, *notes])


async def _read_carry_over(planning: Planning, facts: Facts) -> CarryOver:
    """Read a sprint's carry-over, with the ends that each item crossed in all sprints that it was in."""
    if not facts.carried:
        return list_carry_over(facts)
    carried = {item.item for item in facts.carried}
    items = await planning.history.items_of(facts.sprint.milestone)
    milestones = {
        milestone
        for item, events in items.items()
        if item in carried
        for event in events
        for milestone in (event.milestone, event.snapshot.milestone)
    }
    earlier = list[tuple[Sprint, list[str]]]()
    for other in await planning.sprints.all(planning.now):
        if other.milestone in milestones and other.end and other.milestone != facts.sprint.milestone:
            facts_before = await planning.sprints.facts(other.milestone, planning.now)
            earlier.append((other, [item.item for item in facts_before.carried] if facts_before else []))
    return list_carry_over(facts, earlier)


async def _explain_velocity(planning: Planning, arguments: Arguments) -> Reply:
    if arguments.text("sprint") or arguments.number("last"):
        raise UserError("Velocity covers the last 3 to 7 sprints, so `for` and `last` don't apply here.")
    velocity = compute_velocity(await read_outcomes(planning), arguments.text("by"))
    return Reply(
        (explanation_text(explain_flow.explain_velocity(velocity, planning.calendar), _footer(planning)),)
    )


async def _explain_flow(context: Context, arguments: Arguments, metric: str) -> Reply:
    calendar = context.calendar
    if metric == "cycle time":
        timed = await read_timed_work(context, arguments)
        window, done = timed.window, timed.done
    else:
        window = await resolve_window(context, arguments, None if metric == "throughput" else WINDOW_DAYS)
    flows = await context.flows.active(calendar.midnight(window.first), context.now)
    if metric != "cycle time":
        done = select_done(flows, window.first, window.last, calendar)
    shown = (
        {flow.item for flow in flows if flow.is_in_progress} if metric == "wip" else {f.item for f in done}
    )
    closing = await context.flows.closing(shown, context.now)
    evidence = explain_flow.FlowEvidence(
        flows,
        done,
        await context.history.events_of({flow.item for flow in closing}),
        window,
        calendar,
        context.now,
    )
    days = "" if metric == "wip" else window.days
    return Reply(
        (
            explanation_text(
                _BY_FLOW[metric](evidence), _footer(context, days), is_verbose=arguments.flag("verbose")
            ),
        )
    )


def _footer(planning: Planning, *more: str) -> str:
    return footer(f"As of {format_moment(planning.calendar.local(planning.now))}", *more)
