"""`/sprint scope`: what came into the sprint and what left it, with who did it and when."""

from collections.abc import Iterable, Iterator

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.scope import RequestedChange, scope_text
from commands.shared.choosing import facts_meant, moment_of
from sprints.facts import Cause
from sprints.milestone import Sprint
from sprints.numbering import number_in
from storage.changes import AuditEntry

# Who did longer ago what we did is told by GitHub's name for us.
_MOST_ENTRIES = 1000


@command(
    "sprint scope",
    summary="what was added, removed, dropped and re-estimated since the commitment, by whom and when",
    level=Level.READ,
    arguments=(
        Argument(
            "name",
            ArgumentKind.TEXT,
            "the milestone's title; else the one that is running",
            is_positional=True,
        ),
        Argument("as-of", ArgumentKind.DATE, "how it stood at the end of that day"),
    ),
    examples=("/sprint scope", '/sprint scope "Sprint 24"', "/sprint scope as-of:2026-11-20"),
)
async def sprint_scope(context: Context, arguments: Arguments) -> Reply:
    """The equation of the scope, and its lines. What we did is told of the person who asked for it."""
    facts = await facts_meant(context, arguments.text("name"), moment_of(context, arguments))
    entries = await context.changes.audit_entries(_MOST_ENTRIES)
    return Reply((scope_text(facts, list(_deeds(entries, facts.sprint))),))


def _deeds(entries: Iterable[AuditEntry], sprint: Sprint) -> Iterator[RequestedChange]:
    """What each entry of the audit log did to a sprint's scope."""
    for entry in entries:
        step = entry.details.get("step") or {}
        repository = str(step.get("repository") or "")
        cause = _cause(step, sprint.number_in(repository))
        if cause is not None:
            number = number_in(repository, int(step["number"]))
            yield RequestedChange(number, cause, entry.actor, entry.at, str(step.get("reason") or ""))


def _cause(step: dict[str, object], sprint: int | None) -> Cause | None:
    match step:
        case {"type": "MoveItem"} if sprint is None:
            return None
        case {"type": "MoveItem", "after": after} if after == sprint:
            return Cause.ADDED
        case {"type": "MoveItem", "before": before} if before == sprint:
            return Cause.REMOVED
        case {"type": "Relabel"}:
            return Cause.REESTIMATED
        case _:
            return None
