"""Read estimates as people write them: `5`, `5 points`, `0,5`, `½`, `XL`, and batches such as `2x5`."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal

from commands.framework.errors import Fault, Reading, ValueFaultError
from commands.framework.plain_input import simplify

MOST_POINTS, MOST_ITEMS = Decimal(9999), 100
# Longer numbers are too large anyway, and Python would take long for thousands of digits.
_LONGEST_NUMBER = 20
_LONGEST_SIZE = 40
_UNIT = r"(?:story[ -]?)?points?|story[ -]?pts?|pts?|p|sp"
_WITH_UNIT = re.compile(rf"(?:(?:to|as|at|=|:|estimate:?) ?)?(?P<amount>.+?) ?(?:{_UNIT})?")
_UNIT_FIRST = re.compile(rf"(?:{_UNIT}) ?[:=]? ?(?P<amount>[\d.,]+)")
_NUMBER = re.compile(r"(?P<minus>-)?(?P<number>\d+(?:[.,]\d*)?|[.,]\d+)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{3})+")
_FRACTION = re.compile(r"(?:(?P<whole>\d+) )?(?P<top>\d+)/(?P<bottom>[1-9]\d*)")
_VULGAR = re.compile(r"(?P<whole>\d*) ?(?P<part>[¼½¾⅐-⅞])(?![\d.,])")
_NOTHING = {"none", "no estimate", "unestimated", "nothing"}
_COUNT = re.compile(r"(?P<count>\d{1,9}) ?[x×*] ?(?P<size>.+)")

_ITEMS = re.compile(
    r"(?P<count>\d{1,9}) ?(?:more |new )?(?:items?|issues?|tickets?)(?: (?:of|with|at|x) (?P<size>.+))?"
)


def read_estimate(text: str, sizes: Mapping[str, Decimal]) -> Decimal | None:
    """The points of an estimate; None for `none`. Raises ValueFaultError for anything else."""
    return None if simplify(text) in _NOTHING else read_points(text, sizes)


def read_points(text: str, sizes: Mapping[str, Decimal]) -> Decimal:
    """The points that a number or one of the team's sizes stands for. Raises ValueFaultError."""
    if len(text) > _LONGEST_SIZE:
        raise ValueFaultError(Fault.INVALID)
    if (points := _find_size(text, sizes)) is not None:
        return points
    plain = simplify(_expand_fraction(text))
    match = _UNIT_FIRST.fullmatch(plain) or _WITH_UNIT.fullmatch(plain)
    amount = match["amount"] if match else plain
    if (points := _find_size(amount, sizes)) is not None:
        return points
    if fraction := _FRACTION.fullmatch(amount):
        value = Decimal(fraction["top"]) / Decimal(fraction["bottom"]) + int(fraction["whole"] or 0)
        return _require_possible(value)
    if _THOUSANDS.fullmatch(unsigned := amount.removeprefix("-")):
        readings = tuple(_list_readings(unsigned))
        if not readings:
            raise _too_large()
        raise ValueFaultError(Fault.AMBIGUOUS if len(readings) > 1 else Fault.TOO_PRECISE, readings)
    number = _NUMBER.fullmatch(amount)
    if number is None:
        is_size = re.fullmatch(r"x{0,4}[sml]|x{0,3}[sl]|\d?x[sl]", amount) is not None
        raise ValueFaultError(
            Fault.NO_SIZES if is_size and not sizes else Fault.INVALID,
            detail=amount.upper() if is_size else "",
        )
    if len(number["number"]) > _LONGEST_NUMBER:
        raise _too_large()
    value = _require_possible(Decimal(number["number"].replace(",", ".")))
    if number["minus"] and value:
        raise ValueFaultError(Fault.NEGATIVE, (Reading(number["number"]),))
    return value


def read_batch(text: str, sizes: Mapping[str, Decimal]) -> tuple[Decimal | None, int | None]:
    """A size and the number of its items; either is None if it is not given, as in `8` and `3 items`.

    Raises ValueFaultError.
    """
    if len(text) > _LONGEST_SIZE:
        raise ValueFaultError(Fault.INVALID)
    match = _COUNT.fullmatch(simplify(text)) or _ITEMS.fullmatch(simplify(text))
    if match is None:
        return read_points(text, sizes), None
    count = int(match["count"])
    if not 1 <= count <= MOST_ITEMS:
        raise ValueFaultError(Fault.INVALID)
    return read_points(match["size"], sizes) if match["size"] else None, count


def _find_size(text: str, sizes: Mapping[str, Decimal]) -> Decimal | None:
    return sizes.get(text.strip().upper(), sizes.get(simplify(text).upper()))


def _expand_fraction(text: str) -> str:
    """Write `½` as 0.5 and `1½` as 1.5."""
    match = _VULGAR.search(text)
    if match is None:
        return text
    value = Decimal(str(unicodedata.numeric(match["part"]))) + int(match["whole"] or 0)
    return f"{text[: match.start()]}{value}{text[match.end() :]}"


def _list_readings(number: str) -> list[Reading]:
    """What `1,000` may mean: a thousand, or one with three decimal places."""
    values = {re.sub(r"[.,]", "", number)}
    if len(parts := re.split(r"[.,]", number)) == 2:
        values.add(f"{Decimal('.'.join(parts)).normalize():f}")
    return [
        Reading(value, f"{Decimal(value):,} {'point' if value == '1' else 'points'}")
        for value in sorted(values, key=Decimal)
        if Decimal(value) <= MOST_POINTS and Decimal(value) == round(Decimal(value), 2)
    ]


def _require_possible(points: Decimal) -> Decimal:
    if points > MOST_POINTS:
        raise _too_large()
    if points != round(points, 2):
        raise ValueFaultError(Fault.TOO_PRECISE)
    return points


def _too_large() -> ValueFaultError:
    return ValueFaultError(Fault.TOO_LARGE, detail=f"{MOST_POINTS:,}")
