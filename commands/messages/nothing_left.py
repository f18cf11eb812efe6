"""Why nothing is open in a sprint, in words: nothing came in yet, all was done, or all left its scope."""

from sprints.facts import Cause, Facts

NOTHING_YET = "**Nothing is in it yet.** `/sprint add` in an issue puts that issue in."
_WAYS_OUT = ((Cause.DROPPED, "dropped"), (Cause.REMOVED, "removed"))


def is_empty(facts: Facts) -> bool:
    """Whether no item has been in it so far, and some may still come."""
    has_any = bool(facts.scope.count or facts.committed.count or facts.ledger)
    return not has_any and not facts.sprint.has_ended(facts.as_of)


def nothing_left_sentence(facts: Facts) -> str:
    """One sentence for a sprint without open items: what became of its scope.

    Work that was dropped or removed is not done, so it is named as what it is.
    """
    is_over = facts.sprint.has_ended(facts.as_of)
    if facts.scope.count:
        return f"Everything in scope {'was' if is_over else 'is'} done."
    ways_out = [word for cause, word in _WAYS_OUT if facts.total(cause).count]
    head = "Nothing was in scope when it ended" if is_over else "Nothing is in scope now"
    return f"{head}: everything was {' or '.join(ways_out)}." if ways_out else f"{head}."
