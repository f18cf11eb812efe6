"""A sprint's numbers as plain values, ready for JSON: for the `facts` command and for closed sprints."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sprints.calendar import Calendar
from sprints.facts import Amount, Day, Facts, Item, ScopeCause, sum_items
from sprints.numbering import ref

Values = dict[str, object]


def convert_facts(facts: Facts) -> Values:
    """Convert facts to the plain values that docs/facts.md describes."""
    sprint = facts.sprint

    def local(moment: datetime) -> str:
        return sprint.calendar.local(moment).isoformat()

    amounts = {
        "committed": facts.committed,
        **{cause.value: facts.total(cause) for cause in ScopeCause},
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
        "points": {name: convert_number(amount.points) for name, amount in amounts.items()},
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
                "points": convert_number(line.amount.points),
                "count": line.amount.count,
                "event": line.event.event,
                "by": line.event.actor,
                "source": line.event.source.value,
                "delivery": line.event.delivery or None,
            }
            for line in facts.ledger
        ],
        "kept": _amount(facts.kept),
        "carried": _list_values(facts.carried),
        "late": _list_values(facts.late),
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


def parse_days(values: Mapping[str, Any], calendar: Calendar) -> tuple[Day, ...]:
    """Parse the days from plain values of a sprint."""
    days = []
    for row in values["days"]:
        day = date.fromisoformat(row["date"])
        scope = Amount(Decimal(str(row["scope"])), row["count_scope"])
        done = Amount(Decimal(str(row["done"])), row["count_done"])
        days.append(Day(day, calendar.midnight(day + timedelta(days=1)), scope, done))
    return tuple(days)


def list_footnotes(closed: Mapping[str, object], now: Facts) -> list[str]:
    """List the findings since a sprint was closed, a sentence each. The sprint's numbers stay the same."""
    notes = []
    current_values = convert_facts(now)
    for unit in ("points", "count"):
        stored, current = closed[unit], current_values[unit]
        if isinstance(stored, dict) and isinstance(current, dict):
            notes += [
                f"{name} in {unit} would be {current[name]} instead of {stored[name]} according to "
                "what is known now"
                for name in stored
                if current.get(name) != stored[name]
            ]
    states = {item.number: item.state for item in now.items}
    done = closed["done_items"]
    for item in done if isinstance(done, list) else ():
        if states.get(item["number"]) == "open":
            notes.append(f"{ref(item['number'])} was reopened afterwards")
    return notes


def convert_number(value: Decimal) -> int | float:
    """Convert a number to an integer where it is whole, else to a float."""
    return int(value) if value == value.to_integral_value() else float(value)


def _item(item: Item) -> Values:
    return {
        "number": item.number,
        "title": item.title,
        "state": item.state,
        "points": None if item.points is None else convert_number(item.points),
    }


def _amount(amount: Amount) -> Values:
    return {"points": convert_number(amount.points), "count": amount.count}


def _list_values(items: Iterable[Item]) -> Values:
    listed = list(items)
    return {**_amount(sum_items(listed)), "items": [item.number for item in listed]}


def _points(scope: Amount, done: Amount) -> Values:
    return {
        "scope": convert_number(scope.points),
        "done": convert_number(done.points),
        "remaining": convert_number((scope - done).points),
    }


def _counts(scope: Amount, done: Amount) -> Values:
    return {
        "count_scope": scope.count,
        "count_done": done.count,
        "count_remaining": (scope - done).count,
    }
