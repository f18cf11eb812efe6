"""The summary of a milestone as it is posted unasked: the same words as `/summary` says."""

from commands.report_card import Sheet, summary_text
from commands.wording import full_day
from sprints.milestone import Sprint


def summary_title(sprint: Sprint) -> str:
    """The title of an issue that holds nothing but the summary."""
    return f"Summary: {sprint.title}"


def summary_body(sheet: Sheet) -> str:
    """What is posted; a milestone that nobody has closed is said to be over."""
    return "\n\n".join(part for part in (_not_closed(sheet), summary_text(sheet)) if part)


def _not_closed(sheet: Sheet) -> str:
    sprint = sheet.sprint
    if sprint.closed_at is not None or sprint.last_day is None:
        return ""
    todo = "`/sprint close` closes it and takes what is open to the next one"
    if not sheet.report.left.entries:
        todo = "`/sprint close` closes it"
    return f"This milestone was due on {full_day(sprint.last_day)} and nobody has closed it: {todo}."
