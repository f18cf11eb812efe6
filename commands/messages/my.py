"""The text of a person's own open work."""

from dataclasses import dataclass

from commands.formatting.wording import counted, footer, format_moment, person
from commands.messages.standup import list_sections, paused_line, wait_lines
from commands.messages.work import blockers_text, duration_text
from sprints.durations import count_days
from sprints.flow import Flow
from sprints.numbering import ref, split_number
from sprints.reviews import ReviewWait
from sprints.work import RepositoryWork


@dataclass(frozen=True, slots=True)
class PersonalWork:
    """One person's open `issues` (assigned to them) and `pulls` (assigned to or opened by them).

    `waits` are their own pull requests that wait for a review, `reviews` those of others.
    """

    issues: tuple[Flow, ...]
    pulls: tuple[Flow, ...]
    waits: tuple[ReviewWait, ...]
    reviews: tuple[ReviewWait, ...]


def my_text(login: str, personal: PersonalWork, work: RepositoryWork) -> str:
    """A person's open work by state, the oldest first, then the reviews that wait."""
    issues = sorted(
        personal.issues, key=lambda flow: (flow.started_at or work.now, split_number(flow.number))
    )
    waiting = {wait.flow.item: wait for wait in personal.waits}
    parts = [f"### Open work of {person(login)}"]
    lists = list_sections(
        ("In progress", [_in_progress_line(flow, work) for flow in issues if flow.is_in_progress]),
        ("Paused", [paused_line(flow) for flow in issues if flow.is_paused]),
        ("Not started", [_not_started_line(flow) for flow in issues if flow.started_at is None]),
        (
            "Pull requests",
            [_pull_request_line(flow, waiting.get(flow.item), work) for flow in personal.pulls],
        ),
    )
    parts += lists or ["Nothing here is assigned to you, and you have no open pull request."]
    parts += list_sections(("Reviews that wait for somebody", wait_lines(personal.reviews, work)))
    as_of = f"As of {format_moment(work.calendar.local(work.now))}"
    parts.append(footer(as_of, "told here because you asked here"))
    return "\n\n".join(parts)


def _in_progress_line(flow: Flow, work: RepositoryWork) -> str:
    at_least = "" if flow.is_start_dated else "at least "
    started_at = flow.started_at or work.now
    age = counted(count_days(started_at, work.now, work.calendar), "day")
    return f"{ref(flow.number)} – for {at_least}{age}{_blocked_suffix(flow)}"


def _not_started_line(flow: Flow) -> str:
    return f"{ref(flow.number)}{_blocked_suffix(flow)}"


def _pull_request_line(flow: Flow, wait: ReviewWait | None, work: RepositoryWork) -> str:
    if wait:
        return f"{ref(flow.number)} – waits for a review for {duration_text(work.now - wait.since)}"
    return f"{ref(flow.number)}{_blocked_suffix(flow)}"


def _blocked_suffix(flow: Flow) -> str:
    return f"; blocked: {blockers_text(flow.open_blocks)}" if flow.open_blocks else ""
