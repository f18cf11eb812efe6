"""The definitions of docs/metrics.md again, written to be slow and obvious.

Nothing here folds: each question about an item at a moment is answered by looking back over all that
happened to it before that moment. The product is compared with this on random histories.

Same second: what leaves (demilestoned, unlabeled) comes first, then all else by delivery id; opened and
created come before everything.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from sprints.model import ItemEvent, MilestoneEvent, State

Pair = tuple[Decimal, int]  # points, items
NOTHING: Pair = (Decimal(0), 0)
LABEL_POINTS = {
    "points: 1": Decimal(1),
    "points: 3": Decimal(3),
    "5 points": Decimal(5),
    "sp/0.5": Decimal("0.5"),
    "points: 0": Decimal(0),
}


@dataclass(frozen=True)
class Reference:
    start: datetime
    end: datetime | None
    committed: Pair
    scope: Pair
    done: Pair
    added: Pair
    removed: Pair
    dropped: Pair
    reestimated: Pair
    days: list[tuple[date, Pair, Pair]]
    items: list[tuple[int, str, Decimal | None]]
    unit: str


def reference(
    milestone: Sequence[MilestoneEvent],
    items: dict[str, tuple[ItemEvent, ...]],
    as_of: datetime,
    zone: tzinfo,
) -> Reference:
    start, committed_at, end = frame(milestone, as_of, zone)
    box = milestone[0].milestone
    until = as_of if end is None else min(as_of, end)
    committed_at = min(committed_at, until)
    told = [sorted(events, key=_item_order) for events in items.values()]

    def scope(moment: datetime) -> Pair:
        return _sum(_in_scope(_before(events, moment), box, start) for events in told)

    def done(moment: datetime) -> Pair:
        return _sum(_in_done(_before(events, moment), box, start) for events in told)

    causes = dict.fromkeys(("added", "removed", "dropped", "reestimated"), NOTHING)
    for events in told:
        for index, event in enumerate(events):
            if committed_at <= event.at < until:
                cause, amount = _effect(events[:index], events[: index + 1], box, start)
                if cause:
                    causes[cause] = _plus(causes[cause], amount)
    shown = [_shown(_before(events, as_of), box, start) for events in told]
    listed = sorted(item for item in shown if item)
    not_estimated = sum(points is None for _, _, points in listed)
    return Reference(
        start=start,
        end=end,
        committed=scope(committed_at),
        scope=scope(until),
        done=done(until),
        days=[(day, scope(moment), done(moment)) for day, moment in _days(start, until, zone)],
        items=listed,
        unit="count" if not_estimated * 10 > len(listed) * 3 else "points",
        **causes,
    )


# From S to E


def frame(
    milestone: Sequence[MilestoneEvent], as_of: datetime, zone: tzinfo
) -> tuple[datetime, datetime, datetime | None]:
    """S, the moment of the commitment, and E, of a milestone whose creation is known."""
    told = sorted(milestone, key=lambda e: (e.at, e.event != "created", e.delivery))
    known = [event for event in told if event.at < as_of] or told[:1]
    created_at, due_on = known[0].created_at, known[-1].due_on
    due = due_on.astimezone(UTC).date() if due_on else None
    ends = [_midnight(due + timedelta(days=1), zone)] if due else []
    if (closed_at := _closing(known)) is not None:
        ends.append(closed_at)
    end = min(ends, default=None)
    start = created_at
    for index, event in enumerate(known):
        if index and end is not None and event.at >= end:
            continue
        stated = _stated(event.description)
        if stated and (due is None or stated <= due):
            start = _midnight(stated, zone)
    if created_at < start:
        return start, start, end
    return start, _midnight(created_at.astimezone(zone).date() + timedelta(days=1), zone), end


def _closing(known: Sequence[MilestoneEvent]) -> datetime | None:
    """Since when it is closed. Deleting closes it; a milestone that is closed already stays so."""
    closed_at = None
    for event in known:
        if event.event == "opened":
            closed_at = None
        elif event.event == "closed" or (event.event == "deleted" and closed_at is None):
            closed_at = event.at
    return closed_at


def _stated(description: str | None) -> date | None:
    for line in (description or "").splitlines():
        if match := re.match(r"^\s*start:\s*(\d{4}-\d\d-\d\d)\s*$", line, re.IGNORECASE):
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                return None
    return None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _days(start: datetime, until: datetime, zone: tzinfo) -> list[tuple[date, datetime]]:
    """Each local date from the start's that began before `until`, with its end or `until`."""
    rows, day = [], start.astimezone(zone).date()
    while start < until and _midnight(day, zone) < until:
        rows.append((day, min(_midnight(day + timedelta(days=1), zone), until)))
        day += timedelta(days=1)
    return rows


# An item, from all that happened to it so far


def _item_order(event: ItemEvent) -> tuple[datetime, int, str]:
    place = {"opened": 0, "demilestoned": 1, "unlabeled": 1}.get(event.event, 2)
    return event.at, place, event.delivery


def _before(events: Sequence[ItemEvent], moment: datetime) -> list[ItemEvent]:
    return [event for event in events if event.at < moment]


def _is_member(past: Sequence[ItemEvent], box: int) -> bool:
    """It last joined this milestone, and has not left it since."""
    joined = None
    for index, event in enumerate(past):
        if event.event == "milestoned" or (event.event == "opened" and event.snapshot.milestone):
            joined = index
    if joined is None:
        return False
    target = past[joined].milestone or past[joined].snapshot.milestone
    left = any(e.event == "demilestoned" and e.milestone == box for e in past[joined + 1 :])
    return target == box and not left


def _state(past: Sequence[ItemEvent]) -> State:
    told = [event for event in past if event.event in {"closed", "reopened"}]
    if not told or told[-1].event == "reopened":
        return State.OPEN
    return told[-1].snapshot.state


def _became_done(past: Sequence[ItemEvent]) -> int | None:
    """Which event made it done, if it is done: the first of the unbroken row of such closings."""
    if _state(past) is not State.DONE:
        return None
    index = len(past)
    while index and _state(past[:index]) is State.DONE:
        index -= 1
    return index


def _labels_estimate(past: Sequence[ItemEvent]) -> Decimal | None:
    """The label with points that came last among those that are still there."""
    newest, found = (-1, -1), None
    for label, points in LABEL_POINTS.items():
        came, went = (-1, -1), -1
        for index, event in enumerate(past):
            if event.event == "opened" and label in event.snapshot.labels:
                came = (index, event.snapshot.labels.index(label))
            elif event.event == "labeled" and event.label == label:
                came = (index, 0)
            elif event.event == "unlabeled" and event.label == label:
                went = index
        if came[0] > went and came > newest:
            newest, found = came, points
    return found


def _estimate(past: Sequence[ItemEvent]) -> Decimal | None:
    done = _became_done(past)
    return _labels_estimate(past if done is None else past[:done])


def _done_before(past: Sequence[ItemEvent], start: datetime) -> bool:
    done = _became_done(past)
    return done is not None and past[done].at < start


def _in_scope(past: Sequence[ItemEvent], box: int, start: datetime) -> Pair:
    if not past or not _is_member(past, box) or _state(past) is State.DROPPED or _done_before(past, start):
        return NOTHING
    return _estimate(past) or Decimal(0), 1


def _in_done(past: Sequence[ItemEvent], box: int, start: datetime) -> Pair:
    return _in_scope(past, box, start) if _state(past) is State.DONE else NOTHING


def _effect(
    before: Sequence[ItemEvent], after: Sequence[ItemEvent], box: int, start: datetime
) -> tuple[str | None, Pair]:
    was, now = _in_scope(before, box, start), _in_scope(after, box, start)
    if was == now:
        return None, NOTHING
    if not was[1]:
        return "added", now
    if now[1]:
        return "reestimated", (now[0] - was[0], 0)
    return ("dropped" if _is_member(after, box) else "removed"), was


def _shown(past: Sequence[ItemEvent], box: int, start: datetime) -> tuple[int, str, Decimal | None] | None:
    if not past or not _is_member(past, box):
        return None
    state = "done_before_start" if _done_before(past, start) else _state(past).value
    return past[-1].snapshot.number, state, _estimate(past)


def _plus(one: Pair, other: Pair) -> Pair:
    return one[0] + other[0], one[1] + other[1]


def _sum(pairs: Iterable[Pair]) -> Pair:
    total = NOTHING
    for pair in pairs:
        total = _plus(total, pair)
    return total
