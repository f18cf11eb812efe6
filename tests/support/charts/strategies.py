"""Any burndown that the domain can produce, for property tests."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from sprints.burndown import Burndown, BurndownDay
from sprints.calendar import Calendar

AMOUNTS = st.decimals(min_value=0, max_value=5000, places=2)


@st.composite
def burndowns(draw: st.DrawFn, longest: int = 500) -> Burndown:
    start = draw(st.dates(min_value=date(2008, 1, 1), max_value=date(2060, 1, 1)))
    length = draw(st.integers(0, 40) | st.integers(0, longest))
    is_open_ended = draw(st.booleans())
    known_days = length if is_open_ended else draw(st.integers(0, length))
    committed = draw(AMOUNTS)
    # A few values in turn are as good as a value for each day, and much faster to make.
    scopes = draw(st.lists(AMOUNTS, min_size=1, max_size=6))
    shares = draw(
        st.lists(st.sampled_from([Decimal(0), Decimal("0.25"), Decimal(1)]), min_size=1, max_size=6)
    )
    # Perhaps the due date was moved once, and a first plan is left over.
    ghosts = (
        range(*sorted(draw(st.tuples(st.integers(0, 40), st.integers(0, 40))))) if draw(st.booleans()) else ()
    )
    days = list[BurndownDay]()
    for i in range(max(length, 1) if is_open_ended else length):
        day = start + timedelta(days=i)
        scope = scopes[i // 3 % len(scopes)]
        done = (scope * shares[i % len(shares)]).quantize(Decimal("0.01"))
        ideal = None if is_open_ended else committed * (length - i - 1) / length
        ghost = None if ideal is None or i not in ghosts else ideal / 2
        if i < known_days:
            days.append(
                BurndownDay(day, Calendar().is_working_day(day), scope - done, scope, done, ideal, ghost)
            )
        else:
            days.append(BurndownDay(day, Calendar().is_working_day(day), None, None, None, ideal, ghost))
    seen = start + timedelta(days=known_days + draw(st.integers(-1, 3)))
    as_of = datetime.combine(seen, time(draw(st.integers(0, 23))), UTC)
    unit = draw(st.sampled_from(["points", "count"]))
    return Burndown(unit, committed, tuple(days), as_of, is_open_ended, draw(st.booleans()))
