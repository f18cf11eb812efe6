"""What is known of pull requests beside their place in a sprint: their heads, and what was said of them."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, select

from sprints.model import ActivityEvent, ItemSnapshot
from sprints.numbering import local_number
from sprints.pull_requests import (
    BUTTON,
    HEAD,
    PLAN,
    PullRequest,
    build_pull_requests,
    find_last_button,
    group_head_events,
)
from sprints.pull_requests import PressedButton as Pressed
from storage.database import Tenant
from storage.logins import Logins, moment_of_logins
from storage.tables import timeline
from storage.timeline import Timeline, TimelineRow, activity_event


class Pulls:
    """The pull requests of one repository."""

    def __init__(self, tenant: Tenant, project_id: int) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._project_id = project_id
        self._known_logins: Logins | None = None

    async def of_head(self, head: str) -> PullRequest | None:
        """The pull request that has, or had, this commit at its head; an open one if there is any."""
        facts = await self._facts(timeline.c.item == f"{HEAD}:{head}", kind=HEAD)
        numbers = sorted({int(str(fact.details["number"])) for fact in facts})
        found = [pull for number in numbers if (pull := await self.get(number))]
        return min(
            found,
            key=lambda one: (not one.is_open, one.head != head, not one.is_to_default_branch),
            default=None,
        )

    async def get(self, number: int) -> PullRequest | None:
        """A pull request as it was last shown."""
        return build_pull_requests(await self.life(number)).get(number)

    async def life(self, number: int) -> list[ActivityEvent]:
        """All that was told of a pull request's heads, in order."""
        is_it = timeline.c.after["number"].as_string() == str(number)
        return group_head_events(await self._facts(is_it, kind=HEAD)).get(number, [])

    async def heads(self, since: datetime) -> list[ActivityEvent]:
        """All that was told of heads since a moment."""
        return await self._facts(timeline.c.at >= since, kind=HEAD)

    async def reviews(self, since: datetime) -> list[ActivityEvent]:
        """The reviews since a moment."""
        return await self._facts(timeline.c.at >= since, kind="review")

    async def plans(self) -> list[ActivityEvent]:
        """Which pull requests are no work of which sprint."""
        return await self._facts(kind=PLAN)

    async def last_button(self, pull: PullRequest) -> Pressed | None:
        """What was pressed last on the check of its present head."""
        is_on_head = timeline.c.after["head"].as_string() == pull.head
        return find_last_button(await self._facts(is_on_head, kind=BUTTON), pull)

    async def is_pressed(self, delivery: str) -> bool:
        """Whether what a delivery pressed has been noted."""
        return bool(await self._facts(timeline.c.item == f"{BUTTON}:{delivery}", kind=BUTTON))

    async def record(self, *facts: ActivityEvent) -> None:
        """Adds facts."""
        await Timeline(self._tenant).record([TimelineRow(self._project_id, fact) for fact in facts])

    async def items(self, numbers: Collection[int]) -> dict[int, ItemSnapshot]:
        """Issues and pull requests by number, as they were last seen; without those never heard of."""
        if not numbers:
            return {}
        query = (
            select(timeline.c.at, timeline.c.after["item"].label("shown"))
            .where(self._mine, timeline.c.kind.in_(("issue", "pull_request")))
            .where(timeline.c.after["item", "number"].as_string().in_([str(one) for one in numbers]))
            .order_by(timeline.c.at, timeline.c.id)
        )
        rows = await self._connection.execute(query)
        shown = [msgspec.convert(row.shown, ItemSnapshot) for row in rows]
        return {local_number(one.number): one for one in shown}

    @property
    def _mine(self) -> ColumnElement[bool]:
        is_tenant = timeline.c.organization_id == self._tenant.organization_id
        return is_tenant & (timeline.c.project_id == self._project_id)

    async def _facts(self, *conditions: ColumnElement[bool], kind: str) -> list[ActivityEvent]:
        query = (
            select(timeline)
            # The kinds beside items have an index of their own, which is used only where that is said.
            .where(self._mine, timeline.c.kind == kind, timeline.c.kind.not_in(("issue", "pull_request")))
            .where(*conditions)
            .order_by(timeline.c.at, timeline.c.id)
        )
        if self._known_logins is None:
            self._known_logins = await Logins.of(self._tenant)
        logins = self._known_logins
        return [
            logins.in_activity(activity_event(row), moment_of_logins(row))
            for row in await self._connection.execute(query)
        ]
