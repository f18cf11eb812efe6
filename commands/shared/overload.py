"""A sprint's load compared with the velocity of the sprints that ended before."""

from dataclasses import dataclass

from commands.framework.planning import Planning
from commands.messages.overload import load_sentence
from sprints.facts import Facts
from sprints.forecast import Forecast, Refusal
from sprints.forecast_wording import round_to_tenths
from sprints.late import apply_credits
from sprints.load import compare_load
from sprints.outlook import Outlook
from sprints.velocity import MOST_SPRINTS, Velocity, compute_velocity

# From this chance on (in tenths), a sprint is likely to be finished whatever the last ones delivered.
_LIKELY = 5


@dataclass(frozen=True, slots=True)
class Velocities:
    """The velocity in items and in points; `points` is None if too few items were estimated."""

    items: Velocity
    points: Velocity | None


async def read_velocities(planning: Planning, facts: Facts) -> Velocities:
    """Read the velocities of the last sprints that had ended by the moment of the facts."""
    ended = await planning.sprints.outcomes(facts.as_of, MOST_SPRINTS + 1)
    earlier = [outcome for outcome in ended if outcome.milestone != facts.sprint.milestone]
    outcomes = apply_credits(earlier, planning.project.settings.late_credits)
    usual = compute_velocity(outcomes)
    return Velocities(compute_velocity(outcomes, "count"), usual if usual.unit == "points" else None)


async def describe_load(
    planning: Planning, facts: Facts, outlook: Outlook | Refusal, forecast: Forecast | Refusal
) -> str:
    """The sentence for a running or planned sprint with more scope than the last ones delivered.

    Empty if the chance is 5 in 10 or more; without an outlook or a forecast there is no chance.
    """
    if facts.sprint.has_ended(facts.as_of) or not facts.remaining.count:
        return ""
    if isinstance(forecast, Forecast) and round_to_tenths(forecast.chance) >= _LIKELY:
        return ""
    past = await read_velocities(planning, facts)
    counts_items = isinstance(outlook, Outlook) and outlook.unit == "count"
    return load_sentence(compare_load(facts, past.items, past.points, counts_items=counts_items))
