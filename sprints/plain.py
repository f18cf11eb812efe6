"""A sprint's numbers as plain values, ready for JSON: what `facts` prints and what a closed sprint keeps."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sprints.calendar import Calendar
from sprints.facts import Amount, Cause, Day, Facts, Item, amount_of
from sprints.numbering import ref

Values = dict[str, object]


def plain(facts: Facts) -> Values:
    """The contract of `facts`: docs/facts.md tells each key."""
    sprint = facts.sprint

    def local(moment: datetime) -> str:
        return sprint.calendar.local(moment).isoformat()

    amounts = {
        "committed": facts.committed,
        **{cause.value: facts.total(cause) for cause in Cause},
        "scope": facts.scope,
        "done": facts.done,
        "remaining": facts.remaining,
    }
    return {
        "milestone": sprint.number,
        "title": sprint.title,
        "start": local(sprint.start),
        "end": local(sprint.end) if sprint.end else None,
        "timezone": str(sprint.calendar.local(facts.as_of).tzinfo),
        "as_of": local(facts.as_of),
        "unit": facts.unit,
        "points": {name: number(amount.points) for name, amount in amounts.items()},
        "count": {name: amount.count for name, amount in amounts.items()},
        "days": [
            {"date": day.date.isoformat(), **_points(day.scope, day.done), **_counts(day.scope, day.done)}
            for day in facts.days
        ],
        "items": [_item(item) for item in facts.items],
        "covered": [item.number for item in facts.items if item.is_covered],
        "committed_items": [_item(item) for item in facts.committed_items],
        "done_items": [_item(item) for item in facts.done_items],
        "changes": [
            {
                "at": local(line.at),
                "number": line.number,
                "cause": line.cause.value,
                "points": number(line.amount.points),
                "count": line.amount.count,
                "event": line.event.event,
                "by": line.event.actor,
                "source": line.event.source.value,
                "delivery": line.event.delivery or None,
            }
            for line in facts.ledger
        ],
        "kept": _amount(facts.kept),
        "carried": _list(facts.carried),
        "late": _list(facts.late),
        "complete": facts.completeness.is_complete,
        "reconstructed_before": (
            local(facts.completeness.reconstructed_before)
            if facts.completeness.reconstructed_before
            else None
        ),
        "first_seen_later": list(facts.completeness.first_seen),
        "gaps": [
            {
                "from": local(gap.began_at),
                "to": local(gap.ended_at) if gap.ended_at else None,
                "cause": gap.cause.value,
                "read_again": gap.is_read_again,
            }
            for gap in facts.completeness.gaps
        ],
    }


def days_of(values: Mapping[str, Any], calendar: Calendar) -> tuple[Day, ...]:
    """The days that `plain` made of a sprint's facts."""
    found = []
    for told in values["days"]:
        day = date.fromisoformat(told["date"])
        scope = Amount(Decimal(str(told["scope"])), told["count_scope"])
        done = Amount(Decimal(str(told["done"])), told["count_done"])
        found.append(Day(day, calendar.midnight(day + timedelta(days=1)), scope, done))
    return tuple(found)


def footnotes(closed: Mapping[str, object], now: Facts) -> list[str]:
    """What has become known since a sprint was closed, a sentence each. Its numbers stay as they were."""
    found = []
    present = plain(now)
    for unit in ("points", "count"):
        was, is_now = closed[unit], present[unit]
        if isinstance(was, dict) and isinstance(is_now, dict):
            found += [
                f"{name} in {unit} would be {is_now[name]} instead of {was[name]} by what is known now"
                for name in was
                if is_now.get(name) != was[name]
            ]
    states = {item.number: item.state for item in now.items}
    done = closed["done_items"]
    for item in done if isinstance(done, list) else ():
        if states.get(item["number"]) == "open":
            found.append(f"{ref(item['number'])} was opened again afterwards")
    return found


def number(value: Decimal) -> int | float:
    """A whole number where it is one."""
    return int(value) if value == value.to_integral_value() else float(value)


def _item(item: Item) -> Values:
    return {
        "number": item.number,
        "title": item.title,
        "state": item.state,
        "points": None if item.points is None else number(item.points),
    }


def _amount(amount: Amount) -> Values:
    return {"points": number(amount.points), "count": amount.count}


def _list(items: Iterable[Item]) -> Values:
    listed = list(items)
    return {**_amount(amount_of(listed)), "items": [item.number for item in listed]}


def _points(scope: Amount, done: Amount) -> Values:
    return {
        "scope": number(scope.points),
        "done": number(done.points),
        "remaining": number((scope - done).points),
    }


def _counts(scope: Amount, done: Amount) -> Values:
    return {
        "count_scope": scope.count,
        "count_done": done.count,
        "count_remaining": (scope - done).count,
    }
