"""`/sprint status`: where the sprint stands, in one card."""

from datetime import datetime, timedelta

from charts.alt_text import burndown_alt
from charts.mermaid import burndown_mermaid
from commands.arguments import Argument, Arguments, Kind
from commands.context import Context
from commands.errors import UserError
from commands.outcome import Picture, Reply
from commands.permissions import Level
from commands.registry import command
from commands.status_card import after_chart, before_chart, plain
from sprints.burndown import burndown_of
from sprints.milestone import Sprint
from sprints.selection import choose

_NO_SPRINT = (
    "There is no sprint yet in {repository}. A sprint is a GitHub milestone: "
    "[create one](https://github.com/{repository}/milestones/new) with a due date, put a line "
    "`Start: 2026-12-01` into its description if it does not begin today, and add issues to it."
)


@command(
    "sprint status",
    summary="where the sprint stands: scope, done, remaining, and the burndown",
    level=Level.READ,
    arguments=(
        Argument(
            "name", Kind.TEXT, "the milestone's title; else the one that is running", is_positional=True
        ),
        Argument("by", Kind.CHOICE, "the unit of the chart", choices=("points", "count")),
        Argument("as-of", Kind.DATE, "how it stood at the end of that day"),
    ),
    examples=(
        "/sprint status",
        '/sprint status "Sprint 24"',
        "/sprint status by:count",
        "/sprint status as-of:2026-11-20",
    ),
)
async def sprint_status(context: Context, arguments: Arguments) -> Reply:
    """One card: goal and dates, what was committed and what became of it, the pace, and the picture."""
    as_of = _as_of(context, arguments)
    sprint = await _sprint(context, arguments.text("name"), as_of)
    facts = await context.sprints.facts(sprint.milestone, as_of)
    if facts is None:  # Its events were there a moment ago and are never taken away.
        raise RuntimeError(f"milestone {sprint.milestone} has no events")
    burndown = burndown_of(facts, arguments.text("by"))
    if context.links_pictures:
        chart: str | Picture = Picture(burndown, burndown_alt(burndown))
    else:
        chart = burndown_mermaid(burndown)
    return Reply((before_chart(facts, burndown), chart, after_chart(facts, burndown)))


def _as_of(context: Context, arguments: Arguments) -> datetime:
    day = arguments.date("as-of")
    if day is None:
        return context.now
    if day > context.calendar.day_of(context.now):
        raise UserError(f"`as-of:{day.isoformat()}` lies in the future; name today or a day before.")
    return min(context.calendar.midnight(day + timedelta(days=1)), context.now)


async def _sprint(context: Context, name: str | None, as_of: datetime) -> Sprint:
    sprints = await context.sprints.all(as_of)
    if name is None:
        if chosen := choose(sprints, as_of, context.request.milestone):
            return chosen
        raise UserError(_NO_SPRINT.format(repository=context.project.full_name))
    matching = [sprint for sprint in sprints if sprint.title.casefold() == name.casefold()]
    if matching:
        return max(matching, key=lambda sprint: sprint.number)
    recent = sorted(sprints, key=lambda sprint: -sprint.number)[:5]
    known = ", ".join(f"“{plain(sprint.title)}”" for sprint in recent) or "none yet"
    raise UserError(f"There is no milestone called “{plain(name)}” here. The latest ones: {known}.")
