"""Facts of pull requests beside their place in a sprint: heads, reviews, plans and buttons."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Boolean, ColumnElement, literal_column, select

from sprints.model import ActivityEvent, ItemSnapshot
from sprints.numbering import local_number
from sprints.pull_requests import (
    BUTTON,
    HEAD,
    PLAN,
    PressedButton,
    PullRequest,
    build_pull_requests,
    find_last_button,
    group_head_events,
)
from storage.database import Tenant
from storage.logins import Logins, moment_of_logins
from storage.recorder import Recorder, TimelineRow
from storage.tables import timeline
from storage.timeline import activity_event

_IS_BESIDE_ITEMS = literal_column("kind not in ('issue', 'pull_request')", Boolean())


class PullRequests:
    """The facts of one repository's pull requests."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._project_id = project_id
        self._loaded_logins: Logins | None = None

    async def find_by_head(self, head: str) -> PullRequest | None:
        """Find the pull request that has, or had, a commit at its head; an open one if there is any."""
        facts = await self._facts(timeline.c.item == f"{HEAD}:{head}", kind=HEAD)
        numbers = sorted({int(str(fact.details["number"])) for fact in facts})
        pulls = [pull for number in numbers if (pull := await self.get(number))]
        return min(
            pulls,
            key=lambda pull: (not pull.is_open, pull.head != head, not pull.is_to_default_branch),
            default=None,
        )

    async def get(self, number: int) -> PullRequest | None:
        """Return a pull request in its last recorded state."""
        return build_pull_requests(await self.history(number)).get(number)

    async def history(self, number: int) -> list[ActivityEvent]:
        """The events of a pull request's heads, in order."""
        facts = await self._facts(timeline.c.number == str(number), kind=HEAD)
        return group_head_events(facts).get(number, [])

    async def heads(self, since: datetime) -> list[ActivityEvent]:
        """The events of all heads since a moment."""
        return await self._facts(timeline.c.at >= since, kind=HEAD)

    async def reviews(self, since: datetime) -> list[ActivityEvent]:
        """The reviews since a moment."""
        return await self._facts(timeline.c.at >= since, kind="review")

    async def plans(self) -> list[ActivityEvent]:
        """The facts that a pull request is not work of a sprint."""
        return await self._facts(kind=PLAN)

    async def last_button(self, pull: PullRequest) -> PressedButton | None:
        """The button that was pressed last on the check of a pull request's present head."""
        is_on_head = timeline.c.after["head"].as_string() == pull.head
        return find_last_button(await self._facts(is_on_head, kind=BUTTON), pull)

    async def is_button_recorded(self, delivery: str) -> bool:
        """Whether the button press of a delivery is recorded."""
        return bool(await self._facts(timeline.c.item == f"{BUTTON}:{delivery}", kind=BUTTON))

    async def record(self, *facts: ActivityEvent) -> None:
        """Record facts."""
        await Recorder(self._tenant).record([TimelineRow(self._project_id, fact) for fact in facts])

    async def items(self, numbers: Collection[int]) -> dict[int, ItemSnapshot]:
        """Return the last recorded states of issues and pull requests by number, without unknown numbers."""
        if not numbers:
            return {}
        query = (
            select(timeline.c.at, timeline.c.after["item"].label("snapshot"))
            .where(self._is_mine, timeline.c.kind.in_(("issue", "pull_request")))
            .where(timeline.c.number.in_([str(number) for number in numbers]))
            .order_by(timeline.c.at, timeline.c.id)
        )
        rows = await self._connection.execute(query)
        snapshots = [msgspec.convert(row.snapshot, ItemSnapshot) for row in rows]
        return {local_number(snapshot.number): snapshot for snapshot in snapshots}

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        is_tenant = timeline.c.organization_id == self._tenant.organization_id
        return is_tenant & (timeline.c.project_id == self._project_id)

    async def _facts(self, *conditions: ColumnElement[bool], kind: str) -> list[ActivityEvent]:
        query = (
            select(timeline)
            # Literals instead of parameters: an index is used only if the query repeats its condition.
            .where(self._is_mine, literal_column(f"kind = '{kind}'", Boolean()), _IS_BESIDE_ITEMS)
            .where(*conditions)
            .order_by(timeline.c.at, timeline.c.id)
        )
        if self._loaded_logins is None:
            self._loaded_logins = await Logins.load(self._tenant)
        logins = self._loaded_logins
        return [
            logins.in_activity(activity_event(row), moment_of_logins(row))
            for row in await self._connection.execute(query)
        ]
