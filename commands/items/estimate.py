"""`/estimate`: how much work an item is, as a label."""

import re
from decimal import Decimal, InvalidOperation

from commands.formatting.wording import plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, Relabel
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import estimate_text
from commands.shared.choosing import item_of_thread
from sprints.estimates import Estimates, Points
from sprints.numbering import local_number

_NONE = "none"
_USUAL_FORM = "points: {points}"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


@command(
    "estimate",
    summary="sets how much work this item is, in points",
    level=Level.TRIAGE,
    arguments=(
        Argument(
            "points",
            ArgumentKind.TEXT,
            "a number, one of your team's sizes, or `none`",
            is_positional=True,
            is_required=True,
        ),
    ),
    examples=("/estimate 5", "/estimate 0.5", "/estimate none"),
    is_changing=True,
)
async def estimate(context: Context, arguments: Arguments) -> Changes:
    """Old → new; what it was before stays in the history."""
    item, estimates = await item_of_thread(context), context.project.rules.estimates
    told = arguments.text("points") or ""
    points = None if told.lower() == _NONE else read_points(told, estimates)
    before = [name for name in item.labels if estimates.points_of(name) is not None]
    label = None if points is None else label_for(points, estimates, before)
    removed = tuple(name for name in before if name != label)
    added = (label,) if label and label not in before else ()
    summary = f"set the estimate of #{item.number} to {estimate_text(points)}"
    if not removed and not added:
        return Changes(summary, (), f"#{item.number} has {estimate_text(points)} already.")
    done = f"#{item.number}: {estimate_text(estimates.of(item.labels))} → **{estimate_text(points)}**"
    return Changes(summary, (Relabel(local_number(item.number), removed, added),), done)


def read_points(told: str, estimates: Estimates) -> Points:
    """A number, or what a size of the team's table is worth. Raises UserError for anything else."""
    if (worth := estimates.sizes.get(told.upper())) is not None:
        return worth
    try:
        points = Decimal(told.replace(",", "."))
    except InvalidOperation:
        points = Decimal("nan")
    if points.is_finite() and 0 <= points < 10_000 and points == round(points, 2):
        return points
    sizes = f", one of your sizes ({', '.join(map(plain, estimates.sizes))})" if estimates.sizes else ""
    raise UserError(f"“{plain(told)}” is no estimate. Write a number such as `5` or `0.5`{sizes}, or `none`.")


def label_for(points: Points, estimates: Estimates, used: list[str]) -> str:
    """The label that states an estimate, in the team's own form where that is known: its first template with
    points, or the form of the label that the item has now.
    """
    number = f"{points.normalize():f}"
    forms = [form for form in estimates.templates if "{points}" in form]
    forms += [_NUMBER.sub("{points}", name, count=1) for name in used if _NUMBER.search(name)]
    label = next(iter(forms), _USUAL_FORM).replace("{points}", number)
    # A form that would not be read as this estimate is no use.
    return label if estimates.points_of(label) == points else _USUAL_FORM.format(points=number)
