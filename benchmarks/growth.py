"""`facts` for one sprint in a database with a thousand foreign timeline rows, and in one with a million.

Run `python -m benchmarks.growth [rounds]`. The sprint is a recorded one (../shared/data). Half of the foreign
rows are of other tenants, half of other sprints of its own tenant. Both databases are on one server.
"""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import common
from sprints.plain import convert_facts
from storage.database import Database
from storage.embedded import APPLICATION, EmbeddedServer, running_server
from storage.lookups import tenants_of_repository
from storage.projects import Projects
from storage.schema import migrate
from storage.sprints import Sprints

_GOAL = 1.2
_REPOSITORY = "rust-lang/rust"
_SMALL, _LARGE = 1_000, 1_000_000
_WARM_UP = 5
_AS_OF = datetime(2014, 1, 1, tzinfo=UTC)
# A hundred hosts in turn: ours, with its two repositories, and one of fifty others. Each foreign sprint has
# fifty items with five rows, about as many as the recorded sprint.
_FILL = """
insert into organizations (github_account_id, name, slug)
    select 900000 + n, 'other ' || n, 'other-' || n from generate_series(1, 50) as n;
insert into projects (organization_id, github_repo, repository_node_id, name, named_at)
    select id, name || '/second', 'R_second', 'second', now() from organizations;
create temporary table hosts as
    select 2 * (row_number() over (order by organization_id) - 1) as n, organization_id, id
    from projects where name = 'second' and organization_id <> {ours}
    union all
    select 2 * n + 1, organization_id, id from generate_series(0, 49) as n
    join (select *, row_number() over (order by id) % 2 as turn from projects where organization_id = {ours})
        as own on own.turn = n % 2;
insert into timeline (organization_id, project_id, item, kind, event, at, subject, milestone_id, after)
    select
        organization_id, id, 'I_foreign_' || i / 5, 'issue', 'labeled', to_timestamp(1.3e9 + i), 'points: 3',
        5000000 + i / 250, jsonb_build_object('label', 'points: 3', 'item', jsonb_build_object(
            'number', i / 5, 'title', 'Something that somebody wants', 'state', 'open', 'closed_at', null,
            'created_at', '2013-01-01T00:00:00Z', 'milestone', 5000000 + i / 250, 'is_pull_request', false,
            'labels', array['points: 3']))
    from generate_series(1, {rows}) as i join hosts on hosts.n = i / 250 % 100;
"""


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with common.scratch() as folder, running_server(folder) as server:
        databases = {
            _SMALL: _filled(server, folder, "small", _SMALL),
            _LARGE: _filled(server, folder, "large", _LARGE),
        }
        number = _largest_sprint(server)
        found = asyncio.run(_compare(databases, number, rounds))
        commands = {size: _command(folder, url, number) for size, url in databases.items()}
    small, large = found[_SMALL], found[_LARGE]
    ratio = median(large) / median(small)
    figures = {
        "benchmark": "growth",
        "rounds": rounds,
        "small_ms": round(median(small) * 1000, 2),
        "large_ms": round(median(large) * 1000, 2),
        "small_command_ms": round(commands[_SMALL] * 1000),
        "large_command_ms": round(commands[_LARGE] * 1000),
        "ratio": round(ratio, 3),
        "goal": _GOAL,
    }
    verdict = "within" if ratio <= _GOAL else "above"
    common.report(
        figures,
        f"With {_LARGE:,} foreign rows, a sprint's facts take {ratio:.2f} × as long as with {_SMALL:,}, "
        f"{verdict} the goal of {_GOAL}.",
    )


def _filled(server: EmbeddedServer, folder: Path, name: str, foreign: int) -> str:
    """A database with the recorded sprints and the foreign rows; returns the application's address."""
    server.create_database(name)
    owner, url = server.address("agile_owner", name), server.address(APPLICATION, name)
    migrate(owner, APPLICATION)
    _run(folder, url, "replay", str(common.RECORDED))
    with common.superuser(server, name) as connection:
        (ours,) = connection.execute("select organization_id from projects").fetchone() or (0,)
        connection.execute(_FILL.format(ours=ours, rows=foreign))
        connection.execute("analyze")
    return url


def _largest_sprint(server: EmbeddedServer) -> int:
    query = (
        "select github_milestone_number from sprints join timeline on milestone_id = github_milestone_id"
        " group by 1 order by count(*) desc limit 1"
    )
    with common.superuser(server, "small") as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


async def _compare(databases: dict[int, str], number: int, rounds: int) -> dict[int, list[float]]:
    """Seconds for the facts, by turns; the answers must be the same."""
    opened = {size: Database(url) for size, url in databases.items()}
    found: dict[int, list[float]] = {size: [] for size in databases}
    answers = set[str]()
    try:
        for turn in range(rounds + _WARM_UP):
            for size, database in opened.items():
                started = time.perf_counter()
                answer = await _facts(database, number)
                took = time.perf_counter() - started
                answers.add(answer)
                if turn >= _WARM_UP:
                    found[size].append(took)
    finally:
        for database in opened.values():
            await database.close()
    if len(answers) != 1:
        raise RuntimeError("foreign rows changed a sprint's facts")
    return found


async def _facts(database: Database, number: int) -> str:
    """As `python -m bot facts` finds them."""
    async with database.unscoped() as connection:
        (organization_id,) = await tenants_of_repository(connection, _REPOSITORY)
    async with database.tenant(organization_id) as tenant:
        project = await Projects(tenant).by_name(_REPOSITORY)
        if project is None:
            raise LookupError(_REPOSITORY)
        sprints = Sprints(tenant, project)
        milestone = await sprints.milestone_id(number)
        facts = await sprints.facts(milestone or 0, _AS_OF)
    if facts is None:
        raise LookupError(f"milestone {number}")
    return json.dumps(convert_facts(facts))


def _command(folder: Path, url: str, number: int) -> float:
    """Seconds for the whole command, the start of Python included."""
    started = time.perf_counter()
    _run(folder, url, "facts", "--repo", _REPOSITORY, "--milestone", str(number))
    return time.perf_counter() - started


def _run(folder: Path, url: str, *arguments: str) -> None:
    environment = {"DATABASE_URL": url, "DATA_DIR": str(folder / "data")}
    command = [sys.executable, "-m", "bot", *arguments]
    subprocess.run(command, cwd=common.ROOT, env=environment, check=True, capture_output=True, timeout=300)


if __name__ == "__main__":
    main()
