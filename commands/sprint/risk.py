"""`/risk`: the risks of the sprint, with the evidence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN

from charts.reading import quantity
from commands.formatting.wording import counted, footer, moment, named, plain, weekday
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.forecast_sentences import chance_sentence, swap_sentence
from commands.messages.progress import percent, unit_of_open
from commands.shared.choosing import resolve_facts
from commands.shared.forecasting import read_outlook
from commands.shared.overload import describe_load
from commands.shared.reporting import count_sprint_crossings
from sprints.durations import ServiceLevel, derive_service_level, measure_cycle_times
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.forecast import Forecast, Refusal
from sprints.numbering import Number
from sprints.outlook import Outlook
from sprints.reviews import list_review_waits
from sprints.risks import Risk, RiskKind, find_risks

_NOTHING = "stands out: no blocked, overdue or oversized work, no large change of scope."
_LEAST_DONE = 10  # Fewer done items than this say little about how long an item takes.


@command(
    "risk",
    summary="what endangers the sprint, ranked by how much of it is at stake",
    level=Level.READ,
    arguments=(Argument("milestone", ArgumentKind.TEXT, "of another sprint than the one that is running"),),
    examples=("/risk",),
)
async def risk(context: Context, arguments: Arguments) -> Reply:
    """Show the chance to finish, then each risk with its items."""
    facts = await resolve_facts(context, arguments.text("milestone"))
    if facts.sprint.has_ended(facts.as_of):
        raise UserError(f"{plain(facts.sprint.title)} has ended; `/sprint report` tells how it went.")
    sprint_end = await read_outlook(context, facts)
    forecast = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    unit = sprint_end.unit if isinstance(sprint_end, Outlook) else unit_of_open(facts)
    flows = await context.read_flows()
    level = _derive_level(context, flows)
    risks = find_risks(
        facts,
        unit,
        flows,
        level=level,
        carries=await _count_carries(context, facts),
        reviews=await _find_review_waits(context, flows),
    )
    load = await describe_load(context, facts, sprint_end, forecast)
    lead = f"{_lead(sprint_end, forecast)} {load}".strip()
    return Reply((card(facts, unit, risks, lead, level, has_load=bool(load)),))


def card(
    facts: Facts,
    unit: str,
    risks: tuple[Risk, ...],
    lead: str,
    level: ServiceLevel | None,
    *,
    has_load: bool = False,
) -> str:
    """What is said of the risks. It `has_load` where the lead tells that the sprint holds too much."""
    parts = [f"### Risks · {plain(facts.sprint.title)}", lead]
    is_all_estimated = unit != "points" or all(item.points for item in facts.open_items)
    whole = "what is open" if is_all_estimated else "the open points"
    lines = [f"{n}. {_risk_line(risk, unit, level, whole)}" for n, risk in enumerate(risks, start=1)]
    parts.append("\n".join(lines) or f"Nothing {'else ' if has_load else ''}{_NOTHING}")
    parts.append(footer(f"As of {moment(facts.sprint.calendar.local(facts.as_of))}"))
    return "\n\n".join(part for part in parts if part)


def _risk_line(risk: Risk, unit: str, level: ServiceLevel | None, whole: str = "what is open") -> str:
    items, work = named(risk.items), quantity(risk.amount, unit)
    share = f"{percent(risk.stake, ROUND_HALF_EVEN)} of {whole}"
    match risk.kind:
        case RiskKind.BLOCKED:
            return f"**Blocked:** {items} – {work}, {share}."
        case RiskKind.OLD:
            usual = f"; 85 % of items take at most {counted(level.days, 'day')}" if level else ""
            return f"**In progress for long:** {items} – {work}, {share}{usual}."
        case RiskKind.LARGE:
            return f"**Large and not begun:** {items} – {work}, {share}. `/split` makes it smaller."
        case RiskKind.GROWN:
            return f"**Scope has grown** by {work} since the commitment, with {items}; see `/sprint scope`."
        case RiskKind.QUIET:
            since = f" since {weekday(risk.since)}" if risk.since else ""
            return f"**Nothing was done** on {counted(risk.days, 'working day')}{since}."
        case RiskKind.UNESTIMATED:
            return f"**Not estimated:** {items}, {percent(risk.stake, ROUND_HALF_EVEN)} of the open items."
        case RiskKind.CARRIED:
            return f"**Carried over more than once:** {items} – {work}, {share}."
        case RiskKind.REVIEW:
            return f"**Waiting for a first review** for more than two days: {items} – {work}, {share}."


def _lead(sprint_end: Outlook | Refusal, forecast: Forecast | Refusal) -> str:
    if isinstance(sprint_end, Refusal) or isinstance(forecast, Refusal):
        return ""
    return f"{chance_sentence(sprint_end, forecast)} {swap_sentence(sprint_end, forecast)}".strip()


def _derive_level(planning: Planning, flows: Sequence[Flow]) -> ServiceLevel | None:
    level = derive_service_level(measure_cycle_times(flows, planning.calendar))
    return level if level and level.n >= _LEAST_DONE else None


async def _count_carries(planning: Planning, facts: Facts) -> Mapping[Number, int]:
    """Count, by item, the ends of earlier sprints over which it was carried."""
    return count_sprint_crossings(await planning.sprints.numbers(planning.now), facts.sprint, planning.now)


async def _find_review_waits(planning: Planning, flows: Sequence[Flow]) -> Mapping[Number, datetime]:
    """The time since when open pull requests have waited for a first review, by number."""
    events = await planning.history.items()
    opened = min((flow.created_at for flow in flows if flow.is_open), default=planning.now)
    activity = await planning.history.activity("review", opened, planning.now)
    waits = list_review_waits(flows, events, activity, planning.now)
    return {wait.flow.number: wait.since for wait in waits}
