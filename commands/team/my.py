"""`/my`: the asker's open work, and the reviews that wait."""

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
    """Show only the open work of the person who asks."""
    work = await read_work(context)
    login = context.request.sender
    own_work = select_own_work(login, work.flows, await read_review_waits(context, work))
    return Reply((my_text(login, own_work, work),))


def select_own_work(login: str, flows: Sequence[Flow], waits: Sequence[ReviewWait]) -> PersonalWork:
    """Select the open work of one person, without parents that are covered by their sub-issues."""
    own_flows = [flow for flow in flows if flow.is_open and _is_own(login, flow)]
    pulls = tuple(flow for flow in own_flows if flow.is_pull_request)
    numbers = {flow.item for flow in pulls}
    return PersonalWork(
        tuple(flow for flow in own_flows if not flow.is_pull_request and not flow.is_covered),
        pulls,
        tuple(wait for wait in waits if wait.flow.item in numbers),
        tuple(wait for wait in waits if wait.flow.item not in numbers),
    )


def _is_own(login: str, flow: Flow) -> bool:
    people = {assignee.lower() for assignee in flow.assignees}
    if flow.is_pull_request and flow.author:
        people.add(flow.author.lower())
    return login.lower() in people
