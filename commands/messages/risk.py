"""Texts about the risks of a sprint."""

from charts.reading import percent, quantity
from commands.formatting.wording import counted, footer, format_moment, named, plain, weekday
from commands.messages.charts import sprint_argument
from commands.messages.forecast_sentences import chance_sentence, swap_sentence
from sprints.durations import ServiceLevel
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.outlook import Outlook
from sprints.risks import Risk, RiskKind

_NOTHING = "stands out: no blocked, overdue or oversized work, no large change of scope."


def risk_card(
    facts: Facts,
    unit: str,
    risks: tuple[Risk, ...],
    lead: str,
    level: ServiceLevel | None,
    *,
    has_load: bool = False,
) -> str:
    """The ranked list of risks below the lead.

    `has_load` states that the lead contains a sentence on overload.
    """
    parts = [f"### Risks · {plain(facts.sprint.title)}", lead]
    is_all_estimated = unit != "points" or all(item.points for item in facts.open_items)
    total_text = "what is open" if is_all_estimated else "the open points"
    lines = [
        f"{n}. {_risk_line(risk, unit, level, total_text, facts)}" for n, risk in enumerate(risks, start=1)
    ]
    parts.append("\n".join(lines) or f"Nothing {'else ' if has_load else ''}{_NOTHING}")
    parts.append(footer(f"As of {format_moment(facts.sprint.calendar.local(facts.as_of))}"))
    return "\n\n".join(part for part in parts if part)


def _risk_line(risk: Risk, unit: str, level: ServiceLevel | None, total_text: str, facts: Facts) -> str:
    items, work = named(risk.items), quantity(risk.amount, unit)
    share = f"{percent(risk.stake)} of {total_text}"
    match risk.kind:
        case RiskKind.BLOCKED:
            return f"**Blocked:** {items} – {work}, {share}."
        case RiskKind.OLD:
            usual = f"; 85 % of items take at most {counted(level.days, 'day')}" if level else ""
            return f"**In progress for long:** {items} – {work}, {share}{usual}."
        case RiskKind.LARGE:
            return f"**Large and not started:** {items} – {work}, {share}. `/split` makes it smaller."
        case RiskKind.GROWN:
            line = f"`/sprint scope{sprint_argument(facts.sprint.title)}`"
            return f"**Scope has grown** by {work} since the commitment, with {items}; see {line}."
        case RiskKind.QUIET:
            since = f" since {weekday(risk.since)}" if risk.since else ""
            return f"**Nothing was done** on {counted(risk.days, 'working day')}{since}."
        case RiskKind.UNESTIMATED:
            return f"**Not estimated:** {items}, {percent(risk.stake)} of the open items."
        case RiskKind.CARRIED:
            return f"**Carried over more than once:** {items} – {work}, {share}."
        case RiskKind.REVIEW:
            return f"**Waiting for a first review** for more than two days: {items} – {work}, {share}."


def risk_lead(sprint_end: Outlook | Refusal, forecast: Forecast | Refusal) -> str:
    """The chance to finish the sprint and the items to take out. Empty without a forecast."""
    if isinstance(sprint_end, Refusal) or isinstance(forecast, Refusal):
        return ""
    return f"{chance_sentence(sprint_end, forecast)} {swap_sentence(sprint_end, forecast)}".strip()
