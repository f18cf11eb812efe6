"""`/sprint scope`: additions to the sprint and removals from it, by whom and when."""

from collections.abc import Iterable, Iterator

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.scope import RequestedChange, scope_text
from commands.shared.choosing import SPRINT, resolve_facts, resolve_moment
from sprints.facts import ScopeCause
from sprints.milestone import Sprint
from sprints.numbering import qualify_number
from storage.changes import AuditEntry

# The latest audit entries that are read; older changes by the bot show the bot as their actor.
_MOST_ENTRIES = 1000


@command(
    "sprint scope",
    summary="what was added, removed, dropped and re-estimated since the commitment, by whom and when",
    level=Level.READ,
    arguments=(
        SPRINT,
        Argument("as-of", ArgumentKind.DATE, "how it stood at the end of that day", is_past=True),
    ),
    examples=("/sprint scope", '/sprint scope "Sprint 24"', "/sprint scope as-of:yesterday"),
    synonyms=("sprint changes", "sprint diff", "scope"),
)
async def sprint_scope(context: Context, arguments: Arguments) -> Reply:
    """Show the scope's equation and changes. Changes by the bot show the person who asked for them."""
    facts = await resolve_facts(context, arguments.text("sprint"), resolve_moment(context, arguments))
    entries = await context.changes.audit_entries(_MOST_ENTRIES)
    return Reply((scope_text(facts, list(_list_changes(entries, facts.sprint))),))


def _list_changes(entries: Iterable[AuditEntry], sprint: Sprint) -> Iterator[RequestedChange]:
    """The changes of a sprint's scope that entries of the audit log made."""
    for entry in entries:
        step = entry.details.get("step") or {}
        repository = str(step.get("repository") or "")
        cause = _find_cause(step, sprint.number_in(repository))
        if cause is not None:
            number = qualify_number(repository, int(step["number"]))
            yield RequestedChange(number, cause, entry.actor, entry.at, str(step.get("reason") or ""))


def _find_cause(step: dict[str, object], sprint: int | None) -> ScopeCause | None:
    match step:
        case {"type": "MoveItem"} if sprint is None:
            return None
        case {"type": "MoveItem", "after": after} if after == sprint:
            return ScopeCause.ADDED
        case {"type": "MoveItem", "before": before} if before == sprint:
            return ScopeCause.REMOVED
        case {"type": "Relabel"}:
            return ScopeCause.REESTIMATED
        case _:
            return None
