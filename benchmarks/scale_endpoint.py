"""The part `endpoint` of `benchmarks.scale`: webhooks while read commands run among many items."""

import time
from datetime import UTC, datetime, timedelta

from benchmarks import common
from benchmarks.big_repository import fill
from benchmarks.live_service import LiveService, live_service, serving
from benchmarks.many_tenants import Deliveries, fill_tenants, project_items
from benchmarks.reads import COMMANDS
from benchmarks.scale_rows import Row, Target, percentile
from benchmarks.sender import Answer, sending
from bot.jobs.daily_figures import DailyFigures
from storage.database import Database
from storage.embedded import EmbeddedServer, running_server
from storage.projects import Projects

_DATABASE = "scale"
# The deliveries that the endpoint answers meanwhile are of other tenants, so many a second.
_RATE, _TENANTS, _BODIES = 20, 20, 200
_ALONE_SECONDS = 10.0
# The repository's tenant has the first id of its database.
_LARGE_TENANT = 1
_ADOPT = """
update organizations set github_account_id = %(account)s, name = %(login)s, slug = %(login)s,
    github_installation_id = %(installation)s, next_measure_at = %(later)s, next_reconcile_at = %(later)s,
    next_visibility_check_at = %(later)s
where id = %(tenant)s;
update projects set github_repo = %(full_name)s, repository_node_id = %(node_id)s, synced_at = now(),
    synced_from = now()
where organization_id = %(tenant)s
"""


async def endpoint(items: int) -> Row:
    """The slowest answer to a delivery while each read command in turn is answered among so many items.

    Beside it, the slowest one in ten seconds without a command.
    """
    now = datetime.now(UTC)
    with common.scratch() as folder, running_server(folder) as server:
        address = fill(server, _DATABASE, items, now)
        fill_tenants(server, _DATABASE, _TENANTS, now, sprints=1)
        await _measure_past(address, now)
        async with live_service(server, _DATABASE, folder) as service:
            repo = await _adopt(server, service, now)
            async with serving(service):
                await service.github.create_issue(repo, "The first")
                await service.github.wait_for_webhooks()
                service.speak_as(service.github.deliveries[-1].payload)
                return await _ask_all(service, items)


async def _ask_all(service: LiveService, items: int) -> Row:
    questions = {command: (await service.prepare(f"/{command}"))[0] for command in COMMANDS}
    bodies = Deliveries(datetime.now(UTC)).spread(range(_TENANTS), _BODIES)
    windows, seconds = dict[str, tuple[float, float]](), dict[str, float]()
    async with sending(service.folder, service.url, bodies, _RATE, endless=True) as sender:
        await sender.wait_for(int(_ALONE_SECONDS * _RATE))
        alone_until = time.time()
        for command, question in questions.items():
            asked_at = time.time()
            seconds[command] = await service.ask(question)
            windows[command] = asked_at, time.time()
        answers = await sender.stop()
    slowest = {command: _slowest(answers, *window) for command, window in windows.items()}
    worst, dearest = max(slowest, key=slowest.__getitem__), max(seconds, key=seconds.__getitem__)
    during = [answer.seconds for answer in answers if answer.sent_at > alone_until]
    return Row(
        "endpoint",
        f"Webhook endpoint's slowest answer while commands run among {items:,} items, at /{worst}",
        (Target("slowest_ms", _milliseconds(slowest[worst]), 100),),
        {
            "p50_ms": _milliseconds(percentile(during, 0.5)),
            "p99_ms": _milliseconds(percentile(during, 0.99)),
            "deliveries": len(during),
            "slowest_alone_ms": _milliseconds(_slowest(answers, 0, alone_until)),
            "dearest": dearest,
            "dearest_reply_ms": _milliseconds(seconds[dearest]),
            "slowest_at_dearest_ms": _milliseconds(slowest[dearest]),
        },
    )


async def _measure_past(address: str, now: datetime) -> None:
    """Compute the projections and measure the sprints, as the service has done when the history was read."""
    database = Database(address)
    await project_items(database, _LARGE_TENANT)
    async with database.tenant(_LARGE_TENANT) as tenant:
        (project,) = await Projects(tenant).active()
    await DailyFigures(database, lambda: now).measure(_LARGE_TENANT, project)
    await database.close()


async def _adopt(server: EmbeddedServer, service: LiveService, now: datetime) -> str:
    """Make the large repository one of the stand-in's, and return its full name."""
    async with service.github.muted():
        repository = await service.github.create_repository(name="large")
    values = {
        "tenant": _LARGE_TENANT,
        "account": repository["owner"]["id"],
        "login": repository["owner"]["login"],
        "installation": service.github.installation_id,
        "full_name": repository["full_name"],
        "node_id": repository["node_id"],
        "later": now + timedelta(days=2),
    }
    with common.superuser(server, _DATABASE) as connection:
        for statement in _ADOPT.split(";\n"):
            connection.execute(statement.encode(), values)
    return str(repository["full_name"])


def _slowest(answers: list[Answer], since: float, until: float) -> float:
    """The longest answer, in seconds, of those that were awaited at any time between two moments."""
    return max(
        (
            answer.seconds
            for answer in answers
            if answer.sent_at < until and answer.sent_at + answer.seconds > since
        ),
        default=0.0,
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
