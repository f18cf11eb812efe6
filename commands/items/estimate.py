"""`/estimate`: set an item's estimate as a label."""

import re

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, Relabel
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import estimate_text
from commands.shared.choosing import require_item
from sprints.estimates import Estimates, Points
from sprints.numbering import local_number

_USUAL_FORM = "points: {points}"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@command(
    "estimate",
    summary="sets how much work this item is, in points",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "points",
            ArgumentKind.ESTIMATE,
            "a number, one of your team's sizes, or `none`",
            is_positional=True,
            is_required=True,
        ),
        Argument(
            "item", ArgumentKind.ITEM, "another issue or pull request than this one", is_positional=True
        ),
    ),
    examples=("/estimate 5", "/estimate 0.5", "/estimate #1 3", "/estimate none"),
    synonyms=("points", "size", "story points", "sprint estimate"),
    is_changing=True,
)
async def estimate(context: Context, arguments: Arguments) -> Changes:
    """Set the estimate, and show the old and the new one."""
    numbers = arguments.numbers("item") or (context.request.thread,)
    item, estimates = await require_item(context, numbers[0]), context.project.rules.estimates
    given = arguments.estimate("points")
    points = given.points if given else None
    before = [name for name in item.labels if estimates.points_of(name) is not None]
    label = None if points is None else format_label(points, estimates, before)
    removed = tuple(name for name in before if name != label)
    added = (label,) if label and label not in before else ()
    summary = f"set the estimate of #{item.number} to {estimate_text(points)}"
    if not removed and not added:
        return Changes(summary, (), f"#{item.number} has {estimate_text(points)} already.")
    done = f"#{item.number}: {estimate_text(estimates.of(item.labels))} → **{estimate_text(points)}**"
    return Changes(summary, (Relabel(local_number(item.number), removed, added),), done)


def format_label(points: Points, estimates: Estimates, used: list[str]) -> str:
    """Format the label of an estimate in the team's own form.

    That is the first template with points, or else the form of the item's present label in `used`.
    """
    number = f"{points.normalize():f}"
    forms = [form for form in estimates.templates if "{points}" in form]
    forms += [_NUMBER.sub("{points}", name, count=1) for name in used if _NUMBER.search(name)]
    label = next(iter(forms), _USUAL_FORM).replace("{points}", number)
    # The form is only used if its label is parsed as the same estimate again.
    return label if estimates.points_of(label) == points else _USUAL_FORM.format(points=number)
