"""The work of a repository as commands on it see it: its flows, and who waits for whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.shared.choosing import item_meant
from sprints.blocked import blockers_of
from sprints.calendar import Calendar
from sprints.flow import Flow, flows_of
from sprints.model import ItemEvent
from sprints.reviews import Wait, waiting_for_review

RECENT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Work:
    """All items of a repository as of `now`, and what they are made of, by node id."""

    flows: Sequence[Flow]
    events: Mapping[str, Sequence[ItemEvent]]
    now: datetime
    calendar: Calendar

    @property
    def counted(self) -> list[Flow]:
        """The items that no other items tell."""
        return [flow for flow in self.flows if not flow.is_covered]

    def flow(self, number: int) -> Flow | None:
        """The item with a number."""
        return next((flow for flow in reversed(self.flows) if flow.number == number), None)


def recent(flows: Iterable[Flow], now: datetime) -> list[Flow]:
    """The items that are open or were closed in the last 90 days: who has them works here."""
    since = now - RECENT
    return [flow for flow in flows if flow.is_open or (flow.done_at or flow.dropped_at or since) > since]


async def work_here(context: Context) -> Work:
    """The work of this repository. Issues of the tenant's other repositories that block some of it are looked
    up, because they may have been closed.
    """
    history, rules = context.history, context.project.rules
    events = await history.items()
    blockers = set[str]().union(*(blockers_of(told) for told in events.values()))
    elsewhere = await history.items_named(blockers - events.keys())
    labels = await history.labels()
    flows = flows_of(events, context.now, rules, labels, elsewhere)
    return Work(flows, events, context.now, rules.calendar)


async def waits_here(context: Context, work: Work) -> tuple[Wait, ...]:
    """The pull requests that wait for their first review."""
    opened = [flow.created_at for flow in work.flows if flow.is_pull_request and flow.is_open]
    if not opened:
        return ()
    reviews = await context.history.activity("review", min(opened), work.now)
    return waiting_for_review(work.flows, work.events, reviews, work.now)


async def open_item_here(context: Context, work: Work) -> Flow:
    """The item in whose thread it is asked. Raises UserError for one that is closed or not heard of."""
    number = context.request.thread
    await item_meant(context, number)
    flow = work.flow(number)
    if flow is None or not flow.is_open:
        raise UserError(f"#{number} is closed. Open it again first if there is more to do.")
    return flow
