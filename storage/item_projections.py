"""The stored projection of each item: an index over the timeline for reads of the present.

The transaction that records an event computes the projections of its items anew, from all of their events.
A projection holds for one digest of rules (the team's rules, the logins of renamed people, and the version of
the code). With other rules it is stale: readers fold the item's events instead (storage/flows.py), until a
job has computed it anew. So a stale row costs time, but never gives a wrong number.
"""

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import JSON, ColumnElement, Select, Text, bindparam, cast, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from sprints.flows import earlier_life
from sprints.history import LabelHistory
from sprints.item_projection import PROJECTION_VERSION, ItemProjection, previous_id, project_item
from sprints.model import ItemEvent, sort_events
from sprints.numbering import local_number
from sprints.rules import Rules
from storage.database import Tenant
from storage.logins import Logins
from storage.projects import Projects
from storage.tables import item_links, item_projections, projects
from storage.timeline import Timeline

# Between so many items others get their turn on the event loop.
_SLICE = 100
_DECODER = msgspec.json.Decoder(ItemProjection)


class ItemLinkKind:
    """The ways in which an item points to another: the values of `item_links.kind`."""

    CLOSES, PARENT, PREVIOUS = "closes", "parent", "previous"


@dataclass(frozen=True, slots=True)
class Difference:
    """An item whose stored projection is not what its events say."""

    project_id: int
    item: str


def digest_rules(rules: Rules, logins: Logins) -> str:
    """A digest of all that decides an item's projection besides its events."""
    estimates = rules.estimates
    parts = (
        PROJECTION_VERSION,
        sorted((size, str(points)) for size, points in estimates.sizes.items()),
        list(estimates.templates),
        sorted(estimates.done_labels),
        sorted(rules.started_labels),
        sorted(
            (login, [(since.isoformat(), own) for since, own in spans])
            for login, spans in logins.holders.items()
        ),
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def decode(projection: str) -> ItemProjection:
    """Read a stored projection. Raises msgspec.ValidationError for one of another version."""
    return _DECODER.decode(projection)


class ItemFolder:
    """Computes projections from the events of items, as of any moment."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    async def read_events(
        self, project_id: int, items: Collection[str], as_of: datetime | None = None
    ) -> dict[str, list[ItemEvent]]:
        """The ordered events of items of a repository, by node id; with `as_of`, those before it."""
        events = await self._timeline.items_to_fold(items, project_id, as_of)
        return {item: sort_events(item_events) for item, item_events in events.items()}

    async def fold(
        self,
        project_id: int,
        events: Mapping[str, Sequence[ItemEvent]],
        rules: Rules,
        as_of: datetime | None = None,
    ) -> dict[str, ItemProjection]:
        """Compute the projections of a repository's items from their ordered events, all before `as_of`."""
        label_history = await self._label_history(project_id, as_of)
        others = await self._read_earlier(events.values(), as_of)
        projections = dict[str, ItemProjection]()
        for position, (item, item_events) in enumerate(events.items()):
            if position % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            labels, earlier = label_history.find_for(item_events), earlier_life(item_events, others)
            projections[item] = project_item(item_events, rules, labels, earlier)
        return projections

    async def _label_history(self, project_id: int, as_of: datetime | None) -> LabelHistory:
        labels = await self._timeline.labels(project_id)
        return LabelHistory(label for label in labels if as_of is None or label.at < as_of)

    async def _read_earlier(
        self, histories: Iterable[Sequence[ItemEvent]], as_of: datetime | None
    ) -> dict[str, list[ItemEvent]]:
        """The events of items before they were transferred to their present repository, by node id."""
        earlier = dict[str, list[ItemEvent]]()
        wanted = {item for events in histories if (item := previous_id(events))}
        while wanted:
            events_by_item = await self._timeline.items_by_id(wanted)
            past = {item: _before(sort_events(events), as_of) for item, events in events_by_item.items()}
            earlier |= {item: events for item, events in past.items() if events}
            wanted = {item for events in past.values() if events and (item := previous_id(events))}
            wanted -= events_by_item.keys() | earlier.keys()
        return earlier


class ItemProjections:
    """The stored projections of one tenant."""

    def __init__(self, tenant: Tenant, timeline: Timeline) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id
        self._timeline = timeline
        self._folder = ItemFolder(timeline)
        self._log = structlog.get_logger(__name__)

    async def refresh(self, project_id: int, items: Collection[str], rules: Rules) -> None:
        """Compute the projections of these items of a repository anew, from all their recorded events.

        Their rows stay locked until the end of the transaction, so that of two transactions that record
        events of one item the second one sees the events of the first. Items that were transferred from here
        to other repositories are refreshed as well, because their past may have changed.
        """
        waiting, refreshed = {project_id: set(items)}, set[str]()
        while waiting:
            place, names = waiting.popitem()
            if not (names := names - refreshed):
                continue
            project = None if place == project_id else await Projects(self._tenant).get(place)
            await self._refresh(place, names, project.rules if project else rules)
            refreshed |= names
            for later, moved in (await self._list_transferred(names)).items():
                waiting.setdefault(later, set()).update(moved)

    async def _refresh(self, project_id: int, items: Collection[str], rules: Rules) -> None:
        ids = await self._lock(project_id, items)
        digest = digest_rules(rules, await self._timeline.logins())
        events, projections = await self._fold_readable(project_id, items, rules)
        await self._store(ids, digest, events, projections)
        await self._store_links(project_id, events)

    async def mark_relabelled(self, project_id: int, labels: Collection[str]) -> None:
        """Mark the items that ever had one of these labels, which changed for all items at once.

        It waits for the transactions that record events of items here, and later ones wait for it: so neither
        misses the other's events.
        """
        await self._connection.execute(_HOLD_LABELS, {"key": _LABELS_KEY.format(project_id)})
        await self._connection.execute(
            update(item_projections)
            .where(*self._mine(project_id), item_projections.c.labels.overlap(list(labels)))
            .values(rules="")
        )

    async def refresh_stale(self, project_id: int, rules: Rules, most: int) -> int:
        """Compute up to `most` stale projections of a repository anew. Returns how many these were.

        If these are fewer than `most`, the repository is no longer due.
        """
        digest = digest_rules(rules, await self._timeline.logins())
        await self._set_due(project_id, is_due=False)
        stale = select(item_projections.c.item).where(*self._mine(project_id), is_stale(digest)).limit(most)
        items = list(await self._connection.scalars(stale))
        if len(items) == most:  # There may be more.
            await self._set_due(project_id, is_due=True)
        await self.refresh(project_id, items, rules)
        return len(items)

    async def list_unreadable(self, project_id: int, rules: Rules) -> list[str]:
        """List the items whose events could not be folded."""
        digest = digest_rules(rules, await self._timeline.logins())
        query = select(item_projections.c.item).where(
            *self._mine(project_id),
            item_projections.c.rules == digest,
            item_projections.c.is_open,
            item_projections.c.projection.is_(None),
        )
        return list(await self._connection.scalars(query.order_by(item_projections.c.item)))

    async def count_stale(self, project_id: int, rules: Rules) -> int:
        """Count the items whose projections are to be computed anew."""
        digest = digest_rules(rules, await self._timeline.logins())
        query = select(func.count()).select_from(item_projections)
        return int(await self._connection.scalar(query.where(*self._mine(project_id), is_stale(digest))) or 0)

    async def find_differences(self, project_id: int, rules: Rules, most: int) -> list[Difference]:
        """Compare up to `most` stored projections, chosen at random, with the fold of the items' events.

        Those that differ are locked and compared again, because an event may be recorded between two reads.
        """
        digest = digest_rules(rules, await self._timeline.logins())
        query = (
            select(item_projections.c.item, cast(item_projections.c.projection, Text))
            .where(*self._mine(project_id), item_projections.c.rules == digest)
            .where(item_projections.c.projection.is_not(None))
        )
        sample = query.order_by(func.random()).limit(most)
        suspects = await self._list_differing(project_id, sample, rules)
        if not suspects:
            return []
        await self._lock(project_id, suspects)
        again = query.where(item_projections.c.item.in_(suspects))
        return [Difference(project_id, item) for item in await self._list_differing(project_id, again, rules)]

    async def _list_differing(self, project_id: int, query: Select[Any], rules: Rules) -> list[str]:
        """List the items of a query for items and stored projections that differ from their events."""
        stored = {row[0]: row[1] for row in await self._connection.execute(query)}
        events = await self._folder.read_events(project_id, stored.keys())
        folded = await self._folder.fold(project_id, events, rules)
        return [item for item, projection in stored.items() if folded.get(item) != decode(projection)]

    async def _lock(self, project_id: int, items: Collection[str]) -> dict[str, int]:
        """Lock the rows of these items, which are added if they are missing. Returns their ids.

        First it waits for changes of the repository's labels that are being recorded; further ones wait for
        this transaction.
        """
        key = _LABELS_KEY.format(project_id)
        values = {"tenant": self._organization_id, "project": project_id, "items": sorted(items), "key": key}
        await self._connection.execute(_ADD, values)
        return {row.item: row.id for row in await self._connection.execute(_LOCK, values)}

    async def _fold_readable(
        self, project_id: int, items: Collection[str], rules: Rules
    ) -> tuple[dict[str, list[ItemEvent]], dict[str, ItemProjection]]:
        """Read and fold items; an item that cannot be folded stops neither the others nor the recording."""
        try:
            events = await self._folder.read_events(project_id, items)
            return events, await self._folder.fold(project_id, events, rules)
        except DBAPIError:
            raise
        except Exception:  # noqa: BLE001 - a bug with one item; it is found and logged below
            if len(items) == 1:
                self._log.exception("item not projected", project=project_id, item=next(iter(items)))
                return {}, {}
        all_events, projections = dict[str, list[ItemEvent]](), dict[str, ItemProjection]()
        for item in items:
            events, folded = await self._fold_readable(project_id, [item], rules)
            all_events |= events
            projections |= folded
        return all_events, projections

    async def _store(
        self,
        ids: Mapping[str, int],
        digest: str,
        events: Mapping[str, Sequence[ItemEvent]],
        projections: Mapping[str, ItemProjection],
    ) -> None:
        key = {"tenant": self._organization_id, "new_rules": digest}
        rows = [
            {**key, "row": row, **_to_columns(projections.get(item), events.get(item, ()))}
            for item, row in ids.items()
        ]
        await self._connection.execute(_STORE, rows)

    async def _store_links(self, project_id: int, events: Mapping[str, Sequence[ItemEvent]]) -> None:
        links = [
            {
                "organization_id": self._organization_id,
                "project_id": project_id,
                "kind": kind,
                "target": target,
                "item": item,
            }
            for item, item_events in events.items()
            for kind, target in sorted(_all_links(item_events))
        ]
        if links:
            await self._connection.execute(insert(item_links).on_conflict_do_nothing(), links)

    async def _list_transferred(self, items: Collection[str]) -> dict[int, set[str]]:
        """List what items became when they were transferred, by repository."""
        query = select(item_links.c.project_id, item_links.c.item).where(
            item_links.c.organization_id == self._organization_id,
            item_links.c.kind == ItemLinkKind.PREVIOUS,
            item_links.c.target.in_(items),
        )
        transferred = dict[int, set[str]]()
        for project_id, item in (await self._connection.execute(query)).all():
            transferred.setdefault(project_id, set()).add(item)
        return transferred

    async def _set_due(self, project_id: int, *, is_due: bool) -> None:
        await self._connection.execute(
            update(projects)
            .where(projects.c.organization_id == self._organization_id, projects.c.id == project_id)
            .values(projections_due=is_due)
        )

    def _mine(self, project_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (
            item_projections.c.organization_id == self._organization_id,
            item_projections.c.project_id == project_id,
        )


def is_stale(digest: str) -> ColumnElement[bool]:
    """Whether a projection was computed by other rules than those of a digest; written so for the index."""
    return or_(item_projections.c.rules < digest, item_projections.c.rules > digest)


# Held until the transaction ends.
_LABELS_KEY = "labels:{}"
_HOLD_LABELS = text("select pg_advisory_xact_lock(hashtextextended(:key, 0))")
_ADD = text(
    "insert into item_projections (organization_id, project_id, item)"
    " select :tenant, :project, item from unnest(cast(:items as text[])) as item,"
    " (select pg_advisory_xact_lock_shared(hashtextextended(:key, 0)) offset 0) as labels_are_held"
    " on conflict do nothing"
)
# In one order everywhere: two transactions with the same items wait and do not dead-lock.
_LOCK = text(
    "select item, id from item_projections where organization_id = :tenant and project_id = :project"
    " and item = any(cast(:items as text[])) order by item for no key update"
)
_STORE = (
    update(item_projections)
    .where(item_projections.c.organization_id == bindparam("tenant"))
    .where(item_projections.c.id == bindparam("row"))
    .values(
        rules=bindparam("new_rules"),
        **{name: bindparam(f"new_{name}") for name in ("number", "is_open", "done_at", "last_at", "labels")},
        # As text: SQLAlchemy would encode it once more.
        projection=cast(bindparam("new_projection", type_=Text), JSON),
    )
)


def _to_columns(projection: ItemProjection | None, events: Sequence[ItemEvent]) -> dict[str, object]:
    """The values of an item's row. Without a projection it counts as open, so that readers come across it."""
    flow = projection.flow if projection else None
    return {
        "new_number": local_number(events[-1].snapshot.number) if events else None,
        "new_is_open": flow is None or flow.is_open,
        "new_done_at": flow.done_at if flow else None,
        "new_last_at": projection.last_at if projection else None,
        "new_labels": list(projection.label_names) if projection else [],
        "new_projection": msgspec.json.encode(projection).decode() if projection else None,
    }


def _all_links(events: Sequence[ItemEvent]) -> set[tuple[str, str]]:
    """The kind and target of each item that an item ever pointed to."""
    links = {(ItemLinkKind.CLOSES, str(number)) for event in events for number in event.snapshot.closes or ()}
    links |= {
        (ItemLinkKind.PARENT, event.named)
        for event in events
        if event.event in {"parent_added", "parent_removed"} and event.named
    }
    previous = previous_id(events) if events else None
    return links | ({(ItemLinkKind.PREVIOUS, previous)} if previous else set())


def _before(events: list[ItemEvent], as_of: datetime | None) -> list[ItemEvent]:
    return events if as_of is None else [event for event in events if event.at < as_of]
