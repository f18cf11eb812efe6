"""`/forecast`: will we make it, and if not, what should come out."""

from datetime import date, timedelta

from charts.values import Calibration, ForecastFan
from commands.arguments import Argument, Arguments, Kind
from commands.cards.forecast import (
    after_chart,
    amounts_card,
    before_chart,
    bins_of,
    dates_card,
    record_sentence,
    record_table,
)
from commands.charting import shown
from commands.choosing import facts_meant
from commands.context import Context
from commands.errors import UserError
from commands.forecasting import foretold, outlook, recent_flows
from commands.load import load_here
from commands.outcome import Picture, Reply
from commands.permissions import Level
from commands.registry import command
from commands.wording import full_day
from sprints.burndown import burndown_of
from sprints.calendar import latest_due
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal, seed_of
from sprints.forecast_grades import TENTHS
from sprints.forecast_throughput import WINDOW, Amounts, DailyHistory, Dates, history_of, how_many, when
from sprints.outlook import Outlook
from sprints.throughput import throughput
from storage.forecasts import Forecasts

_MOST_ITEMS = 10_000
_ENOUGH_FOR_A_CHART = 10


@command(
    "forecast",
    summary="the chance to finish the sprint, and when so many items will be done",
    level=Level.READ,
    feature="forecasts",
    arguments=(
        Argument("milestone", Kind.TEXT, "the milestone's title; else the one that is running"),
        Argument("when", Kind.NUMBER, "by which day so many items will be done"),
        Argument("by", Kind.DATE, "how many items will be done by a day"),
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
        return await _of_the_team(context, items, by)
    facts = await facts_meant(context, arguments.text("milestone"))
    if facts.sprint.has_ended(context.now):
        raise UserError(
            "That sprint has ended. `/sprint report` tells what it came to, `/forecast when:30` what may "
            "come next."
        )
    told, dates = await outlook(context, facts), await _dates_of(context, facts)
    load = await load_here(context, facts)
    found = told.forecast() if isinstance(told, Outlook) else None
    if isinstance(found, Refusal):
        return Reply((found.sentence,))
    if isinstance(told, Refusal):
        if isinstance(dates, Refusal):
            return Reply((f"{told.sentence}\n\n{dates.sentence}",))
        return Reply((before_chart(facts, None, None, dates, load), after_chart(facts, None, None, dates)))
    if found is None:  # There is one of every outlook.
        raise RuntimeError("an outlook without a forecast")
    likely = dates.p85 if isinstance(dates, Dates) else None
    parts = (
        before_chart(facts, told, found, dates, load),
        *_fan(context, told, found),
        *await _record(context),
        after_chart(facts, told, found, dates),
    )
    return Reply(parts, foretold=foretold(told, found, "forecast", likely))


def _fan(context: Context, told: Outlook, found: Forecast) -> list[str | Picture]:
    """How the work done may grow, where there is anything left to do and time to do it."""
    days = told.fan()
    if isinstance(days, Refusal) or not days or told.now.remaining <= 0:
        return []
    return shown(context, ForecastFan(burndown_of(told.facts, told.unit), days, found.chance))


async def _record(context: Context) -> list[str | Picture]:
    """How earlier forecasts came true."""
    graded = await Forecasts(context.tenant, context.project.leader.id).graded()
    sentence = record_sentence(graded)
    if not graded:
        return [sentence]
    chart = shown(context, Calibration(bins_of(graded, TENTHS))) if len(graded) >= _ENOUGH_FOR_A_CHART else []
    opening = f"<details>\n<summary>All {len(graded)} graded forecasts</summary>"
    return [sentence, opening, *chart, record_table(graded), "</details>"]


async def _of_the_team(context: Context, items: int | None, by: date | None) -> Reply:
    """Dates for a number of items, or items by a date, whatever sprint they are in."""
    history, calendar = await _daily(context), context.calendar
    today = calendar.day_of(context.now)
    seed = seed_of(context.tenant.organization_id, context.project.leader.id, today.isoformat())
    if items is not None:
        if not 1 <= items <= _MOST_ITEMS:
            raise UserError(f"`when:{items}` must be a number of items from 1 to {_MOST_ITEMS:,}.")
        return Reply((_words(when(items, history, calendar, today, seed), items, by),))
    if by is None or by < today:
        raise UserError("`by:` must be today or a day to come.")
    if by > (last_possible := latest_due(today)):
        raise UserError(f"I can forecast up to two years ahead. Use a date up to {full_day(last_possible)}.")
    return Reply((_words(how_many(history, calendar, today, by, seed), items, by),))


def _words(found: Dates | Amounts | Refusal, items: int | None, by: date | None) -> str:
    match found:
        case Refusal():
            return found.sentence
        case Dates():
            return dates_card(found, items or 0)
        case Amounts():
            return amounts_card(found, by or date.min)


async def _dates_of(context: Context, facts: Facts) -> Dates | Refusal:
    """When all that is open may be done, at the pace of the whole repository."""
    if not facts.remaining.count:
        return Refusal("Nothing is open.")
    today = context.calendar.day_of(context.now)
    seed = seed_of(context.tenant.organization_id, facts.sprint.milestone, today.isoformat())
    first = max(today, facts.sprint.first_day)
    return when(facts.remaining.count, await _daily(context), context.calendar, first, seed)


async def _daily(context: Context) -> DailyHistory:
    """Items done on each of the last working days, from the first day on which anything was."""
    calendar = context.calendar
    last = calendar.day_of(context.now) - timedelta(days=1)
    flows = await recent_flows(context, context.now)
    done = [calendar.day_of(flow.done_at) for flow in flows if flow.done_at and not flow.is_covered]
    first = max(min(done, default=last), last - timedelta(days=2 * WINDOW))
    return history_of(throughput(flows, calendar, min(first, last), last).days, calendar)
