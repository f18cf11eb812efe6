"""`/forecast`: will we make it, and if not, what should come out."""

import asyncio
from datetime import date

from charts.values import Calibration, ForecastFan
from commands.formatting.wording import full_day
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Picture, Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import chart_parts
from commands.messages.forecast import (
    amounts_card,
    bins_of,
    dates_card,
    empty_forecast_card,
    forecast_details,
    forecast_head,
    record_sentence,
    record_table,
)
from commands.messages.nothing_left import is_empty
from commands.shared.choosing import facts_meant
from commands.shared.forecasting import foretold, outlook, past_until
from commands.shared.overload import load_here
from sprints.burndown import burndown_of
from sprints.calendar import latest_due
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_dates import MOST_ITEMS, Dates, begun_today, empty_sprint, how_many, when
from sprints.forecast_grades import TENTHS
from sprints.outlook import Outlook
from sprints.selection import choose
from storage.forecasts import Forecasts

_ENOUGH_FOR_A_CHART = 10


@command(
    "forecast",
    summary="the chance to finish the sprint, and when so many items will be done",
    level=Level.READ,
    feature="forecasts",
    arguments=(
        Argument("milestone", ArgumentKind.TEXT, "the milestone's title; else the one that is running"),
        Argument(
            "when", ArgumentKind.NUMBER, "by which day so many items will be done", limits=(1, MOST_ITEMS)
        ),
        Argument("by", ArgumentKind.DATE, "how many items will be done by a day"),
    ),
    examples=(
        "/forecast",
        '/forecast milestone:"Sprint 24"',
        "/forecast when:30",
        "/forecast by:2026-12-18",
    ),
)
async def forecast(context: Context, arguments: Arguments) -> Reply:
    """From the team's own history, with the record of earlier forecasts beside it."""
    items, by = arguments.number("when"), arguments.date("by")
    if items is not None and by is not None:
        raise UserError("`when:` and `by:` are two questions; ask them in two lines.")
    if items is not None or by is not None:
        if arguments.text("milestone") is not None:
            raise UserError("`when:` and `by:` look at the sprint that is running; leave `milestone:` out.")
        return await _of_the_team(context, items, by)
    facts = await facts_meant(context, arguments.text("milestone"))
    if facts.sprint.has_ended(context.now):
        raise UserError(
            "That sprint has ended. `/sprint report` tells what it came to, `/forecast when:30` what may "
            "come next."
        )
    if is_empty(facts):
        return Reply((empty_forecast_card(facts),))
    sprint_end = await outlook(context, facts)
    dates = await _dates_of(context, facts, sprint_end)
    expected = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    load = await load_here(context, facts, sprint_end, expected)
    if isinstance(sprint_end, Refusal):
        if isinstance(dates, Refusal):
            return Reply((f"{sprint_end.sentence}\n\n{dates.sentence}",))
        return Reply(
            (forecast_head(facts, None, None, dates, load), forecast_details(facts, None, None, dates))
        )
    if isinstance(expected, Refusal):
        return Reply((expected.sentence,))
    likely = dates.p85 if isinstance(dates, Dates) else None
    parts = (
        forecast_head(facts, sprint_end, expected, dates, load),
        *_fan(context, sprint_end, expected),
        *await _record(context),
        forecast_details(facts, sprint_end, expected, dates),
    )
    return Reply(parts, foretold=foretold(sprint_end, expected, "forecast", likely))


def _fan(planning: Planning, sprint_end: Outlook, expected: Forecast) -> list[str | Picture]:
    """How the work done may grow, where there is anything left to do and time to do it."""
    days = sprint_end.fan()
    if isinstance(days, Refusal) or not days or sprint_end.now.remaining <= 0:
        return []
    burndown = burndown_of(sprint_end.facts, sprint_end.unit)
    return chart_parts(planning, ForecastFan(burndown, days, expected.chance))


async def _record(planning: Planning) -> list[str | Picture]:
    """How earlier forecasts came true."""
    graded = await Forecasts(planning.tenant, planning.project.leader.id).graded()
    sentence = record_sentence(graded)
    if not graded:
        return [sentence]
    chart = (
        chart_parts(planning, Calibration(bins_of(graded, TENTHS)))
        if len(graded) >= _ENOUGH_FOR_A_CHART
        else []
    )
    opening = f"<details>\n<summary>All {len(graded)} graded forecasts</summary>"
    return [sentence, opening, *chart, record_table(graded), "</details>"]


async def _of_the_team(context: Context, items: int | None, by: date | None) -> Reply:
    """Dates for a number of items, or items by a date, whatever sprint they are in."""
    today = context.calendar.day_of(context.now)
    if by is not None and by < today:
        raise UserError(f"`by:{by.isoformat()}` lies in the past. Use today or a later day.")
    if by is not None and by > (last_possible := latest_due(today)):
        raise UserError(f"I can forecast up to two years ahead. Use a date up to {full_day(last_possible)}.")
    facts, past = await _work_to_come(context), await past_until(context, context.now)
    if items is not None:
        dates = await asyncio.to_thread(when, facts, past, items)
        return Reply((dates.sentence if isinstance(dates, Refusal) else dates_card(dates, items, facts),))
    amounts = await asyncio.to_thread(how_many, facts, past, by or today)
    return Reply(
        (amounts.sentence if isinstance(amounts, Refusal) else amounts_card(amounts, by or today, facts),)
    )


async def _work_to_come(context: Context) -> Facts:
    """The sprint that runs, so that dates agree with its chance; without one a sprint that begins today."""
    sprints = await context.sprints.all(context.now)
    for asked_in in (context.request.milestone, None):
        sprint = choose(sprints, context.now, asked_in)
        if sprint and sprint.start <= context.now and not sprint.has_ended(context.now):
            facts = await context.sprints.facts(sprint.milestone, context.now)
            if facts is not None:
                return facts if sprint.due else begun_today(facts)
    return empty_sprint(context.calendar, context.now)


async def _dates_of(planning: Planning, facts: Facts, sprint_end: Outlook | Refusal) -> Dates | Refusal:
    """When all that is open may be done."""
    if not facts.remaining.count:
        return Refusal("Nothing is open.")
    past = sprint_end.past if isinstance(sprint_end, Outlook) else await past_until(planning, facts.as_of)
    return await asyncio.to_thread(when, facts if facts.sprint.due else begun_today(facts), past)
