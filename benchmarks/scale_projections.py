"""The part `projections` of `benchmarks.scale`: stored projections against the fold of the same events."""

from pathlib import Path

from benchmarks import common
from benchmarks.scale_rows import Row, Target
from bot.cli import replay
from bot.services import open_services
from bot.settings import load
from storage.embedded import running_server
from storage.item_projections import ItemProjections
from storage.lookups import all_tenants
from storage.projects import Projects
from storage.timeline import Timeline

_ALL = 10_000_000


async def projections() -> Row:
    """Count the items of all recorded histories whose stored projection is not what their events say."""
    compared = differ = 0
    for path in sorted(common.RECORDED.parent.glob("*.deliveries.jsonl")):
        items, differences = await _compare(path)
        compared += items
        differ += differences
    return Row(
        "projections",
        f"Projections that differ from the fold, of {compared:,} recorded items",
        (Target("differ", differ, 0),),
        {"compared": compared},
    )


async def _compare(path: Path) -> tuple[int, int]:
    """Replay a file. Returns how many projections it left, and how many of them differ."""
    compared = differ = 0
    with common.scratch() as folder, running_server(folder) as server:
        settings = load(common.bot_environment(folder, common.free_port()), needs_github=True)
        result = await replay.replay(settings, replay.read(path), None)
        if result.failures:
            raise RuntimeError(f"{path.name} was not replayed: {result.failures[0]}")
        async with open_services(settings) as base:
            async with base.database.unscoped() as connection:
                tenants = await all_tenants(connection)
            for organization_id in tenants:
                async with base.database.tenant(organization_id) as tenant:
                    stored = ItemProjections(tenant, Timeline(tenant))
                    for project in await Projects(tenant).active():
                        differ += len(await stored.find_differences(project.id, project.rules, _ALL))
        compared = common.rows(server, "item_projections where projection is not null")
    return compared, differ
