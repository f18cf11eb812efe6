"""Reads what a sprint's load is compared with: the velocity of the sprints that ended before."""

from dataclasses import dataclass

from commands.cards.load import load_sentence
from commands.context import Context
from commands.reporting import LATE
from sprints.facts import Facts
from sprints.late import credited, credits_of
from sprints.load import load_of
from sprints.velocity import Velocity, velocity


@dataclass(frozen=True, slots=True)
class Velocities:
    """The velocity in each unit; `points` is None where the sprints counted are not estimated well enough."""

    items: Velocity
    points: Velocity | None


async def velocities(context: Context, facts: Facts) -> Velocities:
    """What the last sprints delivered that had ended by the moment of the facts."""
    known = await context.sprints.outcomes(facts.as_of)
    others = [outcome for outcome in known if outcome.milestone != facts.sprint.milestone]
    outcomes = credited(others, credits_of(context.project.settings.get(LATE)))
    usual = velocity(outcomes)
    return Velocities(velocity(outcomes, "count"), usual if usual.unit == "points" else None)


async def load_here(context: Context, facts: Facts) -> str:
    """The sentence for a sprint that has not ended and holds more than the last ones delivered."""
    if facts.sprint.has_ended(facts.as_of) or not facts.remaining.count:
        return ""
    past = await velocities(context, facts)
    return load_sentence(load_of(facts, past.items, past.points))
