"""`/my`: the open work of whoever asks, and the reviews that wait."""

from collections.abc import Sequence

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.my import PersonalWork, my_text
from commands.shared.work import read_review_waits, read_work
from sprints.flow import Flow
from sprints.reviews import ReviewWait


@command(
    "my",
    summary="your own open work, and the reviews that wait for somebody",
    level=Level.READ,
    examples=("/my",),
)
async def my(context: Context, _: Arguments) -> Reply:
    """Of nobody but the person who asks, and only where they ask."""
    work = await read_work(context)
    login = context.request.sender
    mine = mine_of(login, work.flows, await read_review_waits(context, work))
    return Reply((my_text(login, mine, work),))


def mine_of(login: str, flows: Sequence[Flow], waits: Sequence[ReviewWait]) -> PersonalWork:
    """The open work of one person. A parent that its sub-issues tell is left out."""
    mine = [flow for flow in flows if flow.is_open and _has(login, flow)]
    pulls = tuple(flow for flow in mine if flow.is_pull_request)
    numbers = {flow.item for flow in pulls}
    return PersonalWork(
        tuple(flow for flow in mine if not flow.is_pull_request and not flow.is_covered),
        pulls,
        tuple(wait for wait in waits if wait.flow.item in numbers),
        tuple(wait for wait in waits if wait.flow.item not in numbers),
    )


def _has(login: str, flow: Flow) -> bool:
    people = {one.lower() for one in flow.assignees}
    if flow.is_pull_request and flow.author:
        people.add(flow.author.lower())
    return login.lower() in people
