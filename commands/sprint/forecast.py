"""`/forecast`: the chance to finish the sprint, and dates for a number of items."""

import asyncio
from datetime import date

from charts.values import Calibration, ForecastFan
from commands.formatting.wording import full_day, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.outcome import Picture, Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.charts import chart_parts, sprint_argument
from commands.messages.forecast import (
    amounts_card,
    dates_card,
    empty_forecast_card,
    forecast_details,
    forecast_head,
    group_into_bins,
    record_sentence,
    record_table,
)
from commands.messages.nothing_left import is_empty
from commands.shared.choosing import SPRINT, resolve_facts
from commands.shared.forecasting import read_outlook, read_track_record, record_forecast
from commands.shared.overload import describe_load
from sprints.burndown import build_burndown
from sprints.calendar import latest_due
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_dates import (
    MOST_ITEMS,
    DateForecast,
    create_empty_sprint,
    forecast_dates,
    forecast_items,
    restart_today,
)
from sprints.forecast_scores import TENTHS
from sprints.outlook import Outlook
from sprints.selection import choose_sprint
from storage.forecasts import Forecasts

_ENOUGH_FOR_A_CHART = 10


@command(
    "forecast",
    summary="the chance to finish the sprint, and when so many items will be done",
    level=Level.READ,
    feature="forecasts",
    arguments=(
        SPRINT,
        Argument(
            "when", ArgumentKind.NUMBER, "by which day so many items will be done", limits=(1, MOST_ITEMS)
        ),
        Argument("by", ArgumentKind.DATE, "how many items will be done by a day"),
    ),
    examples=(
        "/forecast",
        '/forecast "Sprint 24"',
        "/forecast when:30",
        "/forecast by:friday",
    ),
)
async def forecast(context: Context, arguments: Arguments) -> Reply:
    """Forecast from the team's own history, with the record of earlier forecasts."""
    items, by = arguments.number("when"), arguments.date("by")
    if items is not None and by is not None:
        raise UserError("`when:` and `by:` are two questions. Ask them on two lines.")
    if items is not None or by is not None:
        if arguments.text("sprint") is not None:
            raise UserError("`when:` and `by:` always use the running sprint. Leave `milestone:` out.")
        return await _forecast_team(context, items, by)
    facts = await resolve_facts(context, arguments.text("sprint"))
    if facts.sprint.has_ended(context.now):
        title = facts.sprint.title
        raise UserError(
            f"{plain(title)} has ended. `/sprint report{sprint_argument(title)}` shows how it went, and "
            "`/forecast when:30` what may come next."
        )
    if is_empty(facts):
        return Reply((empty_forecast_card(facts),))
    sprint_end = await read_outlook(context, facts)
    dates = await _forecast_remaining(context, facts, sprint_end)
    expected = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    load = await describe_load(context, facts, sprint_end, expected)
    if isinstance(sprint_end, Refusal):
        if isinstance(dates, Refusal):
            return Reply((f"{sprint_end.sentence}\n\n{dates.sentence}",))
        return Reply(
            (forecast_head(facts, None, None, dates, load), forecast_details(facts, None, None, dates))
        )
    if isinstance(expected, Refusal):
        return Reply((expected.sentence,))
    likely = dates.p85 if isinstance(dates, DateForecast) else None
    parts = (
        forecast_head(facts, sprint_end, expected, dates, load),
        *_draw_fan(context, sprint_end, expected),
        *await _read_forecast_record(context),
        forecast_details(facts, sprint_end, expected, dates),
    )
    return Reply(parts, forecasts=record_forecast(sprint_end, expected, "forecast", likely))


def _draw_fan(planning: Planning, sprint_end: Outlook, expected: Forecast) -> list[str | Picture]:
    """The chart of how the work done may grow; empty without remaining work or time."""
    days = sprint_end.fan()
    if isinstance(days, Refusal) or not days or sprint_end.now.remaining <= 0:
        return []
    burndown = build_burndown(sprint_end.facts, sprint_end.unit)
    return chart_parts(planning, ForecastFan(burndown, days, expected.chance))


async def _read_forecast_record(planning: Planning) -> list[str | Picture]:
    """The record of graded forecasts: a sentence, and folded a chart and a table."""
    graded = await Forecasts(planning.tenant, planning.project.leader.id).graded()
    sentence = record_sentence(graded)
    if not graded:
        return [sentence]
    chart = (
        chart_parts(planning, Calibration(group_into_bins(graded, TENTHS)))
        if len(graded) >= _ENOUGH_FOR_A_CHART
        else []
    )
    opening = f"<details>\n<summary>All {len(graded)} graded forecasts</summary>"
    return [sentence, opening, *chart, record_table(graded), "</details>"]


async def _forecast_team(context: Context, items: int | None, by: date | None) -> Reply:
    """Forecast dates for a number of items, or items by a date, regardless of sprints."""
    today = context.calendar.day_of(context.now)
    if by is not None and by < today:
        raise UserError(f"`by:{by.isoformat()}` is in the past. Use today or a later day.")
    if by is not None and by > (last_possible := latest_due(today)):
        raise UserError(f"I can forecast up to two years ahead. Use a date up to {full_day(last_possible)}.")
    facts, track_record = await _read_upcoming_work(context), await read_track_record(context, context.now)
    if items is not None:
        dates = await asyncio.to_thread(forecast_dates, facts, track_record, items)
        return Reply((dates.sentence if isinstance(dates, Refusal) else dates_card(dates, items, facts),))
    amounts = await asyncio.to_thread(forecast_items, facts, track_record, by or today)
    return Reply(
        (amounts.sentence if isinstance(amounts, Refusal) else amounts_card(amounts, by or today, facts),)
    )


async def _read_upcoming_work(context: Context) -> Facts:
    """The running sprint, so that dates agree with its chance; without one, an empty sprint from today."""
    sprints = await context.sprints.all(context.now)
    for milestone in (context.request.milestone, None):
        sprint = choose_sprint(sprints, context.now, milestone)
        if sprint and sprint.start <= context.now and not sprint.has_ended(context.now):
            facts = await context.sprints.facts(sprint.milestone, context.now)
            if facts is not None:
                return facts if sprint.due else restart_today(facts)
    return create_empty_sprint(context.calendar, context.now)


async def _forecast_remaining(
    planning: Planning, facts: Facts, sprint_end: Outlook | Refusal
) -> DateForecast | Refusal:
    """Forecast the dates by which all open items may be done."""
    if not facts.remaining.count:
        return Refusal("Nothing is open.")
    track_record = (
        sprint_end.past if isinstance(sprint_end, Outlook) else await read_track_record(planning, facts.as_of)
    )
    return await asyncio.to_thread(
        forecast_dates, facts if facts.sprint.due else restart_today(facts), track_record
    )
