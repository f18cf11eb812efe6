"""Goals of sprints: their line in a milestone's description, and the verdicts whether they were met."""

import re

_GOAL_LINE = re.compile(r"^[ \t]*goal:.*$", re.IGNORECASE | re.MULTILINE)


GOALS = "goals"


def stored_verdicts(setting: object) -> dict[str, str]:
    """The stored setting `goals` as a copy to edit: "met" or "missed" by GitHub's id of the milestone."""
    return {str(key): str(value) for key, value in setting.items()} if isinstance(setting, dict) else {}


def with_goal(description: str, goal: str) -> str:
    """Set the goal in a milestone's description, replacing an existing goal."""
    line = f"Goal: {' '.join(goal.split())}"
    if _GOAL_LINE.search(description):
        return _GOAL_LINE.sub(lambda _: line, description, count=1)
    return f"{line}\n{description}".rstrip()
