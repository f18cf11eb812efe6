"""The text of a person's own open work."""

from dataclasses import dataclass

from commands.formatting.wording import footer, format_moment, person
from commands.messages.standup import list_sections, paused_line, wait_lines
from commands.messages.work import blocked_suffix, duration_text, in_progress_line
from sprints.durations import measure_ages
from sprints.flow import Flow
from sprints.numbering import ref, split_number
from sprints.reviews import ReviewWait
from sprints.work import RepositoryWork

READERS = "Everyone who can read this repository can read this answer."


@dataclass(frozen=True, slots=True)
class PersonalWork:
    """One person's open `issues` (assigned to them) and `pulls` (assigned to or opened by them).

    `waits` are their own pull requests that wait for a review, `reviews` those of others.
    """

    issues: tuple[Flow, ...]
    pulls: tuple[Flow, ...]
    waits: tuple[ReviewWait, ...]
    reviews: tuple[ReviewWait, ...]


def ask_to_post(login: str) -> str:
    """The question before a person's open work is posted where everyone can read it."""
    return (
        f"### Post your open work here, {person(login)}?\n\n"
        "Everyone who can read this repository will see it, and this repository is public. Only you can tick "
        "the box; `/my confirm:yes` posts at once."
    )


def my_text(login: str, personal: PersonalWork, work: RepositoryWork, gaps: str = "") -> str:
    """Who can read it, a person's open work by state, the oldest first, then the reviews that wait.

    `gaps` says which events are missing.
    """
    issues = sorted(
        personal.issues, key=lambda flow: (flow.started_at or work.now, split_number(flow.number))
    )
    waiting = {wait.flow.item: wait for wait in personal.waits}
    parts = [f"### Open work of {person(login)}", READERS]
    lists = list_sections(
        (
            "In progress",
            [in_progress_line(age) for age in measure_ages(personal.issues, work.now, work.calendar)],
        ),
        ("Paused", [paused_line(flow) for flow in issues if flow.is_paused]),
        ("Not started", [_not_started_line(flow) for flow in issues if flow.started_at is None]),
        (
            "Pull requests",
            [_pull_request_line(flow, waiting.get(flow.item), work) for flow in personal.pulls],
        ),
    )
    parts += lists or ["Nothing here is assigned to you, and you have no open pull request."]
    parts += list_sections(("Reviews waiting for someone", wait_lines(personal.reviews, work)))
    as_of = f"As of {format_moment(work.calendar.local(work.now))}"
    parts.append(footer(as_of, gaps))
    return "\n\n".join(parts)


def _not_started_line(flow: Flow) -> str:
    return f"{ref(flow.number)}{blocked_suffix(flow)}"


def _pull_request_line(flow: Flow, wait: ReviewWait | None, work: RepositoryWork) -> str:
    if wait:
        return (
            f"{ref(flow.number)} – has been waiting for a review for {duration_text(work.now - wait.since)}"
        )
    return f"{ref(flow.number)}{blocked_suffix(flow)}"
