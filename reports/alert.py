"""Texts of alerts: the limits that a sprint has crossed, and the remedies. Pure functions."""

from collections.abc import Sequence
from decimal import Decimal

from charts.reading import number, percent, quantity, signed, unit_word
from commands.formatting.wording import counted, footer, named, plain, weekday
from commands.messages.progress import progress_percent, progress_text
from reports.sticky_comment import waiting_words
from sprints.alerts import BlockedItem, Crossing, DaysLeft, ForecastDrop, HalfWay, ScopeGrowth
from sprints.burndown import measure_amount
from sprints.facts import Facts
from sprints.forecast_wording import in_words
from sprints.ledger import group_ledger
from sprints.numbering import ref

_MOST_NAMED = 10
_LEAST_TIMES = 2
_TIMES = {2: "doubled", 3: "tripled", 4: "quadrupled"}
# Crossings beside which the forecast of the end is shown.
_ABOUT_THE_END = (ScopeGrowth, ForecastDrop, HalfWay, DaysLeft)
_FREQUENCY = "I post each alert once per sprint, and scope growth again each time it doubles"
_SILENCING = "To silence this thread, run `/agile quiet on`"
_LIMITS = "To change the limits, use `alerts` in the settings"


def alert_text(facts: Facts, crossed: Sequence[Crossing], expected: str = "") -> str:
    """Build one comment for all limits crossed at once; the first line is the news.

    `expected` is the forecast of the sprint's end, in words.
    """
    sentences = [_sentence(crossing, facts) for crossing in crossed if not isinstance(crossing, BlockedItem)]
    if blocked := [crossing for crossing in crossed if isinstance(crossing, BlockedItem)]:
        sentences.append(_blocked(blocked))
    if expected and any(isinstance(crossing, _ABOUT_THE_END) for crossing in crossed):
        sentences.append(expected)
    title = f"**{plain(facts.sprint.title)}:** "
    rest = [sentence[0].upper() + sentence[1:] for sentence in sentences[1:]]
    return "\n\n".join([title + sentences[0], *rest, footer(_FREQUENCY, _SILENCING, _LIMITS)])


def _sentence(crossing: Crossing, facts: Facts) -> str:
    match crossing:
        case ScopeGrowth():
            return _scope(facts)
        case ForecastDrop():
            due = f" by {weekday(facts.sprint.due)}" if facts.sprint.due else ""
            return f"it was likely to finish{due}, but now the chance is {in_words(crossing.chance)}."
        case HalfWay():
            verb = "is" if crossing.days_left == 1 else "are"
            left = f"{crossing.days_left} {verb} left"
            return f"half of the working days are over, and {left}. {_progress(facts)}"
        case DaysLeft():
            left = "this is the last working day" if crossing.days_left == 1 else _left(crossing.days_left)
            return f"{left}. {_progress(facts)} {_open(facts)}"
        case _:
            return ""


def _left(days: int) -> str:
    return f"{counted(days, 'working day')} left, including today"


def _scope(facts: Facts) -> str:
    unit = facts.unit
    committed, scope = measure_amount(facts.committed, unit), measure_amount(facts.scope, unit)
    grown = _growth((scope - committed) / committed)
    text = f"the scope has {grown}, from {number(committed)} to {quantity(scope, unit)}."
    lines = [line for line in reversed(group_ledger(facts.ledger)) if measure_amount(line.amount, unit)][:3]
    changes = []
    for line in lines:
        amount = measure_amount(line.amount, unit) * (1 if line.cause in {"added", "reestimated"} else -1)
        numbers = named((change.number for change in line.changes), 5)
        changes.append(f"{numbers} ({signed(amount)} {unit_word(amount, unit)})")
    return f"{text} Latest changes: {', '.join(changes)}." if changes else text


def _growth(share: Decimal) -> str:
    """Say by which `share` of the commitment the scope has grown; from twice on, as a multiple."""
    times, rest = divmod(share + 1, 1)
    if times < _LEAST_TIMES:
        return f"grown by {percent(share)}"
    more = "more than " if rest else ""
    words = _TIMES.get(int(times))
    return f"{more}{words}" if words else f"grown to {more}{times} times the commitment"


def _progress(facts: Facts) -> str:
    share = progress_percent(facts, facts.unit)
    return f"**{progress_text(facts, facts.unit)}**{f' ({share})' if share else ''}."


def _open(facts: Facts) -> str:
    return f"Still open: {named([item.number for item in facts.open_items], _MOST_NAMED)}."


def _blocked(blocked: Sequence[BlockedItem]) -> str:
    if len(blocked) == 1:
        return f"{ref(blocked[0].number)} has been blocked {waiting_words(blocked[0])}."
    lines = [f"- {ref(item.number)} {waiting_words(item)}" for item in blocked[:_MOST_NAMED]]
    if len(blocked) > _MOST_NAMED:
        lines.append(f"- and {len(blocked) - _MOST_NAMED} more")
    return f"{counted(len(blocked), 'item')} have been blocked for a long time:\n" + "\n".join(lines)
