"""A second opinion: counts of a sprint from recorded deliveries. It shares no code with the product.

It knows what such records have: items that are told from their opening on, milestones that end when they are
closed or at their due date, whichever is first, and no start lines, sub-issues or linked pull requests.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_SAME_SECOND = {"opened": 0, "created": 0, "demilestoned": 1, "unlabeled": 1}


def read(path: Path) -> list[Json]:
    """The deliveries of a file, by GitHub's time."""
    told = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return sorted(
        told, key=lambda one: (_when(one), _SAME_SECOND.get(one["payload"]["action"], 2), one["delivery"])
    )


def boxes(deliveries: Sequence[Json]) -> dict[int, Json]:
    """Each milestone by its number, as it was told of last."""
    return {
        told["milestone"]["number"]: told["milestone"]
        for told in (one["payload"] for one in deliveries if one["event"] == "milestone")
    }


def end_of(box: Json) -> datetime | None:
    """The moment of closing or midnight (UTC) after the due date, whichever is first."""
    closed = _time(box["closed_at"]) if box["closed_at"] else None
    due = _midnight_after(_time(box["due_on"])) if box["due_on"] else None
    return min((moment for moment in (closed, due) if moment), default=None)


def count(deliveries: Sequence[Json], number: int, as_of: datetime) -> Json:
    """How many items were committed, in scope, done and remaining just before `as_of`, and which."""
    box = boxes(deliveries)[number]
    start, end = _time(box["created_at"]), end_of(box)
    now = min(as_of, end) if end else as_of
    begin = _items_at(deliveries, number, min(_midnight_after(start), now))
    here = _items_at(deliveries, number, now)
    scope = {n for n, (state, done_at) in here.items() if state != "dropped" and not _before(done_at, start)}
    done = {n for n in scope if here[n][0] == "done"}
    committed = {
        n for n, (state, done_at) in begin.items() if state != "dropped" and not _before(done_at, start)
    }
    return {
        "committed": len(committed),
        "scope": len(scope),
        "done": len(done),
        "remaining": len(scope - done),
        "open": sorted(scope - done),
        "finished": sorted(done),
    }


def _items_at(
    deliveries: Sequence[Json], number: int, moment: datetime
) -> dict[int, tuple[str, datetime | None]]:
    """State and time of doing of each member of the milestone, from what happened before the moment."""
    home: dict[int, int | None] = {}
    state: dict[int, tuple[str, datetime | None]] = {}
    for one in deliveries:
        payload = one["payload"]
        item = payload.get("issue") or payload.get("pull_request")
        if item is None or _when(one) >= moment:
            continue
        key, at = item["number"], _when(one)
        named = (payload.get("milestone") or item["milestone"] or {}).get("number")
        match payload["action"]:
            case "opened":
                home[key], state[key] = (item["milestone"] or {}).get("number"), ("open", None)
            case "milestoned":
                home[key] = named
            case "demilestoned" if home.get(key) == named:
                home[key] = None
            case "closed":
                dropped = (
                    item.get("state_reason") in {"not_planned", "duplicate"} or item.get("merged") is False
                )
                state[key] = ("dropped", None) if dropped else ("done", at)
            case "reopened":
                state[key] = ("open", None)
    return {key: state[key] for key, where in home.items() if where == number}


def _when(one: Json) -> datetime:
    payload = one["payload"]
    shown = payload.get("issue") or payload.get("pull_request") or payload["milestone"]
    field = {"opened": "created_at", "created": "created_at", "closed": "closed_at"}.get(payload["action"])
    return _time(shown[field or "updated_at"])


def _before(moment: datetime | None, start: datetime) -> bool:
    return moment is not None and moment < start


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _midnight_after(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)
