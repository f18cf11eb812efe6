"""The work of a repository: its flows, waits for reviews, and the open item of a thread."""

from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.planning import Planning
from commands.shared.choosing import require_item
from sprints.blocked import find_blockers
from sprints.flow import Flow, build_flows
from sprints.reviews import ReviewWait, list_review_waits
from sprints.work import RepositoryWork


async def read_work(planning: Planning) -> RepositoryWork:
    """Read the work of this repository.

    Blocking issues of the tenant's other repositories are looked up, because they may have been closed.
    """
    timeline, rules = planning.history, planning.project.rules
    events = await timeline.items()
    blockers = set[str]().union(*(find_blockers(history) for history in events.values()))
    elsewhere = await timeline.items_by_id(blockers - events.keys())
    labels = await timeline.labels()
    flows = build_flows(events, planning.now, rules, labels, elsewhere)
    return RepositoryWork(flows, events, planning.now, rules.calendar)


async def read_review_waits(planning: Planning, work: RepositoryWork) -> tuple[ReviewWait, ...]:
    """Read the pull requests that wait for their first review."""
    opened = [flow.created_at for flow in work.flows if flow.is_pull_request and flow.is_open]
    if not opened:
        return ()
    reviews = await planning.history.activity("review", min(opened), work.now)
    return list_review_waits(work.flows, work.events, reviews, work.now)


async def resolve_open_item(context: Context, work: RepositoryWork) -> Flow:
    """The item of the request's thread. Raises UserError if it is closed or no event of it is recorded."""
    number = context.request.thread
    await require_item(context, number)
    flow = work.flow(number)
    if flow is None or not flow.is_open:
        raise UserError(f"#{number} is closed. Open it again first if there is more to do.")
    return flow
