"""What a command answers: a value, which others turn into a comment."""

from dataclasses import dataclass

from charts.render import Chart
from commands.framework.changes import Changes
from commands.framework.request import CommandLine
from storage.forecasts import ForecastRecord


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart to be drawn and linked at this place of a reply, with the words for who cannot see it."""

    chart: Chart
    alt: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Markdown and pictures, in order. The forecasts that are told in it are kept, to be graded later.

    One that `says_completeness` says by itself how well its numbers are known.
    """

    parts: tuple[str | Picture, ...]
    foretold: tuple[ForecastRecord, ...] = ()
    says_completeness: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of one command line. `slot` names the answer within its thread: asked again, it is edited.

    `reply` is None where a reaction says enough, or where `changes` are to be carried out first: those of
    `call`, which is confirmed if nothing is to be shown before.
    """

    slot: str
    reply: Reply | None
    is_success: bool
    changes: Changes | None = None
    call: CommandLine | None = None
    is_confirmed: bool = False
