"""From a value to the bytes of its picture, in this process or in a pool's, and the key to keep it under."""

from decimal import Decimal
from hashlib import sha256

from charts.reading import is_over
from sprints.burndown import Burndown

# Counted up with every change that makes the same value look different.
STYLE_VERSION = 1

Picture = Burndown


def render(picture: Picture) -> bytes:
    """The picture as PNG. A function of the module, so that any kind of process pool can call it.

    matplotlib is loaded here and not on import: a process that only hands pictures to a pool and keeps the
    results stays small and starts at once.
    """
    from charts.burndown import draw  # noqa: PLC0415

    return draw(picture)


def warm_up() -> None:
    """A pool's initializer: loads matplotlib and its fonts and draws once, before anybody waits for it."""
    from charts.sample import SAMPLE  # noqa: PLC0415

    render(SAMPLE)


def content_key(burndown: Burndown) -> str:
    """A name for the picture: equal for equal pictures, also in other processes and on other machines.

    It covers what is drawn. `as_of` only counts by whether the sprint is over; so a picture of the same day
    and numbers, asked for an hour later, is found again.
    """
    ghost = [_plain(day.ghost) for day in burndown.days]
    seen: tuple[object, ...] = (
        STYLE_VERSION,
        burndown.unit,
        _plain(burndown.committed),
        burndown.is_day_complete if burndown.latest else None,
        is_over(burndown),
        [
            (
                day.date.isoformat(),
                day.is_working_day,
                _plain(day.remaining),
                _plain(day.scope),
                _plain(day.ideal),
            )
            for day in burndown.days
        ],
    )
    # Only where there is one, so that pictures without keep their names.
    seen = (*seen, ghost) if any(ghost) else seen
    return sha256(repr(seen).encode()).hexdigest()[:32]


def _plain(value: Decimal | None) -> str | None:
    """5, 5.0 and 5E+0 are one number and one picture."""
    return None if value is None else f"{value.normalize() + 0:f}"
