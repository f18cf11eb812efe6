"""`/standup`: events since the last working day, and work that is blocked or waits for review."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.standup import standup_text
from commands.shared.work import read_review_waits, read_work
from sprints.standup import build_standup
from sprints.wip import count_wip, limited_wips


@command(
    "standup",
    summary="what was done and started since the last working day, and what is blocked or waits for review",
    level=Level.READ,
    examples=("/standup",),
)
async def standup(context: Context, _: Arguments) -> Reply:
    """Show the standup of the whole repository, by items and not by people."""
    return Reply((await standup_report(context),))


async def standup_report(planning: Planning) -> str:
    """Render the standup of a repository as Markdown, for `/standup` and the daily post."""
    work = await read_work(planning)
    report = build_standup(work.flows, await read_review_waits(planning, work), work.now, work.calendar)
    settings = planning.project.settings
    limits = limited_wips(work.flows, settings.teams, settings.wip_limits)
    exceeded = [wip for wip in limits if wip.team and wip.excess]
    wips = [count_wip(work.flows, settings.wip_limits.repository), *exceeded]
    return standup_text(report, wips, work)
