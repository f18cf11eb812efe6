"""The outcome of a command as a value, which `bot/` turns into a comment."""

from dataclasses import dataclass

from charts.render import Chart
from commands.framework.changes import Changes
from commands.framework.request import CommandLine
from storage.forecasts import ForecastRecord


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart to be drawn and linked at this place of a reply, with its alternative text."""

    chart: Chart
    alt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Markdown and pictures, in order.

    The `forecasts` in it are recorded, to be graded when the sprint is over. A reply that
    `says_completeness` states by itself how complete the data behind its numbers are.
    """

    parts: tuple[str | Picture, ...]
    forecasts: tuple[ForecastRecord, ...] = ()
    says_completeness: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command line.

    `slot` identifies the answer within its thread: the same command edits its earlier answer. `reply` is None
    where a reaction is enough, or where `changes` are to be applied first. `call` is the line that asks for
    these changes; if `is_confirmed`, they are applied without a preview.
    """

    slot: str
    reply: Reply | None
    is_success: bool
    changes: Changes | None = None
    call: CommandLine | None = None
    is_confirmed: bool = False
