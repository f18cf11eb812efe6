"""The clock of the tests."""

from datetime import UTC, datetime


class Clock:
    """The time as the test says it is; until it says, the real one, because GitHub's stand-in lives in it."""

    def __init__(self) -> None:
        self.now: datetime | None = None

    def __call__(self) -> datetime:
        return self.now or datetime.now(UTC)
