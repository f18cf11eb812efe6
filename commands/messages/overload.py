"""The sentence for a sprint that holds more than the last ones delivered. Pure functions."""

from charts.reading import number, quantity
from sprints.load import Load


def load_sentence(load: Load | None) -> str:
    """What the sprint holds, and what the last sprints delivered. Empty for no more than the median."""
    if load is None or not load.is_above_median:
        return ""
    past = f"the last {load.n} sprints delivered {number(load.median)} (median) and at most"
    return f"{_held(load)}; {past} {number(load.most)}."


def _held(load: Load) -> str:
    if load.committed is None:
        return f"{quantity(load.scope, load.unit)} planned"
    left = f"{number(load.left)} left" if load.done and load.left > load.most else ""
    if not load.committed:
        held = f"Committed to nothing, and now {quantity(load.scope, load.unit)}"
        return f"{held} with {left}" if left else held
    held = f"Committed to {quantity(load.committed, load.unit)}"
    if load.scope == load.committed:
        return f"{held}, {left}" if left else held
    now = f"now {number(load.scope)}"
    return f"{held}, {now} with {left}" if left else f"{held}, {now}"
