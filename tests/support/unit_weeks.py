"""Weeks whose items have estimates or not, for tests of units."""

from datetime import timedelta

from hypothesis import strategies as st

from sprints.facts import Facts
from tests.support.builders import Box, Card, at
from tests.support.forecasts import make_record

ITEM_KINDS = st.lists(st.tuples(st.sampled_from([None, 0, 1, 5]), st.booleans()), min_size=1, max_size=7)


def make_mixed_week(monday: str, kinds: list[tuple[int | None, bool]], as_of: str = "12-31") -> Facts:
    """Make a sprint from Monday to Friday: of each item its estimate, and whether it is done."""
    start = at(f"2026-{monday}")
    cards = []
    for n, (points, is_done) in enumerate(kinds):
        labels = [] if points is None else [f"points: {points}"]
        card = Card(n + 1).opened(start - timedelta(days=2), *labels).joined(start - timedelta(days=1))
        cards.append(card.closed(start + timedelta(hours=10 + 12 * n)) if is_done else card)
    friday = (start + timedelta(days=4)).date().isoformat()
    return Box(start - timedelta(days=3), start=f"{start:%m-%d}", due=friday).facts(*cards, as_of=as_of)


MONDAYS = ["09-07", "09-14", "09-21", "09-28", "10-05", "10-12"]


UNIT_RECORDS = tuple(
    make_record(make_mixed_week(monday, [(2, n < done) for n in range(5)]))
    for monday, done in zip(MONDAYS, (5, 4, 5, 3, 4, 5), strict=True)
)


MOMENTS = st.sampled_from(["11-09 12:00", "11-11 12:00", "11-13 12:00", "11-14 12:00"])


def make_running_mixed_week(kinds: list[tuple[int | None, bool]], as_of: str) -> Facts:
    """Make the running week of a given mix of items."""
    return make_mixed_week("11-09", kinds, as_of)
