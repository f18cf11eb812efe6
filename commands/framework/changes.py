"""What a command wants to change: values that can be shown, stored, carried out and taken back.

A command never changes anything itself. It says what it would do, in steps that know how things stood
before; `bot/publishing/change_applier.py` shows a preview where one is due, carries the steps out, and
writes them down.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


class MoveItem(msgspec.Struct, frozen=True, tag="MoveItem"):
    """An item goes from one milestone (its number, None: from none) to another, for some `reason`.

    `repository` is another one (`owner/name`) that shares the sprint, as it is of all steps that have one.
    """

    number: int
    before: int | None
    after: int | None
    reason: str = ""
    repository: str = ""

    @property
    def target(self) -> str:
        return f"{self.repository}#{self.number}"

    def inverse(self) -> "MoveItem":
        return MoveItem(self.number, self.after, self.before, repository=self.repository)


class Relabel(msgspec.Struct, frozen=True, tag="Relabel"):
    """An item loses and gets labels. Those to be given are created where the repository has none such."""

    number: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def inverse(self) -> "Relabel":
        return Relabel(self.number, self.added, self.removed)


class EditMilestone(msgspec.Struct, frozen=True, tag="EditMilestone"):
    """A milestone's `title`, `description`, `due_on` (a date, or None) or `state` (open, closed) change."""

    number: int
    before: dict[str, str | None]
    after: dict[str, str | None]
    repository: str = ""

    @property
    def target(self) -> str:
        return f"{self.repository} milestone {self.number}".strip()

    def inverse(self) -> "EditMilestone":
        return EditMilestone(self.number, self.after, self.before, self.repository)


class CreateMilestone(msgspec.Struct, frozen=True, tag="CreateMilestone"):
    """A new milestone. `due_on` is a date such as 2026-12-01.

    `milestone` is GitHub's id of it, once it is made: people may rename it at any time.
    """

    title: str
    description: str = ""
    due_on: str | None = None
    repository: str = ""
    milestone: int | None = None

    @property
    def target(self) -> str:
        return f"{self.repository} milestone “{self.title}”".strip()

    def inverse(self) -> None:
        """Work may have been planned in it by now; closing it is for a person."""


class OpenIssue(msgspec.Struct, frozen=True, tag="OpenIssue"):
    """A new issue, below a parent issue where one is named."""

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    milestone: int | None = None
    parent: int | None = None

    @property
    def target(self) -> str:
        return f"issue “{self.title}”"

    def inverse(self) -> None:
        """Somebody may have answered in it by now; closing it is for a person."""


class SetBlocked(msgspec.Struct, frozen=True, tag="Block"):
    """An issue is blocked by another one of this repository; or no longer, unless `is_blocked`."""

    number: int
    by: int
    is_blocked: bool = True

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def inverse(self) -> "SetBlocked":
        return SetBlocked(self.number, self.by, not self.is_blocked)


class RecordFact(msgspec.Struct, frozen=True, tag="Tell"):
    """A fact that only a command can tell, for the timeline: `started`, `paused`, `blocked`, `unblocked`.

    `by` is the issue that blocks, if it is one. A start that was taken back never was: `unstarted`.
    """

    number: int
    event: str
    reason: str = ""
    by: int | None = None

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def inverse(self) -> "RecordFact | None":
        opposites = {
            "started": "unstarted",
            "paused": "started",
            "blocked": "unblocked",
            "unblocked": "blocked",
        }
        event = opposites.get(self.event)
        return RecordFact(self.number, event, by=self.by) if event else None


class ChangeSetting(msgspec.Struct, frozen=True, tag="Settle"):
    """A setting of this repository that a command gives. None stands for what the settings file says."""

    key: str
    before: Any
    after: Any

    @property
    def target(self) -> str:
        return self.key

    def inverse(self) -> "ChangeSetting":
        return ChangeSetting(self.key, self.after, self.before)


class ProposeFile(msgspec.Struct, frozen=True, tag="ProposeFile"):
    """A file's new content, proposed in a pull request from a branch of its own.

    `before` is GitHub's sha of the content that it replaces; None where there is no such file yet.
    """

    path: str
    content: str
    branch: str
    title: str
    body: str
    before: str | None = None

    @property
    def target(self) -> str:
        return f"pull request “{self.title}”"

    def inverse(self) -> None:
        """It waits for people; whoever closes it unmerged takes it back."""


class LinkIssue(msgspec.Struct, frozen=True, tag="Link"):
    """A pull request's text says that it closes an issue."""

    number: int
    issue: int

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def inverse(self) -> None:
        """The text is a person's, who may have gone on writing."""


class ExcludeFromSprint(msgspec.Struct, frozen=True, tag="SetAside"):
    """A pull request is no work of a sprint (the id of its milestone), on purpose; or may be again."""

    number: int
    milestone: int
    is_aside: bool = True

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def inverse(self) -> "ExcludeFromSprint":
        return ExcludeFromSprint(self.number, self.milestone, not self.is_aside)


class Resync(msgspec.Struct, frozen=True, tag="Resync"):
    """GitHub is asked in the background what running sprints should look like; and for the whole past again
    if `is_whole`."""

    is_whole: bool = False

    @property
    def target(self) -> str:
        return "the history"

    def inverse(self) -> None:
        """What was found out stays."""


class ApproveSeats(msgspec.Struct, frozen=True, tag="ApproveSeats"):
    """A subscription (Stripe's id) may be charged for more seats, at a price for a seat that was shown.

    `unit_amount` is in the smallest unit of `currency`.
    """

    reference: str
    before: int
    after: int
    unit_amount: int | None = None
    currency: str | None = None

    @property
    def target(self) -> str:
        return "seats"

    def inverse(self) -> None:
        """Stripe may have charged for them by now; the number follows the people anyway."""


Step = (
    MoveItem
    | Relabel
    | EditMilestone
    | CreateMilestone
    | OpenIssue
    | SetBlocked
    | RecordFact
    | ChangeSetting
    | ProposeFile
    | LinkIssue
    | ExcludeFromSprint
    | Resync
    | ApproveSeats
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a command would do.

    `summary` is a line in the infinitive (“close Sprint 12 and move 3 items to Sprint 13”), `done` the
    Markdown that is said afterwards, `preview` what to know before it. One that `needs_consent` is shown
    first even if it changes one thing only. `undoes` is the id of an earlier change that these steps take
    back.
    """

    summary: str
    steps: tuple[Step, ...]
    done: str
    preview: str = ""
    needs_consent: bool = False
    undoes: int | None = None
    relies_on: str = ""

    @property
    def is_previewed(self) -> bool:
        """Whoever changes more than one thing sees first what will happen."""
        return self.needs_consent or len({step.target for step in self.steps}) > 1

    @property
    def fingerprint(self) -> str:
        """Two changes with the same one would do the same to the same."""
        return hashlib.sha256(encode_steps(self.steps) + self.relies_on.encode()).hexdigest()


def repository_of(step: Step) -> str:
    """The other repository that a step changes; empty for the one in which it is asked."""
    return step.repository if isinstance(step, MoveItem | EditMilestone | CreateMilestone) else ""


def encode_steps(steps: Sequence[Step]) -> bytes:
    """The steps as JSON."""
    return msgspec.json.encode(list(steps), order="deterministic")


def decode_steps(steps: bytes | str) -> tuple[Step, ...]:
    """The steps that `encoded` wrote."""
    return tuple(msgspec.json.decode(steps, type=list[Step]))
