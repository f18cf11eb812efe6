"""`/my`: the asker's open work, and the reviews that wait."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands.formatting.wording import footer, moment, person
from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import blocking, lasting
from commands.shared.work import read_review_waits, read_work
from commands.team.standup import paused_line, sections, wait_lines
from sprints.flow import Flow
from sprints.numbering import ref, split_number
from sprints.reviews import ReviewWait
from sprints.work import RepositoryWork


@dataclass(frozen=True, slots=True)
class Mine:
    """What is one person's: open `issues` assigned to them, and `pulls` that they opened or have.

    `waits` are theirs among the pull requests that wait for a review, `reviews` those of others.
    """

    issues: tuple[Flow, ...]
    pulls: tuple[Flow, ...]
    waits: tuple[ReviewWait, ...]
    reviews: tuple[ReviewWait, ...]


@command(
    "my",
    summary="your own open work, and the reviews that wait for somebody",
    level=Level.READ,
    examples=("/my",),
)
async def my(context: Context, _: Arguments) -> Reply:
    """Show the open work of the person who asks, and of nobody else."""
    work = await read_work(context)
    login = context.request.sender
    own_work = select_own_work(login, work.flows, await read_review_waits(context, work))
    return Reply((my_text(login, own_work, work),))


def select_own_work(login: str, flows: Sequence[Flow], waits: Sequence[ReviewWait]) -> Mine:
    """Select the open work of one person, without parents that are covered by their sub-issues."""
    own_flows = [flow for flow in flows if flow.is_open and _is_own(login, flow)]
    pulls = tuple(flow for flow in own_flows if flow.is_pull_request)
    numbers = {flow.item for flow in pulls}
    return Mine(
        tuple(flow for flow in own_flows if not flow.is_pull_request and not flow.is_covered),
        pulls,
        tuple(wait for wait in waits if wait.flow.item in numbers),
        tuple(wait for wait in waits if wait.flow.item not in numbers),
    )


def my_text(login: str, mine: Mine, work: RepositoryWork) -> str:
    """Their work by its state, the oldest first, then reviews."""
    issues = sorted(mine.issues, key=lambda flow: (flow.started_at or work.now, split_number(flow.number)))
    waiting = {wait.flow.item: wait for wait in mine.waits}
    parts = [f"### Open work of {person(login)}"]
    told = sections(
        ("In progress", [_in_progress(flow, work) for flow in issues if flow.is_in_progress]),
        ("Paused", [paused_line(flow) for flow in issues if flow.is_paused]),
        ("Not started", [_not_started(flow) for flow in issues if flow.started_at is None]),
        ("Pull requests", [_pull(flow, waiting.get(flow.item), work) for flow in mine.pulls]),
    )
    parts += told or ["Nothing here is assigned to you, and you have no open pull request."]
    parts += sections(("Reviews that wait for somebody", wait_lines(mine.reviews, work)))
    as_of = f"As of {moment(work.calendar.local(work.now))}"
    parts.append(footer(as_of, "told here because you asked here"))
    return "\n\n".join(parts)


def _is_own(login: str, flow: Flow) -> bool:
    people = {assignee.lower() for assignee in flow.assignees}
    if flow.is_pull_request and flow.author:
        people.add(flow.author.lower())
    return login.lower() in people


def _in_progress(flow: Flow, work: RepositoryWork) -> str:
    at_least = "" if flow.is_start_dated else "at least "
    age = lasting(work.now - flow.started_at) if flow.started_at else ""
    return f"{ref(flow.number)} – for {at_least}{age}{_held(flow)}"


def _not_started(flow: Flow) -> str:
    return f"{ref(flow.number)}{_held(flow)}"


def _pull(flow: Flow, wait: ReviewWait | None, work: RepositoryWork) -> str:
    if wait:
        return f"{ref(flow.number)} – waits for a review for {lasting(work.now - wait.since)}"
    return f"{ref(flow.number)}{_held(flow)}"


def _held(flow: Flow) -> str:
    return f"; blocked: {blocking(flow.open_blocks)}" if flow.open_blocks else ""
