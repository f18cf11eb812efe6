"""Forecasts of a sprint's end as commands share them: the outlook, its sentences and its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from commands.framework.planning import Planning
from commands.messages.forecast_sentences import chance_sentence, swap_sentence
from commands.shared.overload import describe_load
from marketplace.plans import Feature
from sprints.facts import Facts
from sprints.flow import Flow
from sprints.forecast import Forecast, Refusal
from sprints.outlook import Outlook, TrackRecord, build_outlook, needs_days
from storage.forecasts import ForecastRecord

# The age of history that forecasts draw from; older history says little about how a team works today.
_RECENT = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class ExpectationText:
    """The sentences about a sprint's end, and the forecast to be recorded; both empty without a forecast."""

    words: str = ""
    forecasts: tuple[ForecastRecord, ...] = ()


async def write_expectation(planning: Planning, facts: Facts, shown_in: str) -> ExpectationText:
    """Forecast a sprint's end for a card about another subject: the chance, and items to remove."""
    sprint_end = await read_outlook(planning, facts)
    forecast = sprint_end.forecast() if isinstance(sprint_end, Outlook) else sprint_end
    load = await describe_load(planning, facts, sprint_end, forecast)
    if isinstance(sprint_end, Refusal) or isinstance(forecast, Refusal):
        return ExpectationText(load)
    words = [chance_sentence(sprint_end, forecast), swap_sentence(sprint_end, forecast), load]
    return ExpectationText(" ".join(filter(None, words)), record_forecast(sprint_end, forecast, shown_in))


async def read_outlook(planning: Planning, facts: Facts) -> Outlook | Refusal:
    """Build the outlook of a sprint as of its facts; a Refusal if the plan does not include forecasts."""
    if not await planning.can_use(Feature.FORECASTS):
        return Refusal("Forecasts are not part of this account's plan.")
    return build_outlook(facts, await read_track_record(planning, facts.as_of))


async def read_track_record(planning: Planning, as_of: datetime) -> TrackRecord:
    """Read the team's track record as of a moment, on which every forecast is based."""
    records = await planning.sprints.records(as_of)
    flows = await read_recent_flows(planning, as_of) if needs_days(records, as_of) else ()
    return TrackRecord(tuple(records), tuple(flows), planning.tenant.organization_id)


async def read_recent_flows(planning: Planning, as_of: datetime) -> Sequence[Flow]:
    """The flows of items with an event in the last 120 days before a moment."""
    since = as_of - _RECENT if as_of.year > 1 else as_of
    return await planning.flows.moved(since, as_of)


def record_forecast(
    sprint_end: Outlook, forecast: Forecast, shown_in: str, likely: date | None = None
) -> tuple[ForecastRecord, ...]:
    """The record of a forecast, to be graded when the sprint is over.

    Empty if the outcome is certain: all is done, or no working days are left.
    """
    if not 0 < forecast.chance < 1:
        return ()
    record = ForecastRecord(
        milestone=sprint_end.facts.sprint.milestone,
        made_at=sprint_end.facts.as_of,
        shown_in=shown_in,
        unit=sprint_end.unit,
        share_elapsed=round(sprint_end.now.elapsed, 4),
        scope=round(sprint_end.now.scope, 2),
        chance=round(forecast.chance, 5),
        low=round(forecast.delivered.p10, 2),
        expected=round(forecast.delivered.p50, 2),
        high=round(forecast.delivered.p90, 2),
        basis=forecast.basis.value,
        likely_date=likely,
    )
    return (record,)
