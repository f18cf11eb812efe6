"""What a team's settings and its day say about how a line is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from charts.locales import Locale, find_locale
from sprints.team_settings import TeamSettings


@dataclass(frozen=True, slots=True)
class InputSettings:
    """The settings with which a line is read.

    `today` is the team's local day. `locale` is None if the team has set none: then it is unknown whether its
    people write the day or the month first. `sizes` are the points of the team's sizes, by upper-case name.
    `repository` is the one of the thread, as `owner/name`.
    """

    today: date
    locale: Locale | None = None
    sizes: Mapping[str, Decimal] = field(default_factory=dict)
    repository: str = ""

    @classmethod
    def of_team(cls, settings: TeamSettings, today: date, repository: str) -> "InputSettings":
        """The input settings of a team on a day."""
        locale = find_locale(settings.locale, today) if settings.locale else None
        return cls(today, locale, settings.rules.estimates.sizes, repository)
