"""`/sprint retro`: evidence for a retrospective, on which people can vote."""

from dataclasses import replace

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.retro import Retro, retro_text
from commands.shared.choosing import SPRINT, resolve_sprint
from commands.shared.reporting import read_facts, read_report
from commands.shared.work import read_past
from sprints.retro import collect_evidence


@command(
    "sprint retro",
    summary="evidence for the retrospective: what took long, was blocked, re-opened, late or carried again",
    level=Level.WRITE,
    arguments=(SPRINT,),
    examples=("/sprint retro", '/sprint retro "Sprint 24"'),
    synonyms=("sprint retrospective", "retro", "retrospective"),
)
async def sprint_retro(context: Context, arguments: Arguments) -> Reply:
    """List the unusual facts by topic. People vote on topics with reactions; no person is named."""
    sprint = await resolve_sprint(context, arguments.text("sprint"))
    report = await read_report(context, sprint)
    until = min(sprint.end, context.now) if sprint.end else context.now
    facts = await read_facts(context, sprint, until)
    members = {item.item for item in facts.items}
    flows = await context.flows.of_items(members, until)
    late = await context.flows.of_numbers(report.report.late.numbers, context.now)
    done_at = {flow.number: flow.done_at for flow in late if flow.done_at}
    evidence = collect_evidence(facts, report.report, flows, report.crossed, done_at)
    past = await read_past(replace(context, now=until))
    return Reply((retro_text(Retro(report, evidence, past.level)),))
