"""Wording of chances and amounts that promises no more precision than there is."""

import math

from sprints.forecast_amounts import Band

# Sums of tenths must not fall short of a scope that they reach.
TOLERANCE = 1e-9


def in_words(chance: float) -> str:
    """Word a chance (0 to 1) as "7 in 10", near the ends as "more than 9 in 10" and "less than 1 in 10".

    No forecast is ever certain, so 0 and 1 have no words of their own. Raises ValueError outside 0 to 1.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"a chance lies between 0 and 1, not at {chance}")
    return tenth_in_words(round_to_tenths(chance))


def finish_in_words(chance: float) -> str:
    """Word the chance to finish a sprint; 1 and 0 are no forecasts but states, and worded as such."""
    return {1.0: "all done", 0.0: "no time left"}.get(chance) or in_words(chance)


def tenth_in_words(tenth: int) -> str:
    """Word a chance in tenths, as `tenths` counts them."""
    return {0: "less than 1 in 10", 10: "more than 9 in 10"}.get(tenth, f"{tenth} in 10")


def round_to_tenths(chance: float) -> int:
    """Round a chance to tenths for wording: 0 below 1 in 10, 10 above 9 in 10, else the nearest.

    Halfway it is the lower one, so that "7 in 10" is never less than 6.5.
    """
    if not 0.1 <= chance <= 0.9:
        return 10 if chance > 0.9 else 0
    # Through hundredths, because 0.65 × 10 is not always exactly halfway in binary fractions.
    return (round(chance * 100) + 4) // 10


def round_band(band: Band, scope: float) -> tuple[int, int, int]:
    """Round P10, P50 and P90 of an amount to whole numbers, each on the same side of the scope as before.

    So no number contradicts the chance beside it, the chance of reaching the scope. P10 and P90 are
    rounded down, as beside the picture, but none below the one before it.
    """
    rounded = ((math.floor, band.p10), (round, band.p50), (math.floor, band.p90))
    low, middle, high = (_keep_side_of_scope(rounding(value), value, scope) for rounding, value in rounded)
    return low, max(low, middle), max(low, middle, high)


def _keep_side_of_scope(whole: int, value: float, scope: float) -> int:
    """Move a rounded number to the side of the scope on which its value is."""
    if value >= scope - TOLERANCE:
        return max(whole, math.ceil(scope - TOLERANCE)) if whole < scope else whole
    return min(whole, math.ceil(scope) - 1)
