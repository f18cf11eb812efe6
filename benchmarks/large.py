"""One repository with very many items: a sprint's facts, and the nightly figures of all of it.

Run `python -m benchmarks.large [items] [rounds]`. A hundred items with five events each are in each sprint.
The sprints follow each other week by week, and the last one is running. Its facts are compared with those of
the same sprint in a repository of a hundredth of the size; at least 10,000 items make sense.
"""

import asyncio
import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import common
from benchmarks.big_repository import A_SPRINT, NOW, fill
from bot.jobs.daily_figures import DailyFigures
from bot.services import open_services
from bot.settings import load
from storage.embedded import running_server
from storage.projects import Projects
from storage.sprints import Sprints

_ITEMS = 50_000


def main() -> None:
    items = int(sys.argv[1]) if len(sys.argv) > 1 else _ITEMS
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with common.scratch() as folder, running_server(folder) as server:
        large = fill(server, "large", items)
        small = fill(server, "small", items // 100)
        found = asyncio.run(_measure(folder, {"large": large, "small": small}, rounds))
    ratio = found["large"]["facts_ms"] / found["small"]["facts_ms"]
    common.report(
        {"benchmark": "large", "items": items, **found, "ratio": round(ratio, 2)},
        f"With {items:,} items a sprint's facts take {found['large']['facts_ms']} ms, {ratio:.2f} × as long "
        f"as with a hundredth of them; the first night's figures {found['large']['first_night_s']} s, "
        f"the next night's {found['large']['next_night_s']} s.",
    )


async def _measure(folder: Path, databases: dict[str, str], rounds: int) -> dict[str, dict[str, Any]]:
    found = dict[str, dict[str, Any]]()
    for name, address in databases.items():
        environment = common.bot_environment(folder, common.free_port()) | {"DATABASE_URL": address}
        async with open_services(load(environment, needs_github=True)) as base:
            async with base.database.tenant(1) as tenant:
                (project,) = await Projects(tenant).active()
            took = list[float]()
            for _ in range(rounds + 3):
                began = time.perf_counter()
                async with base.database.tenant(1) as tenant:
                    sprints = Sprints(tenant, project)
                    facts = await sprints.facts(await sprints.milestone_id(1) or 0, NOW)
                took.append(time.perf_counter() - began)
            if facts is None or facts.scope.count != A_SPRINT:
                raise RuntimeError(f"the sprint is not as it was made: {facts and facts.scope}")
            nights = list[float]()
            for days in range(2):
                began = time.perf_counter()
                await DailyFigures(base.database, lambda days=days: NOW + timedelta(days=days)).run(1)  # type: ignore[misc]
                nights.append(round(time.perf_counter() - began, 2))
            found[name] = {
                "facts_ms": round(median(took[3:]) * 1000, 1),
                "first_night_s": nights[0],
                "next_night_s": nights[1],
            }
    return found


if __name__ == "__main__":
    main()
