"""Reads the flows of a repository's items from their projections, by windows that an index can find.

A projection holds at a moment if it is not stale and has no later event; for any other item its events are
folded. So the flows as of any moment are those that `build_flows` of sprints/flows.py would compute from the
whole history, and cost only what the window holds.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text

from sprints.flow import Flow
from sprints.flows import assemble_flows
from sprints.item_projection import ItemProjection
from sprints.numbering import Number, split_number
from sprints.rules import Rules
from storage.database import Tenant
from storage.item_projections import ItemFolder, ItemLinkKind, decode, digest_rules
from storage.projects import Project, Projects
from storage.timeline import Timeline

# So many rows are read, or items folded, before others get their turn on the event loop.
_ROWS, _ITEMS = 1000, 100


@dataclass(frozen=True, slots=True)
class _Key:
    """An item of one repository: the id of its project, and its node id."""

    project_id: int
    item: str


_Projections = dict[_Key, ItemProjection]


@dataclass(slots=True)
class _ProjectionsRead:
    """Projections as of a moment, and the items that were looked at (some had no event yet by then)."""

    projections: _Projections = field(default_factory=dict)
    seen: set[_Key] = field(default_factory=set)


class Flows:
    """The flows of one repository's items, and of those of the repositories that share its sprints."""

    def __init__(self, tenant: Tenant, project: Project, timeline: Timeline | None = None) -> None:
        """A `timeline` whose labels and logins are read already is shared."""
        self._tenant = tenant
        self._connection = tenant.connection
        self.project = project
        self._names = {
            member.id: "" if member.id == project.id else member.full_name or ""
            for member in project.sharing or (project,)
        }
        self._timeline = timeline or Timeline(tenant)
        self._folder = ItemFolder(self._timeline)
        self._rules = dict.fromkeys(self._names, project.rules)
        self._digests = dict[int, str]()

    async def active(self, since: datetime, as_of: datetime) -> tuple[Flow, ...]:
        """The flows as of a moment of all items that are open or had an event at or after `since`.

        For the present: everything that happened after `as_of` is looked at, too.
        """
        return await self._read(_ACTIVE, as_of, since=min(since, as_of))

    async def moved(self, since: datetime, as_of: datetime) -> tuple[Flow, ...]:
        """The flows as of a moment of all items that, or whose labels, had an event in `[since, as_of)`.

        For a moment in the past: what happened after it is not looked at.
        """
        renamed = {
            name
            for project_id in self._names
            for label in await self._timeline.labels(project_id)
            if since <= label.at < as_of
            for name in (label.name, label.new_name)
        }
        return await self._read(_MOVED, as_of, since=since, renamed=[name for name in renamed if name])

    async def of_items(self, items: Collection[str], as_of: datetime) -> tuple[Flow, ...]:
        """The flows of the items with these node ids as of a moment; of those that had an event by then."""
        return await self._read(_BY_ITEM, as_of, items=list(items)) if items else ()

    async def of_numbers(self, numbers: Collection[Number], as_of: datetime) -> tuple[Flow, ...]:
        """The flows of the items with these numbers as of a moment.

        Where two items had one number, because one was deleted, both are returned.
        """
        wanted = {split_number(number)[1] for number in numbers}
        flows = await self._read(_BY_NUMBER, as_of, numbers=list(wanted)) if wanted else ()
        return tuple(flow for flow in flows if flow.number in set(numbers))

    async def closing(self, items: Collection[str], as_of: datetime) -> tuple[Flow, ...]:
        """The flows of these items as of a moment, and of all pull requests that ever closed one of them."""
        if not items:
            return ()
        numbers = await self._select(_NUMBERS, items=list(items), projects=list(self._names))
        targets = [str(row.number) for row in numbers if row.number is not None]
        return await self._read(_WITH_CLOSING, as_of, items=list(items), issues=targets)

    async def done_within(self, since: datetime, until: datetime, as_of: datetime) -> tuple[Flow, ...]:
        """The flows as of a moment, at least of all items that were done in `[since, until)`."""
        return await self._read(_DONE_WITHIN, as_of, since=since, until=until)

    async def last_done(self, most: int, as_of: datetime) -> tuple[Flow, ...]:
        """The flows of the items that were done last before a moment, up to `most` of them."""
        flows = await self._read(_LAST_DONE, as_of, most=most)
        done = [(flow.done_at, flow) for flow in flows if flow.done_at]
        done.sort(key=lambda timed: timed[0])
        return tuple(flow for _, flow in done[-most:])

    async def count_sub_issues(self, item: str, as_of: datetime) -> int:
        """Count the sub-issues of an item at a moment, those in other repositories of the tenant included."""
        read = _ProjectionsRead()
        rows = await self._select(_SUB_ISSUES, items=[item])
        await self._add(read, rows, as_of)
        return sum(
            projection.parent == item and not projection.is_gone for projection in read.projections.values()
        )

    async def _read(self, selection: TextClause, as_of: datetime, **values: Any) -> tuple[Flow, ...]:
        read = _ProjectionsRead()
        projects = list(self._names)
        digest = await self._digest_of(self.project.id)
        rows = await self._select(selection, digest=digest, as_of=as_of, projects=projects, **values)
        await self._add(read, rows, as_of)
        wanted = list(read.projections)
        await self._add_related(read, wanted, as_of)
        here = {
            key: projection.qualified(self._names[key.project_id])
            for key, projection in read.projections.items()
            if key.project_id in self._names
        }
        elsewhere = [read.projections[key] for key in read.projections.keys() - here.keys()]
        return assemble_flows([here[key] for key in wanted], here.values(), elsewhere)

    async def _add_related(self, read: _ProjectionsRead, wanted: Iterable[_Key], as_of: datetime) -> None:
        """Add all items that decide about the wanted ones: see `assemble_flows`."""
        for project_id in self._names:
            items = {key.item: read.projections[key] for key in wanted if key.project_id == project_id}
            if items:
                related = _related_to(items)
                rows = await self._select(_RELATED, project=project_id, **related)
                await self._add(read, rows, as_of)
        # A circle of parents covers nothing, so the ancestors of sub-issues are needed up to the end.
        while missing := _missing_ancestors(read):
            rows = await self._select(_ANYWHERE, items=list(missing))
            before = len(read.seen)
            await self._add(read, rows, as_of)
            if len(read.seen) == before:
                break

    async def _add(self, read: _ProjectionsRead, rows: Sequence[Any], as_of: datetime) -> None:
        """Add the projections of rows as of a moment; fold the events where the stored one does not hold."""
        outdated = dict[int, list[str]]()
        for position, row in enumerate(rows):
            if position % _ROWS == _ROWS - 1:
                await asyncio.sleep(0)
            key = _Key(row.project_id, row.item)
            if key in read.seen:
                continue
            read.seen.add(key)
            is_in_force = row.rules == await self._digest_of(key.project_id)
            if row.projection is not None and is_in_force and row.last_at < as_of:
                read.projections[key] = decode(row.projection)
            else:
                outdated.setdefault(key.project_id, []).append(key.item)
        for project_id, items in outdated.items():
            rules = await self._rules_of(project_id)
            for first in range(0, len(items), _ITEMS):
                events = await self._folder.read_events(project_id, items[first : first + _ITEMS], as_of)
                folded = await self._folder.fold(project_id, events, rules, as_of)
                read.projections |= {_Key(project_id, item): folded[item] for item in folded}

    async def _digest_of(self, project_id: int) -> str:
        if project_id not in self._digests:
            rules = await self._rules_of(project_id)
            self._digests[project_id] = digest_rules(rules, await self._timeline.logins())
        return self._digests[project_id]

    async def _rules_of(self, project_id: int) -> Rules:
        """The rules of a repository of the tenant; those of another one are read once."""
        if project_id not in self._rules:
            other = await Projects(self._tenant).get(project_id)
            self._rules[project_id] = (other or self.project).rules
        return self._rules[project_id]

    async def _select(self, statement: TextClause, **values: Any) -> Sequence[Any]:
        result = await self._connection.execute(statement, {"tenant": self._tenant.organization_id, **values})
        return result.all()


def _related_to(items: Mapping[str, ItemProjection]) -> dict[str, list[Any]]:
    """The values of `_RELATED` for items of one repository, by node id."""
    flows = [projection.flow for projection in items.values()]
    return {
        "items": list(items),
        "issues": [str(split_number(flow.number)[1]) for flow in flows if not flow.is_pull_request],
        "closed": [split_number(number)[1] for flow in flows for number in flow.closes],
        "blockers": [blocker for projection in items.values() for blocker in projection.blockers],
    }


def _missing_ancestors(read: _ProjectionsRead) -> set[str]:
    """The parents of parents that have not been looked at yet."""
    parents = {projection.parent for projection in read.projections.values() if projection.parent}
    above = {
        projection.parent
        for key, projection in read.projections.items()
        if key.item in parents and projection.parent
    }
    return above - {key.item for key in read.seen}


# ruff: noqa: S608 - put together from constants alone; all values are parameters
_COLUMNS = "select project_id, item, rules, last_at, projection::text as projection from item_projections"
_MINE = "organization_id = :tenant and project_id = any(:projects)"
# Written as ranges, so that an index finds the few stale ones.
_NOT_PROJECTED = "organization_id = :tenant and rules = '' and projection is null"
_OUTDATED = f"{_MINE} and (rules < :digest or rules > :digest)"


def _union(*conditions: str) -> TextClause:
    """A statement that selects the items for which one of several conditions holds, each by its own index."""
    return text(" union all ".join(f"{_COLUMNS} where {condition}" for condition in conditions))


_ACTIVE = _union(
    f"{_MINE} and is_open",
    f"{_MINE} and last_at >= :since",
    _OUTDATED,
)
_BY_ITEM = _union("organization_id = :tenant and item = any(:items) and project_id = any(:projects)")
_BY_NUMBER = _union(f"{_MINE} and number = any(:numbers)", f"{_MINE} and number is null")
_ANYWHERE = _union("organization_id = :tenant and item = any(:items)")
_MOVED = _union(
    f"{_MINE} and item in (select item from timeline where organization_id = :tenant"
    " and project_id = any(:projects) and at >= :since and at < :as_of"
    " and kind in ('issue', 'pull_request'))",
    # Not looked for without a change of labels, which is the rule.
    f"{_MINE} and cardinality(cast(:renamed as text[])) > 0 and labels && cast(:renamed as text[])",
)
_IS_SUB_ISSUE = (
    "organization_id = :tenant and item in (select item from item_links where organization_id = :tenant"
    f" and kind = '{ItemLinkKind.PARENT}' and target = any(:items))"
)
_NUMBERS = text(
    "select number from item_projections where organization_id = :tenant and item = any(:items)"
    " and project_id = any(:projects)"
)
_WITH_CLOSING = _union(
    "organization_id = :tenant and item = any(:items) and project_id = any(:projects)",
    f"{_MINE} and item in (select item from item_links where organization_id = :tenant"
    f" and project_id = any(:projects) and kind = '{ItemLinkKind.CLOSES}' and target = any(:issues))",
    f"project_id = any(:projects) and {_NOT_PROJECTED}",
)
_DONE_WITHIN = _union(
    f"{_MINE} and done_at >= :since and done_at < :until",
    f"{_MINE} and last_at >= :as_of",
    _OUTDATED,
)
_LAST_DONE = text(
    f"({_COLUMNS} where {_MINE} and done_at < :as_of order by done_at desc limit :most)"
    # What happened since may hide that an item was done before.
    f" union all {_COLUMNS} where {_MINE} and last_at >= :as_of"
    f" union all {_COLUMNS} where {_OUTDATED}"
)
_SUB_ISSUES = _union(_IS_SUB_ISSUE)
_RELATED = _union(
    "organization_id = :tenant and project_id = :project and item in ("
    " select item from item_links where organization_id = :tenant and project_id = :project"
    f" and kind = '{ItemLinkKind.CLOSES}' and target = any(:issues))",
    "organization_id = :tenant and project_id = :project and number = any(:closed)",
    _IS_SUB_ISSUE,
    "organization_id = :tenant and item = any(:blockers)",
    # What these point to is not known yet.
    f"project_id = :project and {_NOT_PROJECTED}",
)
