"""Reads the succession of a repository's sprints: the running one, and the next."""

from commands.framework.planning import Planning
from sprints.succession import Succession


async def read_succession(planning: Planning) -> Succession:
    """The succession of the sprints as of now."""
    sprints = await planning.sprints.all(planning.now)
    return Succession(sprints, planning.now, planning.calendar, planning.project.settings.cadence)
