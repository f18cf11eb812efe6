"""`/blocked`: record that this item waits for other issues, or for something without an issue."""

from commands.formatting.wording import named
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, RecordFact, SetBlocked, Step
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.blocked import blocked_text, mentioned_text
from commands.messages.work import reason_sentence, since_text
from commands.shared.choosing import require_item
from commands.shared.corrections import find_example_item
from commands.shared.work import read_work, resolve_open_item
from sprints.flow import Flow
from sprints.model import State
from sprints.numbering import local_number
from sprints.work import RepositoryWork

_MOST = 10


@command(
    "blocked",
    summary="says what this item waits for: another issue, or something else",
    level=Level.TRIAGE,
    arguments=(
        Argument("by", ArgumentKind.ITEMS, "the issues that must be done first", is_positional=True),
        Argument("reason", ArgumentKind.TEXT, "why; enough where there is no issue", is_positional=True),
    ),
    examples=(
        "/blocked by #9",
        '/blocked by:#9 reason:"the API comes first"',
        '/blocked reason:"no test account"',
    ),
    is_changing=True,
)
async def blocked(context: Context, arguments: Arguments) -> Changes:
    """Add a dependency on GitHub for each issue, and record the reason as an event."""
    reason, numbers = arguments.text("reason") or "", tuple(dict.fromkeys(arguments.numbers("by")))
    if not numbers and not reason:
        example = await find_example_item(context)
        named_issue = f"Name an issue, `/blocked by #{example}`" if example else "Name an issue by its number"
        raise UserError(
            f'What blocks it? {named_issue}, or give a reason: `/blocked reason:"no test account"`.'
        )
    if len(numbers) > _MOST:
        raise UserError(f"You named {len(numbers)} issues. You can name up to {_MOST}.")
    work = await read_work(context)
    flow = await resolve_open_item(context, work)
    if not numbers:
        return _block_by_reason(flow, reason, work)
    for number in numbers:
        await _require_possible(context, flow, number, work)
    reasons = {block.number: block.reason for block in flow.open_blocks}
    added = [number for number in numbers if number not in reasons]
    steps: list[Step] = [SetBlocked(local_number(flow.number), number) for number in added]
    steps += [
        RecordFact(local_number(flow.number), "blocked", reason, number)
        for number in numbers
        if number in added or (reason and reason != reasons.get(number))
    ]
    return Changes(
        f"note that #{flow.number} is blocked by {named(numbers)}",
        tuple(steps),
        blocked_text(flow, numbers, added, reason, work) + mentioned_text(numbers, reason),
    )


def _block_by_reason(flow: Flow, reason: str, work: RepositoryWork) -> Changes:
    before = next((block for block in flow.open_blocks if block.by is None), None)
    text = f"**#{flow.number} is blocked**: {reason_sentence(reason)} `/unblocked` ends that."
    if before:
        text += f" It has been blocked {since_text(before.span.since, work.now, work.calendar)}."
    is_known = before is not None and before.reason == reason
    steps = () if is_known else (RecordFact(local_number(flow.number), "blocked", reason),)
    return Changes(f"note that #{flow.number} is blocked", steps, text + mentioned_text((), reason))


async def _require_possible(planning: Planning, flow: Flow, number: int, work: RepositoryWork) -> None:
    """Raise UserError if GitHub would refuse the dependency, or if it would block nothing."""
    if flow.is_pull_request:
        raise UserError(
            f"GitHub only supports dependencies between issues, and #{flow.number} is a pull request. Run "
            'the command in the issue that it closes, or give only a reason: `/blocked reason:"…"`.'
        )
    if number == flow.number:
        raise UserError(f"#{number} cannot be blocked by itself.")
    other = await require_item(planning, number)
    if other.is_pull_request:
        raise UserError(
            f"#{number} is a pull request, and GitHub only supports dependencies between issues. Name "
            "the issue that it closes."
        )
    if other.state is not State.OPEN:
        raise UserError(f"#{number} is closed, so nothing has to wait for it.")
    other_flow = work.flow(number)
    if other_flow and any(block.number == flow.number for block in other_flow.open_blocks):
        raise UserError(
            f"#{number} waits for #{flow.number} already, and two issues cannot wait for each other."
        )
