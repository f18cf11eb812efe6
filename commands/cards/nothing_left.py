"""Why nothing is open in a sprint, in words: all was done, or all left its scope."""

from sprints.facts import Cause, Facts

_WAYS_OUT = ((Cause.DROPPED, "dropped"), (Cause.REMOVED, "removed"))


def nothing_left(facts: Facts) -> str:
    """One sentence for a sprint without open items: what became of its scope.

    Work that was dropped or removed is not done, so it is named as what it is.
    """
    is_over = facts.sprint.has_ended(facts.as_of)
    if facts.scope.count:
        return f"Everything in scope {'was' if is_over else 'is'} done."
    ways_out = [word for cause, word in _WAYS_OUT if facts.total(cause).count]
    head = "Nothing was in scope when it ended" if is_over else "Nothing is in scope now"
    return f"{head}: everything was {' or '.join(ways_out)}." if ways_out else f"{head}."
