"""`/start`: record that work on this item starts or continues."""

from dataclasses import replace

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes, RecordFact
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import against, since
from commands.shared.work import read_work, resolve_open_item
from sprints.flow import Flow
from sprints.numbering import local_number
from sprints.starts import StartSignal
from sprints.team_settings import TeamSettings
from sprints.wip import Wip, limited_wips, wip_of
from sprints.work import RepositoryWork

_SIGNALS = {
    StartSignal.COMMAND: "`/start`",
    StartSignal.STATUS: "its status",
    StartSignal.LABEL: "its label",
    StartSignal.PULL_REQUEST: "a pull request",
    StartSignal.ASSIGNED: "its first assignment",
}


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
    if standing := _no_start(flow, work):
        return Changes(summary, (), said(standing, wips))
    return Changes(
        summary, (RecordFact(local_number(flow.number), "started"),), said(_started(flow, work), wips)
    )


def list_wips_after(work: RepositoryWork, changed: Flow, settings: TeamSettings) -> list[Wip]:
    """The work in progress after an item has changed, in all and by team.

    Included are teams to which the item belongs, and teams over their limit.
    """
    flows = [changed if flow.item == changed.item else flow for flow in work.flows]
    of_teams = [wip for wip in limited_wips(flows, settings.teams, settings.wip_limits) if wip.team]
    concerned = [wip for wip in of_teams if wip.excess or changed in wip.items]
    return [wip_of(flows, settings.wip_limits.repository), *concerned]


def said(sentence: str, wips: list[Wip]) -> str:
    """What happened to the item, and what is in progress now."""
    parts = [sentence, "\n".join(against(wip) for wip in wips)]
    if any(wip.excess for wip in wips):
        parts.append("Finish something, or `/pause` it, before more is started.")
    return "\n\n".join(parts)


def _with_start(flow: Flow, work: RepositoryWork) -> Flow:
    return replace(flow, started_at=flow.started_at or work.now, pauses=())


def _no_start(flow: Flow, work: RepositoryWork) -> str:
    """Why there is nothing to tell, if there is not."""
    if flow.is_paused:
        return ""
    if flow.is_pull_request and flow.started_at:
        return (
            f"#{flow.number} is a pull request: it is in progress {_since(flow, work)}, when it was opened."
        )
    if flow.start_signal is StartSignal.COMMAND:
        return f"#{flow.number} is in progress already, {_since(flow, work)}."
    return ""


def _started(flow: Flow, work: RepositoryWork) -> str:
    if flow.is_paused and flow.started_at:
        paused = since(flow.pauses[-1].span.since, work.now, work.calendar)
        return f"**#{flow.number} goes on.** It was paused {paused}; its age counts {_since(flow, work)}."
    text = f"**#{flow.number} is in progress.**"
    if flow.is_covered:
        text += " Others tell its work, so it counts against no limit itself."
    if flow.started_at and flow.start_signal and flow.is_start_dated:
        before = f"{_since(flow, work)}, from {_SIGNALS[flow.start_signal]}"
        text += f" Its age counts from now; until now it counted {before}."
    return text


def _since(flow: Flow, work: RepositoryWork) -> str:
    return since(flow.started_at or work.now, work.now, work.calendar)
