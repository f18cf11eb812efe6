import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from multiprocessing import get_context

from hypothesis import given

from charts.burndown import draw
from charts.render import compute_content_key, render, warm_up
from charts.sample import SAMPLE
from sprints.burndown import Burndown
from tests.support.charts.strategies import burndowns


def test_draws_in_a_pool_as_it_does_here() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=warm_up) as pool:
        assert pool.submit(render, SAMPLE).result() == draw(SAMPLE)


def test_a_process_that_only_hands_pictures_over_does_not_load_matplotlib() -> None:
    code = "import sys, charts.render, charts.alt_text, charts.mermaid; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_key_stays_while_nothing_visible_changes() -> None:
    later = replace(SAMPLE, as_of=SAMPLE.as_of + timedelta(hours=3, seconds=7))
    elsewhere = replace(SAMPLE, as_of=SAMPLE.as_of.astimezone(timezone(timedelta(hours=2))))
    written_otherwise = replace(SAMPLE, committed=Decimal("34.00"))
    keys = {compute_content_key(value) for value in (SAMPLE, later, elsewhere, written_otherwise)}
    assert keys == {"184bd358c048cd1c41b2d882737798b1"}
    assert draw(later) == draw(written_otherwise) == draw(SAMPLE)


def test_key_changes_with_what_is_seen() -> None:
    one_less = replace(SAMPLE.days[3], remaining=Decimal(28))
    others = [
        SAMPLE,
        replace(SAMPLE, unit="count"),
        replace(SAMPLE, committed=Decimal(35)),
        replace(SAMPLE, days=SAMPLE.days[:-1]),
        replace(SAMPLE, days=(*SAMPLE.days[:3], one_less, *SAMPLE.days[4:])),
        replace(SAMPLE, is_day_complete=True),
        replace(SAMPLE, days=(*SAMPLE.days[:-1], replace(SAMPLE.days[-1], ghost=Decimal(1)))),
    ]
    assert len({compute_content_key(value) for value in others}) == len(others)


def test_key_knows_when_a_sprint_closed_within_its_last_day_is_over() -> None:
    closed = replace(SAMPLE, days=SAMPLE.days[:8])
    next_day = replace(closed, as_of=datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert compute_content_key(closed) != compute_content_key(next_day)
    assert draw(closed) != draw(next_day)


@given(burndowns())
def test_key_is_a_short_name(value: Burndown) -> None:
    assert len(compute_content_key(value)) == 32
    assert compute_content_key(value) == compute_content_key(replace(value))
