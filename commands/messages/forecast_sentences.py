"""Sentences about the chance to finish a sprint, items to remove, and the amount that will be done."""

from decimal import Decimal

from charts.reading import number, quantity, unit_word
from commands.formatting.wording import counted, weekday
from commands.messages.nothing_left import nothing_left_sentence
from commands.messages.progress import without_points_text
from sprints.burndown import measure_amount
from sprints.facts import Amount
from sprints.forecast import Forecast
from sprints.forecast_wording import in_words, round_band, round_to_tenths
from sprints.numbering import Number, ref, split_number
from sprints.outlook import Outlook, choose_units
from sprints.what_if import without_items

# The smallest rise of the chance for which a swap is suggested, and the most items to take out.
_WORTH_SAYING, _MOST_TAKEN_OUT = 0.1, 2


def chance_sentence(outlook: Outlook, forecast: Forecast) -> str:
    """The chance to finish the sprint, with the unit where it might surprise."""
    facts = outlook.facts
    due = facts.sprint.due
    if not facts.remaining.count:
        return "Everything in the sprint is done." if facts.scope.count else nothing_left_sentence(facts)
    if due is None:
        return ""
    left, others = measure_amount(facts.remaining, outlook.unit), _without_points(outlook)
    is_one = left == 1 and not others
    be = "is" if is_one else "are"
    if forecast.chance <= 0:
        return f"**No working days are left** for the {quantity(left, outlook.unit)}{others} that {be} open."
    chance = in_words(forecast.chance).capitalize()
    work = unit_word(left, outlook.unit) if is_one else f"{quantity(left, outlook.unit)}{others}"
    sentence = f"**{chance}** chance that the remaining {work} {be} done by {weekday(due)}."
    return f"{sentence} {_why_items(outlook)}".strip()


def _without_points(outlook: Outlook) -> str:
    """The open items worth no points, as an addition to an amount in points."""
    hides_any = outlook.unit == "points" and not all(item.points for item in outlook.facts.open_items)
    return f" and {without_points_text(outlook.facts)}" if hides_any else ""


def _why_items(outlook: Outlook) -> str:
    """Explain why an estimated sprint is forecast in items."""
    if outlook.unit == "points" or "points" not in choose_units(outlook.facts, outlook.past):
        return ""
    items = [item for item in outlook.facts.open_items if not item.points]
    has = "has" if len(items) == 1 else "have"
    lack = "no estimate" if all(item.points is None for item in items) else "no points"
    return f"{counted(len(items), 'open item')} {has} {lack}, so this forecast counts items."


def swap_sentence(outlook: Outlook, forecast: Forecast) -> str:
    """The items to take out, where that raises the chance by a tenth. Never all of the sprint."""
    sizes, points = open_sizes(outlook), open_points(outlook)
    if not 0 < forecast.chance < 1 - _WORTH_SAYING:
        return ""
    order = sorted(sizes, key=lambda n: (-sizes[n], -points[n], split_number(n)))
    for count in range(1, min(_MOST_TAKEN_OUT + 1, len(order))):
        numbers = order[:count]
        changed = without_items(outlook.facts, numbers)
        chance = outlook.chance_of(changed) if changed.remaining.count else None
        if chance is not None and _is_worth_saying(forecast.chance, chance):
            reason = _swap_reason(points[numbers[-1]], points[order[count]], count)
            return f"Taking out {' and '.join(map(ref, numbers))}{reason}, would make it {in_words(chance)}."
    return ""


def _is_worth_saying(before: float, after: float) -> bool:
    """Whether the chance rises by a tenth, in numbers and in the words for it."""
    return after >= before + _WORTH_SAYING and round_to_tenths(after) > round_to_tenths(before)


def _swap_reason(smallest: Decimal, next_one: Decimal, count: int) -> str:
    """Explain why these items are to be removed, by their points and those of the next largest one."""
    if smallest > next_one:
        return ", the largest open item" if count == 1 else ", the two largest open items"
    if not smallest:
        return ", for example"
    return f", {'one' if count == 1 else 'two'} of the largest open items"


def open_sizes(outlook: Outlook) -> dict[Number, Decimal]:
    """The open items of the sprint by number, with their size in the outlook's unit."""
    return {
        item.number: measure_amount(Amount(item.points or Decimal(0), 1), outlook.unit)
        for item in outlook.facts.open_items
    }


def open_points(outlook: Outlook) -> dict[Number, Decimal]:
    """The open items of the sprint by number, with their points; 0 without an estimate."""
    return {item.number: item.points or Decimal(0) for item in outlook.facts.open_items}


def band_sentence(outlook: Outlook, forecast: Forecast) -> str:
    """The expected amount and its bounds. Anything above the scope is work yet to be added."""
    unit, scope = outlook.unit, measure_amount(outlook.facts.scope, outlook.unit)
    low, middle, high = round_band(forecast.delivered, float(scope))
    more = f" Anything above {number(scope)} is work added until then." if high > scope else ""
    if low == high:
        are = "is" if low == 1 else "are"
        return f"At the end {quantity(Decimal(low), unit)} {are} expected to be done.{more}"
    return (
        f"At the end about {quantity(Decimal(middle), unit)} {'is' if middle == 1 else 'are'} expected to be "
        f"done; 8 in 10 times it is between {number(Decimal(low))} and {number(Decimal(high))}.{more}"
    )
