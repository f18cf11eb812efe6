"""The sentence for a sprint with more scope than the last ones delivered. Pure functions."""

from charts.reading import number, quantity
from sprints.load import SprintLoad


def load_sentence(load: SprintLoad | None) -> str:
    """Compare the sprint's scope to the last sprints' deliveries. Empty for no more than the median."""
    if load is None or not load.is_above_median:
        return ""
    past = f"the last {load.n} sprints delivered {number(load.median)} (median) and at most"
    return f"{_load_text(load)}; {past} {number(load.most)}."


def _load_text(load: SprintLoad) -> str:
    if load.committed is None:
        return f"{quantity(load.scope, load.unit)} planned"
    left = f"{number(load.left)} left" if load.done and load.left > load.most else ""
    if not load.committed:
        text = f"Nothing committed, and now {quantity(load.scope, load.unit)}"
        return f"{text} with {left}" if left else text
    text = f"Committed to {quantity(load.committed, load.unit)}"
    if load.scope == load.committed:
        return f"{text}, {left}" if left else text
    now = f"now {number(load.scope)}"
    return f"{text}, {now} with {left}" if left else f"{text}, {now}"
