"""`/risk`: the risks of the sprint, with the evidence."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from commands.formatting.wording import plain
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import sprint_argument
from commands.messages.progress import unit_of_open
from commands.messages.risk import risk_card, risk_lead
from commands.shared.choosing import SPRINT, resolve_facts
from commands.shared.forecasting import read_outlook
from commands.shared.overload import describe_load
from commands.shared.reporting import read_crossings
from commands.shared.work import read_past
from sprints.flow import Flow
from sprints.numbering import Number
from sprints.outlook import Outlook
from sprints.reviews import list_review_waits
from sprints.risks import find_risks


@command(
    "risk",
    summary="what endangers the sprint, ranked by how much of it is at stake",
    level=Level.READ,
    arguments=(SPRINT,),
    examples=("/risk",),
)
async def risk(context: Context, arguments: Arguments) -> Reply:
    """Show the chance to finish, then each risk with its items."""
    facts = await resolve_facts(context, arguments.text("sprint"))
    if facts.sprint.has_ended(facts.as_of):
        line = f"`/sprint report{sprint_argument(facts.sprint.title)}`"
        raise UserError(f"{plain(facts.sprint.title)} has ended; {line} shows how it went.")
    sprint_end = await read_outlook(context, facts)
    forecast = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    unit = sprint_end.unit if isinstance(sprint_end, Outlook) else unit_of_open(facts)
    flows = await context.flows.of_items({item.item for item in facts.open_items}, context.now)
    level = (await read_past(context)).level
    risks = find_risks(
        facts,
        unit,
        flows,
        level=level,
        carries=await read_crossings(context, facts.sprint),
        reviews=await _find_review_waits(context, flows),
    )
    load = await describe_load(context, facts, sprint_end, forecast)
    lead = f"{risk_lead(sprint_end, forecast)} {load}".strip()
    return Reply((risk_card(facts, unit, risks, lead, level, has_load=bool(load)),))


async def _find_review_waits(planning: Planning, flows: Sequence[Flow]) -> Mapping[Number, datetime]:
    """The time since when open pull requests have waited for a first review, by number."""
    opened = min((flow.created_at for flow in flows if flow.is_open), default=planning.now)
    activity = await planning.history.activity("review", opened, planning.now)
    waits = list_review_waits(flows, activity, planning.now)
    return {wait.flow.number: wait.since for wait in waits}
