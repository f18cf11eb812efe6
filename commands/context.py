"""All that a command may ask for while it runs."""

from dataclasses import dataclass
from datetime import datetime

from commands.request import Request
from sprints.calendar import Calendar
from storage.projects import Project
from storage.sprints import Sprints


@dataclass(frozen=True, slots=True)
class Context:
    """One request in one repository: who asked what, the facts, and the time."""

    request: Request
    project: Project
    sprints: Sprints
    now: datetime

    @property
    def calendar(self) -> Calendar:
        """The team's days."""
        return self.project.rules.calendar

    @property
    def links_pictures(self) -> bool:
        """Whether a chart may be a linked picture. In a private repository nothing leaves GitHub unasked."""
        return not self.project.is_private or self.project.settings.get("charts") == "image"
