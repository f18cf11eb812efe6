"""The order in which jobs run: by whom somebody waits for."""

from enum import IntEnum
from typing import Final


class Priority(IntEnum):
    """What kind of work a job is. Jobs of a higher priority run first.

    Earlier versions queued answers with 10 and everything else with 0, so that those of their jobs that an
    upgrade finds in the queue still run: answers first, the others last. Migration 0019 gives most of them
    their own priority.
    """

    # Work that comes by itself, such as the figures of the day, and that nobody notices for hours.
    PERIODIC = 0
    # Reading the history from before the App was installed.
    BACKFILL = 2
    # Working out checks and posts again, because facts or settings have changed.
    CHECKS = 4
    # Writing posts and checks to GitHub.
    POSTS = 6
    # Recording what has happened, on which all other work relies.
    RECORDING = 8
    # Answers to commands and buttons: a person waits.
    ANSWERS = 10


# Jobs of at most this priority may take minutes, and no person waits for them. Together they have at most
# half of a worker's places: the rest is kept for what people wait for.
BACKGROUND: Final = Priority.POSTS
