"""A chance in words that promise no more than is known."""


def in_words(chance: float) -> str:
    """A chance (0 to 1) as "7 in 10".

    Only 1 is "certain" and only 0 "impossible"; near them it is "more than 9 in 10" and "less than 1 in 10".
    Raises ValueError for what is no chance.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"a chance lies between 0 and 1, not at {chance}")
    if chance in {0, 1}:
        return "certain" if chance else "impossible"
    return tenth_in_words(tenths(chance))


def tenth_in_words(tenth: int) -> str:
    """What is said for chances of a tenth, as `tenths` counts them."""
    return {0: "less than 1 in 10", 10: "more than 9 in 10"}.get(tenth, f"{tenth} in 10")


def tenths(chance: float) -> int:
    """The tenth that is said for a chance: 0 below 1 in 10, 10 above 9 in 10, else the nearest.

    Halfway between two it is the lower one: who is told "7 in 10" should not have 6.5.
    """
    if not 0.1 <= chance <= 0.9:
        return 10 if chance > 0.9 else 0
    # Through hundredths, because 0.65 × 10 is not always exactly halfway in binary fractions.
    return (round(chance * 100) + 4) // 10
