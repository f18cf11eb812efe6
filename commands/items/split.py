"""`/split`: split an issue into sub-issues."""

from collections.abc import Sequence

from commands.formatting.wording import counted, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, OpenIssue
from commands.framework.context import Context
from commands.framework.errors import UserError, ValueFaultError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.framework.sizes import MOST_POINTS, read_points
from commands.items.estimate import format_label
from commands.messages.split import NewSubIssue, parts_list, parts_text, split_effect_text
from commands.shared.work import read_work, resolve_open_item
from sprints.estimates import Estimates, Points
from sprints.flow import Flow
from sprints.numbering import local_number
from sprints.work import RepositoryWork

MOST_PARTS = 20
_MOST_SUB_ISSUES = 100  # GitHub's own limits.
_LONGEST_TITLE = 256
_MOST_SHOWN = 60


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
    """Open sub-issues for the parts of an issue, which count instead of it from then on."""
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    estimates = context.project.rules.estimates
    parts = parse_parts(arguments.texts("into"), arguments.text("points"), estimates)
    await _require_splittable(context, flow, parts)
    number = await _find_milestone(context, flow, work)
    used = [name for name in flow.labels if estimates.points_of(name) is not None]
    steps = tuple(
        OpenIssue(
            part.title,
            labels=_list_labels(part, estimates, used),
            milestone=number,
            parent=local_number(flow.number),
        )
        for part in parts
    )
    subject = f"{counted(len(parts), 'sub-issue')} of #{flow.number}"
    effect = split_effect_text(flow.points, parts, is_in_milestone=number is not None)
    return Changes(
        f"open {subject}",
        steps,
        f"**#{flow.number} is split:** {parts_text(parts)}.\n\n{effect}",
        preview=f"{parts_list(parts)}\n\n{effect}",
        topic=", ".join(part.title for part in parts),
    )


def parse_parts(titles: Sequence[str], points: str | None, estimates: Estimates) -> tuple[NewSubIssue, ...]:
    """Parse titles and estimates into parts. Raises UserError if they are invalid or differ in number."""
    titles = [" ".join(title.split()) for title in titles]
    if not all(titles):
        raise UserError('A part has no title. Write for example `/split into:"Card form","Refunds"`.')
    if len({title.casefold() for title in titles}) < len(titles):
        raise UserError("Two parts have the same title; give each its own.")
    if len(titles) > MOST_PARTS:
        raise UserError(f"You named {len(titles)} parts. You can name up to {MOST_PARTS}.")
    if long := [title for title in titles if len(title) > _LONGEST_TITLE]:
        raise UserError(
            f"“{plain(long[0][:40])}…” is too long. A title can have up to {_LONGEST_TITLE} characters."
        )
    if points is None:
        return tuple(NewSubIssue(title) for title in titles)
    sizes = points.split(",")
    if len(sizes) != len(titles):
        example = ",".join(["3", "5", *["2"] * len(titles)][: len(titles)])
        raise UserError(
            f"{counted(len(sizes), 'estimate')} for {counted(len(titles), 'part')}: `points` needs one for "
            f"each, such as `points:{example}`."
        )
    return tuple(
        NewSubIssue(title, _parse_points(size.strip(), estimates))
        for title, size in zip(titles, sizes, strict=True)
    )


def _parse_points(text: str, estimates: Estimates) -> Points:
    try:
        return read_points(text, estimates.sizes)
    except ValueFaultError:
        sizes = f", or your sizes ({', '.join(map(plain, estimates.sizes))})" if estimates.sizes else ""
        raise UserError(
            f"“{plain(text[:_MOST_SHOWN])}” is not a valid estimate. Use numbers up to "
            f"{MOST_POINTS:,}, such as `5` or `0.5`{sizes}."
        ) from None


async def _require_splittable(planning: Planning, flow: Flow, parts: Sequence[NewSubIssue]) -> None:
    if flow.is_pull_request:
        raise UserError(
            f"#{flow.number} is a pull request, and only issues have sub-issues. Run `/split` in the "
            "issue that it closes."
        )
    children = await planning.flows.count_sub_issues(flow.item, planning.now)
    if children + len(parts) > _MOST_SUB_ISSUES:
        raise UserError(
            f"#{flow.number} has {counted(children, 'sub-issue')}; GitHub allows {_MOST_SUB_ISSUES}, so "
            f"{counted(len(parts), 'more part')} would be too many."
        )


async def _find_milestone(planning: Planning, flow: Flow, work: RepositoryWork) -> int | None:
    """The number of the parent's milestone; None without one."""
    snapshot = await planning.find_item(local_number(flow.number))
    sprints = {sprint.milestone: sprint.number_in() for sprint in await planning.sprints.all(work.now)}
    return sprints.get(snapshot.milestone) if snapshot and snapshot.milestone else None


def _list_labels(part: NewSubIssue, estimates: Estimates, used: list[str]) -> tuple[str, ...]:
    return () if part.points is None else (format_label(part.points, estimates, used),)
