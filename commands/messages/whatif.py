"""The answer of `/whatif`: the effect of a decision on the forecast."""

from dataclasses import dataclass, field

from charts.reading import whole
from commands.formatting.wording import footer, plain, weekday
from commands.messages.forecast import finish_sentence
from commands.messages.nothing_left import is_empty
from sprints.facts import Facts


@dataclass(slots=True)
class WhatIfDecision:
    """A decision under test: the facts that would result, its description, and notes on it."""

    facts: Facts
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def more_items(count: int) -> str:
    """The number of added items: one more item, 3 more items."""
    return "one more item" if count == 1 else f"{whole(count)} more items"


def whatif_card(facts: Facts, decision: WhatIfDecision, before: float | None, after: float) -> str:
    """The chance to finish before and after a decision."""
    changed, due = decision.facts, facts.sprint.due
    by = f" by {weekday(due)}" if due and changed.sprint.due == due else ""
    lead = f"**{plain(facts.sprint.title)}**, {' and '.join(decision.words)}: "
    if changed.scope.count:
        lead += finish_sentence(before, after, by, is_empty=is_empty(facts))
    else:
        lead += "nothing is in it yet." if is_empty(facts) else "nothing is left in the sprint."
    notes = decision.notes
    if not changed.sprint.has_begun(facts.as_of):
        notes = [*notes, f"It has not started; it starts on {weekday(changed.sprint.first_day)}."]
    return f"{' '.join([lead, *notes])}\n\n{footer('Nothing has been changed')}"
