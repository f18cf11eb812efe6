"""The work of a repository: its recent flows, waits for reviews, and the open item of a thread."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from commands.shared.choosing import require_item
from sprints.durations import measure_cycle_times
from sprints.expectation import MOST_PAST, WINDOW_DAYS, PastCycleTimes, select_past
from sprints.flow import Flow
from sprints.reviews import (
    REVIEW_REQUEST,
    ReviewRequest,
    ReviewWait,
    list_review_requests,
    list_review_waits,
)
from sprints.work import RepositoryWork


async def read_work(planning: Planning) -> RepositoryWork:
    """Read the work of this repository: what is open, and what had an event in the last 90 days."""
    return RepositoryWork(await read_recent_flows(planning), planning.now, planning.calendar)


async def read_recent_flows(planning: Planning) -> Sequence[Flow]:
    """The flows of items that are open, or had an event within the window of usual cycle times."""
    return await planning.flows.active(_window_start(planning), planning.now)


async def read_past(planning: Planning) -> PastCycleTimes:
    """Measure the usual cycle times as of the planning's moment, which may be in the past."""
    done, window = await read_past_items(planning)
    return PastCycleTimes(measure_cycle_times(done, planning.calendar), window)


async def read_past_items(planning: Planning) -> tuple[Sequence[Flow], int | None]:
    """Read the done items from which usual cycle times are measured, and their window in days.

    The window is None for the items that were done last, where the last 90 days have too few.
    """
    recent = await planning.flows.moved(_window_start(planning), planning.now)
    done, window = select_past(recent, planning.now, planning.calendar)
    if window is not None:
        return done, window
    last = await planning.flows.last_done(MOST_PAST, planning.now)
    return select_past(last, planning.now, planning.calendar)


def _window_start(planning: Planning) -> datetime:
    calendar = planning.calendar
    return calendar.midnight(calendar.day_of(planning.now) - timedelta(days=WINDOW_DAYS))


async def read_review_waits(planning: Planning, work: RepositoryWork) -> tuple[ReviewWait, ...]:
    """Read the pull requests that wait for their first review."""
    opened = [flow.created_at for flow in work.flows if flow.is_pull_request and flow.is_open]
    if not opened:
        return ()
    reviews = await planning.history.activity("review", min(opened), work.now)
    return list_review_waits(work.flows, reviews, work.now)


async def read_review_requests(planning: Planning, work: RepositoryWork) -> tuple[ReviewRequest, ...]:
    """Read whom the open pull requests ask for a review."""
    opened = [flow.created_at for flow in work.flows if flow.is_pull_request and flow.is_open]
    if not opened:
        return ()
    requests = await planning.history.activity(REVIEW_REQUEST, min(opened), work.now)
    reviews = await planning.history.activity("review", min(opened), work.now) if requests else ()
    return list_review_requests(work.flows, requests, reviews, work.now)


async def resolve_open_item(context: Context, work: RepositoryWork) -> Flow:
    """The item of the request's thread. Raises UserError if it is closed or no event of it is recorded."""
    number = context.request.thread
    await require_item(context, number)
    flow = work.flow(number)
    if flow is None or not flow.is_open:
        raise UserError(f"#{number} is closed. Reopen it first if there is more to do.")
    return flow
