"""An answer is given by the worker that recorded its command, without fetching a job, and only once."""

import asyncio
from typing import Any

import pytest

from bot.job_blueprint import JobServices
from bot.jobs.command_answers import CommandAnswers
from bot.jobs.event_processor import EventProcessor, Processed
from bot.jobs.sweep import sweep
from storage.fair_jobs import FairJobManager
from storage.job_types import AnswerJob
from storage.jobs import Jobs
from tests.support.running import Bot, query_as_administrator, wait_until
from tests.support.sprints import make_sprint

_ANSWERS = "select status, attempts from procrastinate_jobs where task_name = 'answer' order by id"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that the worker fetches from the queue."""
    fetch, names = FairJobManager.fetch_job, list[str]()

    async def fetch_and_note(manager: FairJobManager, *arguments: Any, **options: Any) -> Any:
        job = await fetch(manager, *arguments, **options)
        if job is not None:
            names.append(job.task_name)
        return job

    monkeypatch.setattr(FairJobManager, "fetch_job", fetch_and_note)
    return names


async def test_an_answer_is_not_fetched_from_the_queue(bot: Bot, fetched: list[str]) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/help")

    assert len(await bot.answers(number)) == 1
    assert fetched.count("process_events") >= 1
    assert AnswerJob.name not in fetched
    assert query_as_administrator(bot.base, _ANSWERS) == []


async def test_answers_of_a_busy_thread_wait_in_the_queue_and_are_given_in_order(
    bot: Bot, fetched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    answer, begun, may_end = CommandAnswers.answer, list[int](), asyncio.Event()

    async def answer_when_allowed(answers: CommandAnswers, tenant: int, event: int, **options: Any) -> None:
        begun.append(event)
        await may_end.wait()
        await answer(answers, tenant, event, **options)

    monkeypatch.setattr(CommandAnswers, "answer", answer_when_allowed)
    await bot.github.comment(bot.repo, number, "/help", as_user="alice")

    async def has_begun() -> bool:
        return bool(begun)

    await wait_until(has_begun)
    await bot.github.comment(bot.repo, number, "/sprint status new:yes", as_user="alice")

    async def waits() -> bool:
        return [job.status for job in query_as_administrator(bot.base, _ANSWERS)] == ["doing", "todo"]

    await wait_until(waits)
    assert len(begun) == 1
    may_end.set()
    await bot.rest()

    first, second = await bot.answers(number)
    assert ("/help" in first, "Sprint 12" in second) == (True, True)
    assert begun == sorted(set(begun))
    assert fetched.count(AnswerJob.name) == 1


async def test_an_answer_whose_worker_died_after_recording_is_given_by_another(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, process = await make_sprint(bot), EventProcessor.process_pending

    async def record_and_die(*arguments: Any, **options: Any) -> Processed:
        """The answer is started for a worker that is not registered any more."""
        return Processed((await process(*arguments, **options | {"worker_id": 0})).deliveries)

    with monkeypatch.context() as patch:
        patch.setattr(EventProcessor, "process_pending", record_and_die)
        query_as_administrator(
            bot.base, "insert into procrastinate_workers (id) overriding system value values (0)"
        )
        await bot.github.comment(bot.repo, number, "/help", as_user="alice")

        async def is_started() -> bool:
            return [job.status for job in query_as_administrator(bot.base, _ANSWERS)] == ["doing"]

        await wait_until(is_started)
    assert await bot.answers(number) == []
    query_as_administrator(bot.base, "delete from procrastinate_workers where id = 0")

    base = bot.base
    queue = FairJobManager(base.queue.connector, 1, base.clock)
    parts: dict[type, object] = {FairJobManager: queue}
    await sweep(JobServices(base.database, Jobs(), base.clock, parts, base.instruments))
    await bot.rest()

    assert len(await bot.answers(number)) == 1
    assert query_as_administrator(bot.base, _ANSWERS) == []  # It has ended, and was deleted.


async def test_a_bug_in_an_answer_puts_its_job_back(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    number, tries = await make_sprint(bot), list[bool]()
    answer = CommandAnswers.answer

    async def fail_once(answers: CommandAnswers, *arguments: int, is_last_try: bool) -> None:
        tries.append(is_last_try)
        if len(tries) == 1:
            raise RuntimeError("a bug")
        await answer(answers, *arguments, is_last_try=is_last_try)

    monkeypatch.setattr(CommandAnswers, "answer", fail_once)
    await bot.github.comment(bot.repo, number, "/help", as_user="alice")

    async def is_answered() -> bool:
        return len(await bot.answers(number)) == 1

    await wait_until(is_answered)
    assert tries == [False, False]
