"""Reads what a sprint's load is compared with: the velocity of the sprints that ended before."""

from dataclasses import dataclass

from commands.framework.planning import Planning
from commands.messages.overload import load_sentence
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_wording import round_to_tenths
from sprints.late import apply_credits
from sprints.load import compare_load
from sprints.outlook import Outlook
from sprints.velocity import Velocity, compute_velocity

# From so many in 10 on, a sprint is likely to be finished whatever the last ones delivered.
_LIKELY = 5


@dataclass(frozen=True, slots=True)
class Velocities:
    """The velocity in each unit; `points` is None where the sprints counted are not estimated well enough."""

    items: Velocity
    points: Velocity | None


async def read_velocities(planning: Planning, facts: Facts) -> Velocities:
    """What the last sprints delivered that had ended by the moment of the facts."""
    ended = await planning.sprints.outcomes(facts.as_of)
    others = [outcome for outcome in ended if outcome.milestone != facts.sprint.milestone]
    outcomes = apply_credits(others, planning.project.settings.late_credits)
    usual = compute_velocity(outcomes)
    return Velocities(compute_velocity(outcomes, "count"), usual if usual.unit == "points" else None)


async def describe_load(
    planning: Planning, facts: Facts, outlook: Outlook | Refusal, forecast: Forecast | Refusal
) -> str:
    """The sentence for a sprint that has not ended and holds more than the last ones delivered.

    Empty beside a chance of 5 in 10 or more. Without an outlook or a forecast no chance is told.
    """
    if facts.sprint.has_ended(facts.as_of) or not facts.remaining.count:
        return ""
    if isinstance(forecast, Forecast) and round_to_tenths(forecast.chance) >= _LIKELY:
        return ""
    past = await read_velocities(planning, facts)
    counts_items = isinstance(outlook, Outlook) and outlook.unit == "count"
    return load_sentence(compare_load(facts, past.items, past.points, counts_items=counts_items))
