"""The days that a chart of flow shows, with their name."""

from dataclasses import dataclass
from datetime import date

from commands.formatting.wording import full_day


@dataclass(frozen=True, slots=True)
class Window:
    """Local days from `first` to `last`, both included, and their name for titles."""

    first: date
    last: date
    name: str

    @property
    def days(self) -> str:
        """1 Sep 2026 – 23 Nov 2026."""
        return f"{full_day(self.first)} – {full_day(self.last)}"
