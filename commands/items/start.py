"""`/start`: record that work on this item starts or continues."""

from dataclasses import replace
from datetime import date, datetime

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, RecordFact
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.item_start import (
    before_opening_text,
    future_start_text,
    redated_sentence,
    redating_preview,
    redating_summary,
    sentence_with_wips,
    started_sentence,
    unneeded_start_sentence,
)
from commands.shared.work import read_work, resolve_open_item
from sprints.flow import Flow
from sprints.model import sort_events
from sprints.numbering import local_number
from sprints.starts import StartSignal
from sprints.team_settings import TeamSettings
from sprints.wip import Wip, count_wip, limited_wips
from sprints.work import RepositoryWork


@command(
    "start",
    summary="says that work on this item begins, or goes on after a pause",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "since", ArgumentKind.DATE, "the day on which work started; else it starts now", is_past=True
        ),
    ),
    examples=("/start", "/start since:2026-11-20"),
    is_changing=True,
)
async def start(context: Context, arguments: Arguments) -> Changes:
    """Record a start and show the work in progress; an item in progress keeps its start without a day."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    if since := arguments.date("since"):
        return await _redate_start(context, flow, work, since)
    wips = list_wips_after(work, _with_start(flow, work), context.project.settings)
    summary = f"start #{flow.number}"
    if standing := unneeded_start_sentence(flow, work, await _find_starter(context, flow)):
        return Changes(summary, (), sentence_with_wips(standing, wips))
    return Changes(
        summary,
        (RecordFact(local_number(flow.number), "started"),),
        sentence_with_wips(started_sentence(flow, work), wips),
    )


async def _redate_start(context: Context, flow: Flow, work: RepositoryWork, since: date) -> Changes:
    """Let the item's start count from a day; it is shown first, because the item's age changes."""
    calendar, starter = work.calendar, await _find_starter(context, flow)
    opened = calendar.day_of(flow.created_at)
    if since > calendar.day_of(work.now):
        raise UserError(future_start_text(since))
    if since < opened:
        raise UserError(before_opening_text(flow, opened))
    summary = redating_summary(flow, since)
    is_there_already = flow.started_at and calendar.day_of(flow.started_at) == since and flow.is_start_dated
    if flow.is_pull_request or (is_there_already and flow.start_signal is StartSignal.COMMAND):
        return Changes(summary, (), unneeded_start_sentence(flow, work, starter))
    moment = max(calendar.midnight(since), flow.created_at)
    wips = list_wips_after(work, _with_start(flow, work, moment), context.project.settings)
    return Changes(
        summary,
        (RecordFact(local_number(flow.number), "started", since=moment.isoformat()),),
        sentence_with_wips(redated_sentence(flow, work, moment, starter), wips),
        redating_preview(flow, work, moment, starter),
        needs_consent=True,
    )


async def _find_starter(context: Context, flow: Flow) -> str | None:
    """The login of who gave the signal by which an item is started; None if nobody is known."""
    if flow.started_at is None or flow.start_signal is StartSignal.PULL_REQUEST:
        return None
    events = sort_events(await context.history.item(local_number(flow.number)))
    signals = (event for event in events if event.at == flow.started_at)
    dated = (event for event in reversed(events) if event.named == flow.started_at.isoformat())
    return next((event.actor for event in (*dated, *signals) if event.event != "commented"), None)


def list_wips_after(work: RepositoryWork, changed: Flow, settings: TeamSettings) -> list[Wip]:
    """The work in progress after an item has changed, in all and by team.

    Included are teams to which the item belongs, and teams over their limit.
    """
    flows = [changed if flow.item == changed.item else flow for flow in work.flows]
    of_teams = [wip for wip in limited_wips(flows, settings.teams, settings.wip_limits) if wip.team]
    concerned = [wip for wip in of_teams if wip.excess or changed in wip.items]
    return [count_wip(flows, settings.wip_limits.repository), *concerned]


def _with_start(flow: Flow, work: RepositoryWork, since: datetime | None = None) -> Flow:
    return replace(flow, started_at=since or flow.started_at or work.now, pauses=())
