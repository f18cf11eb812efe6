"""The part `projections` of `benchmarks.scale`: stored projections against the fold of the same events."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import common
from benchmarks.scale_rows import Row, Target
from bot.cli import replay
from bot.services import open_services
from bot.settings import load
from storage.database import Tenant
from storage.embedded import running_server
from storage.item_projections import ItemProjections, digest_rules, is_stale
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.tables import item_projections
from storage.timeline import Timeline

_ALL = 10_000_000


async def projections() -> Row:
    """Count the items of all recorded histories whose stored projection is not what their events say.

    Stale projections, which readers do not use, are counted by themselves.
    """
    counts = _Counts()
    for path in sorted(common.RECORDED.parent.glob("*.deliveries.jsonl")):
        await _compare(path, counts)
    return Row(
        "projections",
        f"Projections that differ from the fold, of {counts.compared:,} recorded items",
        (Target("differ", counts.differ, 0),),
        {"compared": counts.compared, "stale": counts.stale},
    )


@dataclass
class _Counts:
    compared: int = 0
    differ: int = 0
    stale: int = 0


async def _compare(path: Path, counts: _Counts) -> None:
    """Replay a file, and add what its projections are to the counts."""
    with common.scratch() as folder:
        settings = load(common.bot_environment(folder, common.free_port()), needs_github=True)
        result = await replay.replay(settings, replay.read(path), None)
        if result.failures:
            raise RuntimeError(f"{path.name} was not replayed: {result.failures[0]}")
        # The replay has stopped its server.
        with running_server(folder):
            async with open_services(settings) as base:
                async with base.database.unscoped() as connection:
                    tenants = await all_tenants(connection)
                for organization_id in tenants:
                    async with base.database.tenant(organization_id) as tenant:
                        await _compare_tenant(tenant, counts)


async def _compare_tenant(tenant: Tenant, counts: _Counts) -> None:
    timeline = Timeline(tenant)
    stored, logins = ItemProjections(tenant, timeline), await timeline.logins()
    for project in await Projects(tenant).active():
        digest = digest_rules(project.rules, logins)
        query = select(func.count(), func.count().filter(is_stale(digest))).where(
            item_projections.c.organization_id == tenant.organization_id,
            item_projections.c.project_id == project.id,
        )
        total, stale = (await tenant.connection.execute(query)).one()
        counts.compared += total - stale
        counts.stale += stale
        counts.differ += len(await stored.find_differences(project.id, project.rules, _ALL))
