"""Texts about cycle times."""

from commands.formatting.wording import counted
from sprints.durations import Durations, Exclusion

REASONS = {
    Exclusion.NOT_STARTED: "never told to be started",
    Exclusion.START_NOT_DATED: "started at an unknown time",
    Exclusion.ZERO: "started and done in the same second",
    Exclusion.NEGATIVE: "started only after they were done",
}


def left_out(found: Durations) -> str:
    """The done items that have no cycle time, by reason, and how many of the others were opened again."""
    said = []
    if found.excluded_count:
        reasons = ", ".join(f"{count} {REASONS[reason]}" for reason, count in found.excluded)
        said.append(f"Left out: {counted(found.excluded_count, 'done item')} ({reasons}).")
    if found.reopened:
        said.append(f"{found.reopened} of {counted(found.n, 'item')} had been done before and opened again.")
    return " ".join(said)
