"""Changes that a command proposes: values that can be shown, stored, applied and undone.

A command never changes anything itself. It returns steps that hold the state before and after; each names the
object that it changes (`target`), and `invert` returns the step that undoes it, or None.
`bot/publishing/change_applier.py` shows a preview where one is due, applies the steps and records them in the
audit log.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec


class MoveItem(msgspec.Struct, frozen=True, tag="MoveItem"):
    """Move an item from one milestone to another, by the milestones' numbers; None means no milestone.

    `repository` is another repository (`owner/name`) that shares the sprint, in this and all other steps.
    """

    number: int
    before: int | None
    after: int | None
    reason: str = ""
    repository: str = ""

    @property
    def target(self) -> str:
        return f"{self.repository}#{self.number}"

    def invert(self) -> "MoveItem":
        return MoveItem(self.number, self.after, self.before, repository=self.repository)


class Relabel(msgspec.Struct, frozen=True, tag="Relabel"):
    """Remove labels from an item and add others; labels that the repository lacks are created."""

    number: int
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def invert(self) -> "Relabel":
        return Relabel(self.number, self.added, self.removed)


class EditMilestone(msgspec.Struct, frozen=True, tag="EditMilestone"):
    """Change a milestone's `title`, `description`, `due_on` (ISO date or None) or `state` (open, closed)."""

    number: int
    before: dict[str, str | None]
    after: dict[str, str | None]
    repository: str = ""

    @property
    def target(self) -> str:
        return f"{self.repository} milestone {self.number}".strip()

    def invert(self) -> "EditMilestone":
        return EditMilestone(self.number, self.after, self.before, self.repository)


class CreateMilestone(msgspec.Struct, frozen=True, tag="CreateMilestone"):
    """Create a milestone. `due_on` is a date such as 2026-12-01.

    `milestone` is GitHub's id of the created milestone, because people may rename it at any time.
    """

    title: str
    description: str = ""
    due_on: str | None = None
    repository: str = ""
    milestone: int | None = None

    @property
    def target(self) -> str:
        return f"{self.repository} milestone “{self.title}”".strip()

    def invert(self) -> None:
        """Return None, because this cannot be undone: work may have been planned in the milestone by now."""


class OpenIssue(msgspec.Struct, frozen=True, tag="OpenIssue"):
    """Open an issue, as a sub-issue of `parent` where one is given.

    `number` is the issue's own once it is open. An action of a retrospective names the sprint, `retro`, by
    GitHub's id of its milestone.
    """

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    milestone: int | None = None
    parent: int | None = None
    assignees: tuple[str, ...] = ()
    retro: int | None = None
    number: int | None = None

    @property
    def target(self) -> str:
        return f"issue “{self.title}”"

    def invert(self) -> None:
        """Return None, because this cannot be undone: a person may have answered in the issue by now."""


class SetBlocked(msgspec.Struct, frozen=True, tag="Block"):
    """Add a dependency on a blocking issue of this repository, or remove it unless `is_blocked`."""

    number: int
    by: int
    is_blocked: bool = True

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def invert(self) -> "SetBlocked":
        return SetBlocked(self.number, self.by, not self.is_blocked)


class RecordFact(msgspec.Struct, frozen=True, tag="Tell"):
    """Record an event that GitHub does not have: `started`, `paused`, `blocked`, `unblocked`.

    `by` is the number of the blocking issue, if there is one. `unstarted` cancels a start that was undone.
    `since` is the moment since which a start counts (ISO 8601), if it is not that of the command.
    """

    number: int
    event: str
    reason: str = ""
    by: int | None = None
    since: str = ""

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def invert(self) -> "RecordFact | None":
        opposites = {
            "started": "unstarted",
            "paused": "started",
            "blocked": "unblocked",
            "unblocked": "blocked",
        }
        event = opposites.get(self.event)
        return RecordFact(self.number, event, by=self.by) if event else None


class ChangeSetting(msgspec.Struct, frozen=True, tag="Settle"):
    """Set a setting of this repository by command; None removes it, so that the settings file applies."""

    key: str
    before: Any
    after: Any

    @property
    def target(self) -> str:
        return self.key

    def invert(self) -> "ChangeSetting":
        return ChangeSetting(self.key, self.after, self.before)


class ProposeFile(msgspec.Struct, frozen=True, tag="ProposeFile"):
    """Propose a file's new content in a pull request from a new branch.

    `before` is the Git blob SHA of the content that is replaced; None if the file does not exist yet.
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

    def invert(self) -> None:
        """Return None, because only a person can undo this, by closing the pull request unmerged."""


class LinkIssue(msgspec.Struct, frozen=True, tag="Link"):
    """Add a line to a pull request's description that says it closes an issue."""

    number: int
    issue: int

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def invert(self) -> None:
        """Return None, because this cannot be undone: a person may have edited the description since."""


class ExcludeFromSprint(msgspec.Struct, frozen=True, tag="SetAside"):
    """Exclude a pull request from a sprint (GitHub's id of the milestone); include it unless `is_aside`."""

    number: int
    milestone: int
    is_aside: bool = True

    @property
    def target(self) -> str:
        return f"#{self.number}"

    def invert(self) -> "ExcludeFromSprint":
        return ExcludeFromSprint(self.number, self.milestone, not self.is_aside)


class Resync(msgspec.Struct, frozen=True, tag="Resync"):
    """Reconcile running sprints with GitHub in the background; if `is_whole`, backfill the past, too."""

    is_whole: bool = False

    @property
    def target(self) -> str:
        return "the history"

    def invert(self) -> None:
        """Return None, because a resync cannot be undone: the events that it found stay recorded."""


class ApproveSeats(msgspec.Struct, frozen=True, tag="ApproveSeats"):
    """Approve more seats for a subscription (`reference` is Stripe's id), at the price that was shown.

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

    def invert(self) -> None:
        """Return None, because this cannot be undone: Stripe may have charged for the seats."""


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
    """The steps that a command proposes, with the texts about them.

    `summary` is a line in the infinitive (“close Sprint 12 and move 3 items to Sprint 13”), `done` the
    Markdown of the reply afterwards, `preview` the Markdown shown before. Changes that `needs_consent` are
    previewed even if they change one thing only; where it also `needs_tick`, `confirm:yes` shows the preview,
    too, because it was typed about something else. `undoes` is the id of an earlier change that these steps
    undo. `relies_on` is text that must be the same when the change is confirmed, see `fingerprint`.
    `topic` is what they are about, where that is not the items typed: a setting, a person, a title. It keeps
    their outcome apart from that of other changes by the same command in a thread.

    Changes that are `is_personal` have no steps: `done` is an answer about the asker, which is posted once
    the asker agrees to the `preview` that says who can read it. Nobody else can agree.
    """

    summary: str
    steps: tuple[Step, ...]
    done: str
    preview: str = ""
    needs_consent: bool = False
    needs_tick: bool = False
    undoes: int | None = None
    relies_on: str = ""
    topic: str = ""
    is_personal: bool = False

    @property
    def is_previewed(self) -> bool:
        """Whether a preview is due: the change needs consent or has more than one target."""
        return self.needs_consent or len({step.target for step in self.steps}) > 1

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of steps and `relies_on`: equal for changes with the same effect on the same state."""
        return hashlib.sha256(encode_steps(self.steps) + self.relies_on.encode()).hexdigest()


def step_repository(step: Step) -> str:
    """The other repository (`owner/name`) that a step changes; empty for the repository of the request."""
    return step.repository if isinstance(step, MoveItem | EditMilestone | CreateMilestone) else ""


def encode_steps(steps: Sequence[Step]) -> bytes:
    """Encode steps as deterministic JSON."""
    return msgspec.json.encode(list(steps), order="deterministic")


def decode_steps(steps: bytes | str) -> tuple[Step, ...]:
    """Decode the steps that `encode_steps` encoded."""
    return tuple(msgspec.json.decode(steps, type=list[Step]))
