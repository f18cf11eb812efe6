"""Sentences for a sprint without open items: nothing came in yet, everything was done, or all of it left."""

from commands.messages.charts import sprint_argument
from sprints.facts import Facts, ScopeCause

_WAYS_OUT = ((ScopeCause.DROPPED, "dropped"), (ScopeCause.REMOVED, "removed"))


def nothing_yet_text(title: str) -> str:
    """Say how to add the first item to a sprint."""
    line = f"`/sprint add{sprint_argument(title)}`"
    return f"**Nothing is in it yet.** Run {line} in an issue to add it."


def is_empty(facts: Facts) -> bool:
    """Whether a sprint that has not ended has never held an item."""
    has_any = bool(facts.scope.count or facts.committed.count or facts.ledger)
    return not has_any and not facts.sprint.has_ended(facts.as_of)


def nothing_left_sentence(facts: Facts) -> str:
    """The sentence for a sprint without open items, with the reason: its scope was done, dropped or removed.

    Dropped and removed work is not done, so the sentence does not call it done.
    """
    is_over = facts.sprint.has_ended(facts.as_of)
    if facts.scope.count:
        return f"Everything in scope {'was' if is_over else 'is'} done."
    ways_out = [word for cause, word in _WAYS_OUT if facts.total(cause).count]
    head = "Nothing was in scope when it ended" if is_over else "Nothing is in scope now"
    return f"{head}: everything was {' or '.join(ways_out)}." if ways_out else f"{head}."
