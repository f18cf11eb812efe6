"""`/split`: an issue becomes several, its sub-issues."""

from collections.abc import Sequence

from commands.formatting.wording import counted, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, OpenIssue
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.items.estimate import label_for, read_points
from commands.messages.split import NewSubIssue, parts_list, parts_text, split_effect_text
from commands.shared.work import read_work, resolve_open_item
from sprints.estimates import Estimates
from sprints.flow import Flow
from sprints.history import trace_changes
from sprints.model import ItemEvent, sort_events
from sprints.numbering import local_number
from sprints.work import RepositoryWork

MOST_PARTS = 20
_MOST_SUB_ISSUES = 100  # GitHub's own limits.
_LONGEST_TITLE = 256
_NO_MILESTONE = -1


@command(
    "split",
    summary="opens sub-issues for the parts of this issue, in its milestone",
    level=Level.WRITE,
    arguments=(
        Argument("into", ArgumentKind.TEXTS, "the titles of the parts", is_required=True),
        Argument(
            "points", ArgumentKind.TEXT, "an estimate for each part, such as `3,5`; without it they have none"
        ),
    ),
    examples=('/split into:"Card form","Refunds"', '/split into:"Card form","Refunds" points:3,5'),
    is_changing=True,
)
async def split(context: Context, arguments: Arguments) -> Changes:
    """The parent becomes a roll-up: its parts count instead of it."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    estimates = context.project.rules.estimates
    parts = parts_of(arguments.texts("into"), arguments.text("points"), estimates)
    _check(flow, parts, work)
    number = await _milestone(context, flow, work)
    used = [name for name in flow.labels if estimates.points_of(name) is not None]
    steps = tuple(
        OpenIssue(
            part.title,
            labels=_labels(part, estimates, used),
            milestone=number,
            parent=local_number(flow.number),
        )
        for part in parts
    )
    what = f"{counted(len(parts), 'sub-issue')} of #{flow.number}"
    effect = split_effect_text(flow.points, parts, is_in_milestone=number is not None)
    return Changes(
        f"open {what}",
        steps,
        f"**#{flow.number} is split:** {parts_text(parts)}.\n\n{effect}",
        preview=f"{parts_list(parts)}\n\n{effect}",
    )


def parts_of(titles: Sequence[str], points: str | None, estimates: Estimates) -> tuple[NewSubIssue, ...]:
    """The parts as they were named. Raises UserError for titles and estimates that do not go together."""
    titles = [" ".join(title.split()) for title in titles]
    if not all(titles):
        raise UserError('A part has no title. Write for example `/split into:"Card form","Refunds"`.')
    if len({title.casefold() for title in titles}) < len(titles):
        raise UserError("Two parts have the same title; give each its own.")
    if len(titles) > MOST_PARTS:
        raise UserError(f"You named {len(titles)} parts. You can name up to {MOST_PARTS}.")
    if long := [title for title in titles if len(title) > _LONGEST_TITLE]:
        raise UserError(f"“{plain(long[0][:40])}…” is longer than GitHub's {_LONGEST_TITLE} characters.")
    if points is None:
        return tuple(NewSubIssue(title) for title in titles)
    told = points.split(",")
    if len(told) != len(titles):
        example = ",".join(["3", "5", *["2"] * len(titles)][: len(titles)])
        raise UserError(
            f"{counted(len(told), 'estimate')} for {counted(len(titles), 'part')}: `points` needs one for "
            f"each, such as `points:{example}`."
        )
    return tuple(
        NewSubIssue(title, read_points(one.strip(), estimates))
        for title, one in zip(titles, told, strict=True)
    )


def _check(flow: Flow, parts: Sequence[NewSubIssue], work: RepositoryWork) -> None:
    if flow.is_pull_request:
        raise UserError(
            f"#{flow.number} is a pull request, and only issues have sub-issues. Say it in the issue that it "
            "closes."
        )
    children = sum(_is_below(told, flow.item) for told in work.events.values())
    if children + len(parts) > _MOST_SUB_ISSUES:
        raise UserError(
            f"#{flow.number} has {counted(children, 'sub-issue')}; GitHub allows {_MOST_SUB_ISSUES}, so "
            f"{counted(len(parts), 'more part')} would be too many."
        )


def _is_below(told: Sequence[ItemEvent], parent: str) -> bool:
    if not any(event.event == "parent_added" and event.named == parent for event in told):
        return False
    history = trace_changes(told, _NO_MILESTONE)
    return bool(history) and history[-1].after.parent == parent


async def _milestone(planning: Planning, flow: Flow, work: RepositoryWork) -> int | None:
    """The number of the milestone that the parent is in."""
    last = sort_events(work.events[flow.item])[-1].snapshot
    sprints = {sprint.milestone: sprint.number_in() for sprint in await planning.sprints.all(work.now)}
    return sprints.get(last.milestone) if last.milestone else None


def _labels(part: NewSubIssue, estimates: Estimates, used: list[str]) -> tuple[str, ...]:
    return () if part.points is None else (label_for(part.points, estimates, used),)
