"""`/start`: record that work on this item starts or continues."""

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
from sprints.wip import Wip, count_wip, limited_wips
from sprints.work import RepositoryWork


@command(
    "start",
    summary="says that work on this item begins, or goes on after a pause",
    level=Level.TRIAGE,
    examples=("/start",),
    is_changing=True,
)
async def start(context: Context, _: Arguments) -> Changes:
    """Record a start, which overrides all other start signals, and show the work in progress."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    wips = list_wips_after(work, _with_start(flow, work), context.project.settings)
    summary = f"start #{flow.number}"
    if standing := unneeded_start_sentence(flow, work):
        return Changes(summary, (), sentence_with_wips(standing, wips))
    return Changes(
        summary,
        (RecordFact(local_number(flow.number), "started"),),
        sentence_with_wips(started_sentence(flow, work), wips),
    )


def list_wips_after(work: RepositoryWork, changed: Flow, settings: TeamSettings) -> list[Wip]:
    """The work in progress after an item has changed, in all and by team.

    Included are teams to which the item belongs, and teams over their limit.
    """
    flows = [changed if flow.item == changed.item else flow for flow in work.flows]
    of_teams = [wip for wip in limited_wips(flows, settings.teams, settings.wip_limits) if wip.team]
    concerned = [wip for wip in of_teams if wip.excess or changed in wip.items]
    return [count_wip(flows, settings.wip_limits.repository), *concerned]


def _with_start(flow: Flow, work: RepositoryWork) -> Flow:
    return replace(flow, started_at=flow.started_at or work.now, pauses=())
