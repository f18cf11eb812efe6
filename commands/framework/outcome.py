"""The outcome of a command as a value, which `bot/` turns into a comment."""

from collections.abc import Sequence
from dataclasses import dataclass

from charts.render import Chart
from commands.framework.changes import Changes
from commands.framework.request import CommandLine
from storage.forecasts import ForecastRecord
from storage.outbox import ERROR_SLOT


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
class Failure:
    """Why a command was not carried out, in Markdown; `command` is empty where none is known."""

    command: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command line, or all its failures to the person who asked.

    `slot` says what the answer is about: in its thread a later one with the same slot may edit it. `reply` is
    None where a reaction is enough, or where `changes` are to be applied first. `call` is the line that asks
    for these changes, without its `confirm`; if `is_confirmed`, they are applied without a preview. An answer
    that `is_new` is posted in a new comment, one that `edits` a comment (its id) in that. `proposal` is the
    id of the change whose box it shows.
    """

    slot: str
    reply: Reply | None
    is_success: bool
    changes: Changes | None = None
    call: CommandLine | None = None
    is_confirmed: bool = False
    failures: tuple[Failure, ...] = ()
    is_new: bool = False
    edits: int | None = None
    proposal: int | None = None


def join_failures(answers: Sequence[Answer]) -> list[Answer]:
    """The answers with all errors to the person who asked in a single one, behind the others."""
    others = [answer for answer in answers if answer.slot != ERROR_SLOT]
    failures = [failure for answer in answers if answer.slot == ERROR_SLOT for failure in answer.failures]
    return [*others, build_failure(*failures)] if failures else others


def build_failure(*failures: Failure) -> Answer:
    """Build the answer to commands that were not carried out."""
    text = "\n\n".join(failure.text for failure in failures)
    return Answer(ERROR_SLOT, Reply((text,)), is_success=False, failures=failures)
