"""`/my`: the asker's open work, and the reviews that wait. In public it is posted once the asker agrees."""

from collections.abc import Sequence

from commands.framework.arguments import Arguments
from commands.framework.changes import Changes
from commands.framework.context import Context
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.completeness import missing_text
from commands.messages.my import PersonalWork, ask_to_post, my_text
from commands.shared.work import read_review_waits, read_work
from sprints.flow import Flow
from sprints.reviews import ReviewWait


@command(
    "my",
    summary="your own open work, and the reviews that wait; a public repository asks you before it is posted",
    level=Level.READ,
    examples=("/my",),
    is_changing=True,
)
async def my(context: Context, arguments: Arguments) -> Changes:
    """Show only the open work of the person who asks; in a public repository, once that person agrees."""
    login = context.request.sender
    needs_consent = not context.project.is_private
    has_agreed = bool(context.request.ticked) or arguments.flag("confirm")
    return Changes(
        "post your open work",
        (),
        "" if needs_consent and not has_agreed else await _write_work(context, login),
        preview=ask_to_post(login),
        needs_consent=needs_consent,
        topic=login.lower(),
        is_personal=True,
    )


async def _write_work(context: Context, login: str) -> str:
    work = await read_work(context)
    own_work = select_own_work(login, work.flows, await read_review_waits(context, work))
    return my_text(login, own_work, work, missing_text(await context.read_gaps(), context.calendar))


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
