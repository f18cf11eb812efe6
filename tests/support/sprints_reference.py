"""The definitions of docs/metrics.md again, written to be slow and obvious.

Nothing here folds: each question about an item at a moment is answered by looking back over all that
happened to it before that moment. The product is compared with this on random histories.

Same second: what leaves (demilestoned, unlabeled) comes first, then all else by delivery id; opened and
created come before everything. What changed within a second is what is different after it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from sprints.model import ItemEvent, LabelEvent, MilestoneEvent, State
from sprints.numbering import local_number

Pair = tuple[Decimal, int]  # points, items
Told = Sequence[ItemEvent | LabelEvent]
NOTHING: Pair = (Decimal(0), 0)
LABEL_POINTS = {
    "points: 1": Decimal(1),
    "points: 2": Decimal(2),
    "points: 3": Decimal(3),
    "points: 8": Decimal(8),
    "3 story points": Decimal(3),
    "5 points": Decimal(5),
    "sp/0.5": Decimal("0.5"),
    "points: 0": Decimal(0),
}
# GitHub names no label that was deleted, but shows those that are left.
_SHOWS_ALL_LABELS = {("corrected", None), ("unlabeled", None)}
GONE = {"deleted", "transferred", "converted_to_discussion"}


@dataclass(frozen=True)
class Days:
    """A team's days: its zones, each from a day on, its weekdays, and its holidays."""

    zones: Sequence[tuple[date, tzinfo]]
    weekdays: Iterable[int]
    holidays: Iterable[date]

    def midnight(self, day: date) -> datetime:
        zone = [zone for since, zone in self.zones if since <= day][-1]
        return datetime.combine(day, time(), zone).astimezone(UTC)

    def day_of(self, moment: datetime) -> date:
        """The last day that has begun."""
        there = moment.astimezone(UTC).date()
        near = [there + timedelta(days=n) for n in range(-3, 4)]
        return max(day for day in near if self.midnight(day) <= moment)

    def is_working(self, day: date) -> bool:
        return day.weekday() in set(self.weekdays) and day not in set(self.holidays)


@dataclass(frozen=True)
class Reference:
    start: datetime
    end: datetime | None
    committed: Pair
    scope: Pair
    done: Pair
    kept: Pair
    added: Pair
    removed: Pair
    dropped: Pair
    reestimated: Pair
    days: list[tuple[date, Pair, Pair]]
    ideal: list[tuple[date, Decimal | None]]
    items: list[tuple[int, str, Decimal | None, bool]]
    committed_items: list[int]
    done_items: list[int]
    carried: list[int]
    late: list[int]
    unit: str


def reference(
    milestone: Sequence[MilestoneEvent],
    items: dict[str, tuple[ItemEvent, ...]],
    labels: Sequence[LabelEvent],
    sizes: dict[str, Decimal],
    as_of: datetime,
    days: Days,
) -> Reference:
    start, committed_at, end = frame(milestone, as_of, days)
    until = as_of if end is None else min(as_of, end)
    frozen_at = min(committed_at, until)
    points = LABEL_POINTS | {f"size: {size}": worth for size, worth in sizes.items()}
    world = World(milestone[0].milestone, start, items, labels, points)

    # What changed the scope: before and after each moment at which anything happened.
    causes = dict.fromkeys(("added", "removed", "dropped", "reestimated"), NOTHING)
    moments = {event.at for events in items.values() for event in events} | {label.at for label in labels}
    for moment in moments:
        if frozen_at <= moment < until:
            for item in items:
                cause, amount = world.effect(item, moment)
                if cause:
                    causes[cause] = _plus(causes[cause], amount)

    committed = {item: world.in_scope(item, frozen_at) for item in items}
    left = {item: world.in_scope(item, until) for item in items}
    done = {item: world.in_done(item, until) for item in items}
    open_at_end = [item for item in items if left[item][1] and not done[item][1]]
    has_ended = end is not None and as_of >= end
    listed = sorted(result for item in items if (result := world.shown(item, as_of)))
    counted = [points for _, _, points, is_covered in listed if not is_covered]

    def numbers(chosen: Iterable[str]) -> list[int]:
        return sorted(local_number(items[item][0].snapshot.number) for item in chosen)

    return Reference(
        start=start,
        end=end,
        committed=_sum(committed.values()),
        scope=_sum(left.values()),
        done=_sum(done.values()),
        kept=_sum(committed[item] for item in items if committed[item][1] and done[item][1]),
        days=[(day, world.scope(moment), world.done(moment)) for day, moment in _days(start, until, days)],
        ideal=_ideal(milestone, as_of, days, _sum(committed.values())[0]),
        items=listed,
        committed_items=numbers(item for item in items if committed[item][1]),
        done_items=numbers(item for item in items if done[item][1]),
        carried=numbers(open_at_end) if has_ended else [],
        late=numbers(_late(world, milestone, open_at_end, end, as_of)) if end and has_ended else [],
        unit="count" if counted.count(None) * 10 > len(counted) * 3 else "points",
        **causes,
    )


def _late(
    world: "World",
    milestone: Sequence[MilestoneEvent],
    open_at_end: Sequence[str],
    end: datetime,
    as_of: datetime,
) -> list[str]:
    """Done after the end, before the milestone was closed, but no more than three days later."""
    closed = _closing(_known(milestone, as_of))
    moments = [as_of, end + timedelta(days=3), *([closed] if closed else [])]
    books_closed = min(moments)
    if books_closed <= end:
        return []
    return [item for item in open_at_end if world.is_done_member(item, books_closed)]


# From S to E


def frame(
    milestone: Sequence[MilestoneEvent], as_of: datetime, days: Days
) -> tuple[datetime, datetime, datetime | None]:
    """S, the moment of the commitment, and E, of a milestone whose creation is known."""
    known_items = _known(milestone, as_of)
    created_at, due = known_items[0].created_at, _due(known_items[-1])
    ends = [days.midnight(due + timedelta(days=1))] if due else []
    if (closed_at := _closing(known_items)) is not None:
        ends.append(closed_at)
    end = min(ends, default=None)
    start = created_at
    for index, event in enumerate(known_items):
        if index and end is not None and event.at >= end:
            continue
        stated = _stated(event.description)
        if stated and (due is None or stated <= due):
            start = days.midnight(stated)
    if created_at < start:
        return start, start, end
    return start, days.midnight(days.day_of(created_at) + timedelta(days=1)), end


def _known(milestone: Sequence[MilestoneEvent], as_of: datetime) -> list[MilestoneEvent]:
    data = sorted(milestone, key=lambda e: (e.at, e.event != "created", e.event == "deleted", e.delivery))
    return [event for event in data if event.at < as_of] or data[:1]


def _closing(known_items: Sequence[MilestoneEvent]) -> datetime | None:
    """Since when it is closed. Deleting closes it; a milestone that is closed already stays so."""
    closed_at = None
    for event in known_items:
        if event.event == "opened":
            closed_at = None
        elif event.event == "closed" or (event.event == "deleted" and closed_at is None):
            closed_at = event.at
    return closed_at


def _due(event: MilestoneEvent) -> date | None:
    return event.due_on.astimezone(UTC).date() if event.due_on else None


def _stated(description: str | None) -> date | None:
    for line in (description or "").splitlines():
        if match := re.match(r"^\s*start:\s*(\d{4}-\d\d-\d\d)\s*$", line, re.IGNORECASE):
            try:
                return date.fromisoformat(match[1])
            except ValueError:
                return None
    return None


def _days(start: datetime, until: datetime, days: Days) -> list[tuple[date, datetime]]:
    """Each local date from the start's that began before `until`, with its end or `until`."""
    rows, day = [], days.day_of(start)
    while start < until and days.midnight(day) < until:
        rows.append((day, min(days.midnight(day + timedelta(days=1)), until)))
        day += timedelta(days=1)
    return rows


# The ideal line


def _ideal(
    milestone: Sequence[MilestoneEvent], as_of: datetime, days: Days, committed: Decimal
) -> list[tuple[date, Decimal | None]]:
    """The line at each day's end, of a sprint that has a due date."""
    start, committed_at, end = frame(milestone, as_of, days)
    known_items = _known(milestone, as_of)
    if _due(known_items[-1]) is None or end is None:
        return []
    last = days.day_of(end - timedelta(microseconds=1))
    calendar = [days.day_of(start)]
    while calendar[-1] < last:
        calendar.append(calendar[-1] + timedelta(days=1))
    if calendar[0] > last:
        return []

    def plan(day: date) -> date | None:
        """The due date as it was known at the end of the day; the one of the commitment before that."""
        until = min(max(days.midnight(day + timedelta(days=1)), committed_at), end)
        return _due(
            ([event for event in known_items if event.at < until] or known_items)[
                -1 if until > known_items[0].at else 0
            ]
        )

    plans = [plan(day) for day in calendar]
    line: list[Decimal | None] = []
    for index, day in enumerate(calendar):
        first = index
        while first and plans[first - 1] == plans[index]:
            first -= 1
        is_last_plan = all(later == plans[index] for later in plans[index:])
        target = last if is_last_plan else plans[index]
        if target is None:
            line.append(None)
            continue
        before = [value for value in line[:first] if value is not None]
        begin_value = before[-1] if before else committed
        stretch = [calendar[first] + timedelta(days=n) for n in range((target - calendar[first]).days + 1)]
        steps = [entry for entry in stretch if days.is_working(entry)] or stretch
        passed = [step for step in steps if step <= day]
        line.append(begin_value * (len(steps) - len(passed)) / len(steps) if steps else Decimal(0))
    return list(zip(calendar, line, strict=True))


# Items, from all that happened so far


@dataclass(frozen=True)
class World:
    """A repository's past, asked moment by moment."""

    box: int
    start: datetime
    items: dict[str, tuple[ItemEvent, ...]]
    labels: Sequence[LabelEvent]
    points: dict[str, Decimal]
    pasts: dict[tuple[str, datetime, bool], Told] = field(default_factory=dict)

    def past(self, item: str, moment: datetime, *, with_moment: bool = False) -> Told:
        """What happened to an item before a moment, its labels' changes among it, until it was gone."""
        key = (item, moment, with_moment)
        if key not in self.pasts:
            self.pasts[key] = self._past(*key)
        return self.pasts[key]

    def _past(self, item: str, moment: datetime, with_moment: bool) -> Told:
        own = sorted(self.items[item], key=_order)
        later = [label for label in self.labels if label.at >= own[0].at]
        rest: list[ItemEvent | LabelEvent] = [*own[1:], *later]
        data: Told = [own[0], *sorted(rest, key=_order)]
        data = [event for event in data if event.at < moment or (with_moment and event.at == moment)]
        if not any(isinstance(event, ItemEvent) for event in data):
            return []
        gone = [index for index, event in enumerate(data) if _is_gone_by(event)]
        return data[: gone[0] + 1] if gone else data

    def scope(self, moment: datetime) -> Pair:
        return _sum(self.in_scope(item, moment) for item in self.items)

    def done(self, moment: datetime) -> Pair:
        return _sum(self.in_done(item, moment) for item in self.items)

    def in_scope(self, item: str, moment: datetime, *, with_moment: bool = False) -> Pair:
        pasts = {item: self.past(item, moment, with_moment=with_moment) for item in self.items}
        past = pasts[item]
        if not _is_member(past, self.box) or state_told(past) is State.DROPPED or self._done_before(past):
            return NOTHING
        return NOTHING if self._is_covered(item, pasts) else (self._estimate(past) or Decimal(0), 1)

    def in_done(self, item: str, moment: datetime) -> Pair:
        return self.in_scope(item, moment) if state_told(self.past(item, moment)) is State.DONE else NOTHING

    def is_done_member(self, item: str, moment: datetime) -> bool:
        past = self.past(item, moment)
        return _is_member(past, self.box) and state_told(past) is State.DONE

    def effect(self, item: str, moment: datetime) -> tuple[str | None, Pair]:
        was, now = self.in_scope(item, moment), self.in_scope(item, moment, with_moment=True)
        if was == now:
            return None, NOTHING
        if not was[1]:
            return "added", now
        if now[1]:
            return "reestimated", (now[0] - was[0], 0)
        past = self.past(item, moment, with_moment=True)
        is_given_up = _is_member(past, self.box) and state_told(past) is State.DROPPED
        return ("dropped" if is_given_up else "removed"), was

    def shown(self, item: str, moment: datetime) -> tuple[int, str, Decimal | None, bool] | None:
        pasts = {item: self.past(item, moment) for item in self.items}
        past = pasts[item]
        if not _is_member(past, self.box):
            return None
        state = "done_before_start" if self._done_before(past) else state_told(past).value
        number = local_number(self.items[item][0].snapshot.number)
        return number, state, self._estimate(past), self._is_covered(item, pasts)

    def _estimate(self, past: Told) -> Decimal | None:
        """The label with points that came last; of what is done, when it became so."""
        done = _became_done(past)
        names = borne(past if done is None else past[: done + 1])
        return ([None, *(self.points[name] for name in names if name in self.points)])[-1]

    def _done_before(self, past: Told) -> bool:
        done = _became_done(past)
        if done is None:
            return False
        event = past[done]
        if isinstance(event, ItemEvent) and event.event == "corrected" and event.snapshot.closed_at:
            return min(event.snapshot.closed_at, event.at) < self.start
        return event.at < self.start

    def _is_covered(self, item: str, pasts: dict[str, Told]) -> bool:
        """Whether another item of the milestone tells its work."""
        if not self._is_here(pasts[item]):
            return False
        for other, past in pasts.items():
            if not self._is_here(past) or _is_gone(past):
                continue
            is_child = _parent(past) == item and not self._is_above(other, item, pasts)
            is_closed = not _is_pull_request(past) and _number(past) in _closes(pasts[item])
            if is_child or is_closed:
                return True
        return False

    def _is_above(self, other: str, item: str, pasts: dict[str, Told]) -> bool:
        """Whether going up from the item, parent by parent within the milestone, leads to the other."""
        way = [item]
        while way[-1] != other:
            past = pasts[way[-1]]
            parent = _parent(past)
            if parent not in pasts or parent in way or _is_gone(past) or not self._is_here(pasts[parent]):
                return False
            way.append(parent)
        return True

    def _is_here(self, past: Told) -> bool:
        return _is_member(past, self.box)


def _order(event: ItemEvent | LabelEvent) -> tuple[datetime, int, str]:
    place = {"opened": 0, "demilestoned": 1, "unlabeled": 1}.get(event.event, 2)
    return event.at, place, event.delivery


def _own(past: Told) -> list[ItemEvent]:
    return [event for event in past if isinstance(event, ItemEvent)]


def _is_gone_by(event: ItemEvent | LabelEvent) -> bool:
    return isinstance(event, ItemEvent) and event.event in GONE


def _is_gone(past: Told) -> bool:
    return any(_is_gone_by(event) for event in past)


def _is_member(past: Told, box: int) -> bool:
    """The last that said where it is named this milestone, and it has not left it since."""
    data = _own(past)
    answer = [i for i, e in enumerate(data) if e.event in {"opened", "milestoned", "corrected"}]
    if not answer:
        return False
    last = data[answer[-1]]
    target = last.milestone if last.event == "milestoned" else last.snapshot.milestone
    left = [
        event
        for event in data[answer[-1] + 1 :]
        if event.event == "demilestoned"
        and (event.milestone == box or (event.milestone is None and event.snapshot.milestone is None))
    ]
    return target == box and not left


def state_told(past: Told) -> State:
    """What GitHub tells that an item is."""
    if _is_gone(past):
        return State.DROPPED
    data = [event for event in _own(past) if event.event in {"closed", "reopened", "corrected"}]
    if not data or data[-1].event == "reopened":
        return State.OPEN
    return data[-1].snapshot.state


def _became_done(past: Told) -> int | None:
    """Which event made it done, if it is done: the first of the unbroken row of such events."""
    if state_told(past) is not State.DONE:
        return None
    index = len(past)
    while index and state_told(past[:index]) is State.DONE:
        index -= 1
    return index


def borne(past: Told) -> list[str]:
    """The labels that it bears, in the order in which they came, by the names that they have now."""
    result: list[tuple[int, str]] = []

    def borne_before(end: int) -> list[str]:
        names = [_name_now(name, past[index + 1 : end]) for index, name in result]
        return [name for name in names if name is not None]

    for index, event in enumerate(past):
        if isinstance(event, LabelEvent):
            continue
        came: Sequence[str] = ()
        if event.event == "opened":
            came = event.snapshot.labels
        elif event.event == "labeled" and event.label:
            came = [event.label]
        elif event.event == "corrected":
            had = borne_before(index)
            came = [name for name in event.snapshot.labels if name not in had]
        result += [(index, name) for name in came]
    return borne_before(len(past))


def _name_now(name: str, later: Told) -> str | None:
    """What a label of the item is called after all this; None if the item lost it, or got it anew."""
    for event in later:
        if isinstance(event, LabelEvent):
            if event.name == name and event.event == "deleted":
                return None
            if event.name == name and event.new_name:
                name = event.new_name
            continue
        is_named = event.event in {"labeled", "unlabeled"} and event.label == name
        shows_all = (event.event, event.label) in _SHOWS_ALL_LABELS
        if is_named or (shows_all and name not in event.snapshot.labels):
            return None
    return name


def _parent(past: Told) -> str | None:
    data = [event for event in _own(past) if event.event in {"parent_added", "parent_removed"}]
    added = [index for index, event in enumerate(data) if event.event == "parent_added"]
    if not added:
        return None
    parent = data[added[-1]].named
    return None if any(event.named == parent for event in data[added[-1] + 1 :]) else parent


def _closes(past: Told) -> tuple[int, ...]:
    data = [event.snapshot.closes for event in _own(past) if event.snapshot.closes is not None]
    return tuple(map(local_number, data[-1])) if data else ()


def _is_pull_request(past: Told) -> bool:
    return _own(past)[0].snapshot.is_pull_request


def _number(past: Told) -> int:
    return local_number(_own(past)[0].snapshot.number)


def _plus(pair: Pair, other: Pair) -> Pair:
    return pair[0] + other[0], pair[1] + other[1]


def _sum(pairs: Iterable[Pair]) -> Pair:
    total = NOTHING
    for pair in pairs:
        total = _plus(total, pair)
    return total
