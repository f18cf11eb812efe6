"""Taking jobs fairly: by a model in Python, and at the edges that people feel."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bot.services import Services
from storage.fair_jobs import FairJobManager
from storage.job_priority import BACKGROUND, Priority
from storage.job_types import SWEEP, AnswerJob, BackfillJob, ProcessEventsJob, SendPostsJob
from storage.jobs import EVENTS, OTHERS, Jobs
from tests.support.running import query_as_administrator

PLACES = 8


@dataclass(frozen=True)
class Waiting:
    """A job as a test describes it."""

    tenant: int | None = 1
    task: str = AnswerJob.name
    lock: str | None = None
    priority: int = Priority.ANSWERS
    queue: str = OTHERS


async def put(base: Services, *jobs: Waiting) -> list[int]:
    """Puts jobs into the queue, in this order."""
    described = [
        {
            "queue": job.queue,
            "task": job.task,
            "priority": job.priority,
            "lock": job.lock,
            "args": {} if job.tenant is None else {"organization_id": job.tenant},
        }
        for job in jobs
    ]
    query_as_administrator(
        base,
        "insert into procrastinate_jobs (queue_name, task_name, priority, lock, args) "
        "select queue, task, priority, lock, args from json_to_recordset(cast(:jobs as json)) "
        "as t (queue text, task text, priority integer, lock text, args jsonb)",
        jobs=json.dumps(described),
    )
    ids = query_as_administrator(
        base, "select id from procrastinate_jobs order by id desc limit :many", many=len(jobs)
    )
    return sorted(row.id for row in ids)


class Places:
    """A worker as the queue sees it."""

    def __init__(self, base: Services, worker: int, places: int = PLACES) -> None:
        self._manager = FairJobManager(base.queue.connector, places, base.clock)
        self._base = base
        self._worker = worker
        self.doing: list[int] = []

    @classmethod
    async def new(cls, base: Services, places: int = PLACES) -> "Places":
        (row,) = query_as_administrator(base, "insert into procrastinate_workers default values returning id")
        return cls(base, row.id, places)

    async def take(self, queues: list[str] | None = None) -> int | None:
        job = await self._manager.fetch_job(queues, self._worker)
        if job is None or job.id is None:
            return None
        assert job.worker_id == self._worker
        self.doing.append(job.id)
        return job.id

    async def fill(self) -> list[int]:
        """Takes jobs until all places are full or nothing may be taken."""
        taken = list[int]()
        while len(self.doing) < PLACES and (job := await self.take()) is not None:
            taken.append(job)
        return taken

    async def end(self, job: int) -> None:
        self.doing.remove(job)
        query_as_administrator(
            self._base,
            "update procrastinate_jobs set status = 'succeeded' where id = :job returning id",
            job=job,
        )


async def tenants_of(base: Services, ids: list[int]) -> Counter[str | None]:
    rows = query_as_administrator(
        base,
        "select args ->> 'organization_id' as tenant from procrastinate_jobs where id = any (:ids)",
        ids=ids,
    )
    return Counter(row.tenant for row in rows)


async def test_who_is_alone_has_all_places(base: Services) -> None:
    await put(base, *[Waiting()] * 20)
    assert len(await (await Places.new(base)).fill()) == PLACES


async def test_of_two_each_has_half_whoever_came_first(base: Services) -> None:
    await put(base, *[Waiting(1)] * 300, *[Waiting(2)] * 300)
    assert await tenants_of(base, await (await Places.new(base)).fill()) == {"1": 4, "2": 4}


async def test_who_comes_later_has_the_next_place(base: Services) -> None:
    """Whoever has more than half keeps it only until somebody else comes."""
    flood = await put(base, *[Waiting(1)] * 300)
    places = await Places.new(base)
    await places.fill()
    (late,) = await put(base, Waiting(2, ProcessEventsJob.name, priority=Priority.RECORDING, queue=EVENTS))
    await places.end(flood[0])
    assert await places.take() == late


@pytest.mark.parametrize(
    ("task", "priority"),
    [
        (ProcessEventsJob.name, Priority.RECORDING),
        (AnswerJob.name, Priority.ANSWERS),
        (BackfillJob.name, Priority.BACKFILL),
    ],
)
async def test_behind_two_who_flood_a_third_has_the_next_place(
    base: Services, task: str, priority: int
) -> None:
    await put(base, *[Waiting(1 + n % 2) for n in range(300)])
    places = await Places.new(base)
    await places.fill()
    (late,) = await put(base, Waiting(3, task, priority=priority))
    await places.end(places.doing[0])
    assert await places.take() == late


async def test_jobs_of_nobody_are_never_held_back(base: Services) -> None:
    await put(base, *[Waiting(1)] * 300)
    places = await Places.new(base)
    for _ in range(4):
        await places.take()
    ours = await put(base, *[Waiting(None, SWEEP, priority=Priority.PERIODIC)] * 2)
    assert [await places.take(), await places.take()] == ours


async def test_long_jobs_leave_half_of_the_places_to_what_people_wait_for(base: Services) -> None:
    await put(
        base,
        *[
            Waiting(tenant, BackfillJob.name, priority=Priority.BACKFILL)
            for tenant in range(1, 9)
            for _ in range(9)
        ],
    )
    places = await Places.new(base)
    assert len(await places.fill()) == 4
    (command,) = await put(base, Waiting(99))
    assert await places.take() == command


async def test_one_s_long_jobs_leave_half_of_their_places_to_others(base: Services) -> None:
    await put(
        base,
        *[Waiting(1, BackfillJob.name, priority=Priority.BACKFILL)] * 20,
        Waiting(2, BackfillJob.name, priority=Priority.BACKFILL),
    )
    assert await tenants_of(base, await (await Places.new(base)).fill()) == {"1": 3, "2": 1}


async def test_places_are_counted_for_each_worker(base: Services) -> None:
    await put(base, *[Waiting(1)] * 300, *[Waiting(2)] * 300)
    for _ in range(3):
        assert await tenants_of(base, await (await Places.new(base)).fill()) == {"1": 4, "2": 4}


async def test_one_place_serves_everybody(base: Services) -> None:
    ids = await put(base, Waiting(1), Waiting(2), Waiting(1))
    places = await Places.new(base, 1)
    for expected in ids:
        assert await places.take() == expected
        await places.end(expected)


class Model:
    """The rule, in the shortest words that Python has for it."""

    def __init__(self, random: Random) -> None:
        self.jobs = dict[int, Waiting]()
        self.doing = dict[int, int]()
        self._random = random

    def new_jobs(self) -> list[Waiting]:
        choice = self._random.choice
        return [
            Waiting(
                choice([None, 1, 1, 1, 2, 3]),
                AnswerJob.name,
                choice([None, None, "a", "b"]),
                choice([*Priority, Priority.ANSWERS, Priority.RECORDING]),
            )
            for _ in range(self._random.randint(1, 6))
        ]

    def next_for(self, worker: int) -> int | None:
        may_be_taken = [number for number in self.jobs if self._may_be_taken(number, worker)]
        return min(
            may_be_taken,
            key=lambda number: (self._running(number, worker), *self._rank(number)),
            default=None,
        )

    def _running(self, number: int, worker: int) -> int:
        """How many jobs of the job's tenant run that are at least as urgent."""
        job = self.jobs[number]
        return sum(
            job.tenant is not None and other.tenant == job.tenant and other.priority >= job.priority
            for other in self._done_by(worker)
        )

    def _rank(self, number: int) -> tuple[int, int]:
        return -self.jobs[number].priority, number

    def _done_by(self, worker: int) -> list[Waiting]:
        return [self.jobs[number] for number, by in self.doing.items() if by == worker]

    def _may_be_taken(self, number: int, worker: int) -> bool:
        job = self.jobs[number]
        same_lock = [other for other in self.jobs if job.lock and self.jobs[other].lock == job.lock]
        is_next = number not in self.doing and not any(other in self.doing for other in same_lock)
        is_first = min(same_lock, key=self._rank, default=number) == number
        has_room = sum(map(is_background, self._done_by(worker))) < PLACES // 2
        return is_next and is_first and (has_room or not is_background(job))


def is_background(job: Waiting) -> bool:
    return job.tenant is not None and job.priority <= BACKGROUND


@pytest.mark.parametrize("seed", range(12))
async def test_what_is_taken_is_what_the_rule_says(base: Services, seed: int) -> None:
    random = Random(seed)
    model = Model(random)
    workers = [await Places.new(base) for _ in range(random.randint(1, 2))]
    for _ in range(70):
        worker = random.randrange(len(workers))
        places = workers[worker]
        action = random.choice(["put", "take", "take", "take", "end"])
        if action == "put":
            new = model.new_jobs()
            model.jobs |= dict(zip(await put(base, *new), new, strict=True))
        elif action == "end" and places.doing:
            ended = random.choice(places.doing)
            await places.end(ended)
            del model.jobs[ended], model.doing[ended]
        elif action == "take" and len(places.doing) < PLACES:
            expected = model.next_for(worker)
            assert await places.take() == expected
            if expected is not None:
                model.doing[expected] = worker


async def test_two_workers_never_take_the_same_job_nor_the_same_lock(base: Services) -> None:
    await put(base, *[Waiting(n % 3, lock=f"thread-{n % 5}") for n in range(60)])
    workers = [await Places.new(base) for _ in range(3)]
    await asyncio.gather(*(places.take() for places in workers for _ in range(5)))
    locks = query_as_administrator(base, "select lock from procrastinate_jobs where status = 'doing'")
    assert len(locks) == len({row.lock for row in locks}) <= 5


async def test_other_queues_and_later_times_are_left_alone(base: Services) -> None:
    ids = await put(base, Waiting(queue=OTHERS), Waiting(queue=EVENTS))
    query_as_administrator(
        base,
        "update procrastinate_jobs set scheduled_at = :at where id = :job returning id",
        at=datetime.now(UTC) + timedelta(hours=1),
        job=ids[0],
    )
    places = await Places.new(base)
    assert await places.take([OTHERS]) is None
    assert await places.take([EVENTS]) == ids[1]
    assert await places.take() is None


@pytest.mark.parametrize("threads", [1, 2, 2_000])
async def test_taking_stays_cheap_with_thousands_waiting(base: Services, threads: int) -> None:
    await put(base, *[Waiting(1, lock=f"thread-{n % threads}") for n in range(2_000)])
    await put(base, *[Waiting(2, lock=f"other-{n}") for n in range(8)])
    # A few for each waiting job, and not a few for each pair of them.
    assert max(await pages_of_fetches(base, PLACES)) < 8 * 2_000


@pytest.mark.parametrize("others", [1, 300])
async def test_a_flood_ten_times_as_long_costs_those_behind_it_no_more(base: Services, others: int) -> None:
    async def cost(flood: int) -> int:
        query_as_administrator(base, "delete from procrastinate_jobs")
        await put(base, *[Waiting(1) for _ in range(flood)], *[Waiting(2 + n) for n in range(others)])
        return max(await pages_of_fetches(base, 3))

    assert await cost(5_000) < 2 * await cost(500)


async def test_jobs_that_wait_for_their_time_cost_nothing(base: Services) -> None:
    async def cost(later: int) -> int:
        query_as_administrator(base, "delete from procrastinate_jobs")
        query_as_administrator(
            base,
            "insert into procrastinate_jobs (queue_name, task_name, priority, args, scheduled_at) "
            "select 'default', 'answer', 10, jsonb_build_object('organization_id', n), :at "
            "from generate_series(1, :later) as n",
            at=datetime.now(UTC) + timedelta(days=1),
            later=later,
        )
        (ready,) = await put(base, Waiting(1))
        pages = (await pages_of_fetches(base, 2))[-1]
        (doing,) = query_as_administrator(base, "select id from procrastinate_jobs where status = 'doing'")
        assert doing.id == ready
        return pages

    assert await cost(20_000) < 2 * await cost(10)


async def pages_of_fetches(base: Services, count: int) -> list[int]:
    """How many pages the database looks at for each of the next fetches of one worker.

    The server counts them, and no busy machine changes the figures.
    """
    (worker,) = query_as_administrator(base, "insert into procrastinate_workers default values returning id")
    plans = [
        query_as_administrator(
            base,
            "explain (analyze, buffers, format json) select fetch_fair_job(null, :worker, 8, 6, now())",
            worker=worker.id,
        )
        for _ in range(count)
    ]
    return [plan[0][0][0]["Plan"]["Shared Hit Blocks"] for plan in plans]


# One waiting job is enough, but it must not begin before those who rely on it


async def test_a_waiting_job_begins_after_who_relies_on_it(base: Services) -> None:
    jobs, places = Jobs(), await Places.new(base)
    async with base.database.unscoped() as connection:
        await jobs.defer(connection, SendPostsJob(organization_id=1))
    async with base.database.unscoped() as connection:
        await jobs.defer(connection, SendPostsJob(organization_id=1))
        # What this transaction wrote cannot be seen yet, so the job would miss it.
        assert await places.take() is None
    assert await places.take() is not None
    assert await places.take() is None


async def test_who_finds_that_the_job_has_begun_gets_another(base: Services) -> None:
    jobs, places = Jobs(), await Places.new(base)
    async with base.database.unscoped() as connection:
        await jobs.defer(connection, SendPostsJob(organization_id=1))
    (first,) = await places.fill()
    async with base.database.unscoped() as connection:
        await jobs.defer(connection, SendPostsJob(organization_id=1))
    assert await places.take() is None  # On the same lock, behind the first.
    await places.end(first)
    assert len(await places.fill()) == 1


async def test_many_who_rely_on_one_job_do_not_wait_for_each_other(base: Services) -> None:
    jobs = Jobs()

    async def rely(_: int) -> None:
        async with base.database.unscoped() as connection:
            for organization_id in (1, 2, 3):
                await jobs.defer(connection, SendPostsJob(organization_id=organization_id))

    await asyncio.gather(*map(rely, range(9)))
    (count,) = query_as_administrator(
        base, "select count(*) as jobs from procrastinate_jobs where status = 'todo'"
    )
    assert count.jobs == 3


async def test_what_a_worker_does_not_run_is_put_back_after_its_next_heartbeat(base: Services) -> None:
    (row,) = query_as_administrator(base, "insert into procrastinate_workers default values returning id")
    manager = FairJobManager(base.queue.connector, PLACES, base.clock)
    lost, running, of_another = await put(base, *[Waiting(lock=lock) for lock in ("a", "b", "c")])
    other = await Places.new(base)
    query_as_administrator(
        base,
        "update procrastinate_jobs set status = 'doing', worker_id = :worker where id = :job",
        worker=row.id,
        job=lost,
    )
    job = await manager.fetch_job(None, row.id)
    assert job is not None
    assert (job.id, await other.take()) == (running, of_another)
    assert await manager.fetch_job(None, row.id) is None

    await manager.update_heartbeat(row.id)
    again = await manager.fetch_job(None, row.id)

    assert again is not None
    assert (again.id, again.attempts) == (lost, 1)
    await manager.update_heartbeat(row.id)
    assert await manager.fetch_job(None, row.id) is None


async def test_of_a_lost_job_that_another_waiting_job_replaces_nothing_is_left(base: Services) -> None:
    (row,) = query_as_administrator(base, "insert into procrastinate_workers default values returning id")
    manager = FairJobManager(base.queue.connector, PLACES, base.clock)
    lost, waiting = await put(base, *[Waiting()] * 2)
    query_as_administrator(
        base,
        "update procrastinate_jobs set status = 'doing', worker_id = :worker where id = :job",
        worker=row.id,
        job=lost,
    )
    query_as_administrator(base, "update procrastinate_jobs set queueing_lock = 'same'")

    await manager.update_heartbeat(row.id)
    job = await manager.fetch_job(None, row.id)

    assert job is not None
    assert job.id == waiting
    left = query_as_administrator(base, "select id from procrastinate_jobs")
    assert [row.id for row in left] == [waiting]
