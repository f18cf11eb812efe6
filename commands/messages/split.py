"""Texts about splitting an issue into sub-issues."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.reading import quantity
from commands.formatting.wording import plain
from sprints.estimates import Points


@dataclass(frozen=True, slots=True)
class NewSubIssue:
    """A sub-issue to be opened, with its estimate if one was given."""

    title: str
    points: Points | None = None


def split_effect_text(before: Points | None, parts: Sequence[NewSubIssue], *, is_in_milestone: bool) -> str:
    """The effect of a split on the parent and on its estimate."""
    text = "It becomes a roll-up: from now on its parts count instead of it."
    estimated = [part.points for part in parts if part.points is not None]
    if before is None:
        return text
    own_points = quantity(before, "points")
    if not estimated:
        until = (
            " Until they are estimated, the sprint's scope is smaller by that amount."
            if is_in_milestone
            else ""
        )
        return (
            f"{text} Its own estimate of {own_points} is left out, and the parts have no estimate yet.{until}"
        )
    together = sum(estimated, Points(0))
    same = "as before" if together == before else f"where it had {own_points}"
    return f"{text} Its own estimate is left out: the parts have {quantity(together, 'points')}, {same}."


def parts_text(parts: Sequence[NewSubIssue]) -> str:
    """The parts with their points, in one line."""
    return ", ".join(_part_text(part) for part in parts)


def parts_list(parts: Sequence[NewSubIssue]) -> str:
    """The parts with their points, as a bullet list."""
    return "\n".join(f"- {_part_text(part)}" for part in parts)


def _part_text(part: NewSubIssue) -> str:
    points = "" if part.points is None else f" ({quantity(part.points, 'points')})"
    return f"{plain(part.title)}{points}"
