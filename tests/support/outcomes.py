"""Outcomes of sprints."""

from datetime import timedelta
from decimal import Decimal

from sprints.facts import Amount
from sprints.velocity import SprintOutcome
from tests.support.builders import at


def make_team_outcome(
    number: int, committed: int, completed: int, kept: int, carried: int = 0
) -> SprintOutcome:
    """Make an outcome whose amounts differ."""

    def amount(points: int) -> Amount:
        return Amount(Decimal(points), points // 2)

    return SprintOutcome(
        milestone=number,
        number=number,
        title=f"Sprint {number}",
        end=at(f"11-{number:02} 00:00"),
        committed=amount(committed),
        completed=amount(completed),
        kept=amount(kept),
        carried=amount(carried),
    )


USUAL_OUTCOMES = [
    make_team_outcome(2, 20, 21, 18),
    make_team_outcome(9, 22, 19, 11, 3),
    make_team_outcome(16, 20, 22, 20),
]


def make_amount(points: float, count: int = 1) -> Amount:
    """Make an amount of points and items."""
    return Amount(Decimal(str(points)), count)


def make_january_outcome(number: int, points: float, count: int = 1, **more: object) -> SprintOutcome:
    """Make the outcome of a sprint that ended in the night to day `number` of January."""
    done = make_amount(points, count)
    data = {
        "milestone": number,
        "number": number,
        "title": f"Sprint {number}",
        "end": at("2026-01-01") + timedelta(days=number - 1),
        "committed": done,
        "completed": done,
        "kept": done,
    }
    return SprintOutcome(**data | more)  # type: ignore[arg-type]
