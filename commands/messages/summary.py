"""The summary of a milestone, for `/summary` and for summaries posted automatically."""

from dataclasses import replace

from charts.render import describe_chart
from commands.formatting.foreign_text import one_line
from commands.formatting.wording import full_day, plain
from commands.framework.outcome import Picture
from commands.framework.planning import Planning
from commands.messages.charts import chart_parts, sprint_argument
from commands.messages.report import ReportData, summary_details, summary_head
from sprints.milestone import Sprint


def summary_title(sprint: Sprint) -> str:
    """The title of an issue for the summary alone."""
    return one_line(f"Summary: {sprint.title}")


def summary_parts(
    planning: Planning, sheet: ReportData, *, shows_mermaid: bool = True
) -> list[str | Picture]:
    """The summary's head, its burndown, and its details; equal numbers give equal parts.

    Where `shows_mermaid` is False, the burndown is described in words unless it may be a picture.
    """
    parts: list[str | Picture] = [summary_head(sheet)]
    burndown = sheet.burndown
    if burndown is not None and burndown.latest is not None:
        is_shown = shows_mermaid or planning.links_pictures
        parts += chart_parts(planning, burndown) if is_shown else [describe_chart(burndown)]
    return [*parts, summary_details(sheet)]


def posted_parts(planning: Planning, sheet: ReportData) -> list[str | Picture]:
    """The summary that is posted automatically, with a note if the milestone is still open."""
    return [part for part in (_not_closed(sheet), *summary_parts(planning, sheet)) if part]


def released_parts(planning: Planning, sheet: ReportData) -> list[str | Picture]:
    """The summary for a release, where GitHub draws no Mermaid and commands do not work."""
    return summary_parts(planning, replace(sheet, hears_answers=False), shows_mermaid=False)


def reopened_placeholder_text(sprint: Sprint, *, is_release: bool = False) -> str:
    """The placeholder for the summary of a sprint that was opened again or got a later due date."""
    title = plain(sprint.title)
    due = f" It is due on {full_day(sprint.due)}." if sprint.due else ""
    text = f"**{title} continues**, so this is not its summary yet.{due}"
    if is_release:
        return f"{text} When it is over, its summary will appear here."
    return (
        f"{text} When it is over, its summary will appear here, and a comment will say so. "
        f"`/summary{sprint_argument(sprint.title)}` shows its numbers so far."
    )


def ended_again_text(sprint: Sprint) -> str:
    """The comment on the final end of a sprint that continued after its first end."""
    title = plain(sprint.title)
    return f"**{title} is over now.** It had continued after its first end, and its summary is up to date."


def reopened_notice_text(sprint: Sprint) -> str:
    """The replacement of the comment on a sprint's end, for a sprint that continued after that end."""
    return f"**{plain(sprint.title)} continued after this.** The end announced here was not final."


def abandoned_text(sprint: Sprint) -> str:
    """The replacement of texts about a sprint that went on and whose milestone was then deleted."""
    return f"**{plain(sprint.title)} was abandoned:** its milestone was deleted."


def _not_closed(sheet: ReportData) -> str:
    sprint = sheet.sprint
    if sprint.closed_at is not None or sprint.last_day is None:
        return ""
    line = f"`/sprint close{sprint_argument(sprint.title)}`"
    todo = f"{line} closes it and moves what is open to the next one"
    if not sheet.report.left.entries:
        todo = f"{line} closes it"
    return f"This milestone was due on {full_day(sprint.last_day)} and nobody has closed it: {todo}."
