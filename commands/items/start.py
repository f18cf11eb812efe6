"""`/start`: work on this item begins, or goes on."""

from dataclasses import replace

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, RecordFact
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.item_start import sentence_with_wips, started_sentence, unneeded_start_sentence
from commands.shared.work import read_work, resolve_open_item
from sprints.flow import Flow
from sprints.numbering import local_number
from sprints.team_settings import TeamSettings
from sprints.wip import Wip, limited_wips, wip_of
from sprints.work import RepositoryWork


@command(
    "start",
    summary="says that work on this item begins, or goes on after a pause",
    level=Level.TRIAGE,
    examples=("/start",),
    is_changing=True,
)
async def start(context: Context, _: Arguments) -> Changes:
    """The start signal that goes before all others, and the work in progress against its limits."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    wips = wips_with(work, _begun(flow, work), context.project.settings)
    summary = f"start #{flow.number}"
    if standing := unneeded_start_sentence(flow, work):
        return Changes(summary, (), sentence_with_wips(standing, wips))
    return Changes(
        summary,
        (RecordFact(local_number(flow.number), "started"),),
        sentence_with_wips(started_sentence(flow, work), wips),
    )


def wips_with(work: RepositoryWork, changed: Flow, settings: TeamSettings) -> list[Wip]:
    """The work in progress once this item has changed: all of it, and each team's that this item belongs to
    or that has too much.
    """
    flows = [changed if flow.item == changed.item else flow for flow in work.flows]
    of_teams = [wip for wip in limited_wips(flows, settings.teams, settings.wip_limits) if wip.team]
    concerned = [wip for wip in of_teams if wip.excess or changed in wip.items]
    return [wip_of(flows, settings.wip_limits.repository), *concerned]


def _begun(flow: Flow, work: RepositoryWork) -> Flow:
    return replace(flow, started_at=flow.started_at or work.now, pauses=())
