"""An answer is given by the worker that recorded its command, without fetching a job, and only once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import OperationalError

from bot.job_blueprint import JobServices
from bot.jobs.command_answers import CommandAnswers
from bot.jobs.event_processor import EventProcessor, Processed
from bot.jobs.sweep import sweep
from storage.database import Database, Tenant
from storage.fair_jobs import FairJobManager, start_job
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
        start = partial(start_job, worker_id=0)
        return Processed((await process(*arguments, **options | {"start": start})).deliveries)

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

    async def fail_once(answers: CommandAnswers, *arguments: int, is_last_try: bool, **options: Any) -> bool:
        tries.append(is_last_try)
        if len(tries) == 1:
            raise RuntimeError("a bug")
        return await answer(answers, *arguments, is_last_try=is_last_try, **options)

    monkeypatch.setattr(CommandAnswers, "answer", fail_once)
    await bot.github.comment(bot.repo, number, "/help", as_user="alice")

    async def is_answered() -> bool:
        return len(await bot.answers(number)) == 1

    await wait_until(is_answered)
    assert tries == [False, False]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The events that the worker begins to answer."""
    answer, events = CommandAnswers.answer, list[int]()

    async def answer_and_note(answers: CommandAnswers, tenant: int, event: int, **options: Any) -> None:
        events.append(event)
        await answer(answers, tenant, event, **options)

    monkeypatch.setattr(CommandAnswers, "answer", answer_and_note)
    return events


async def test_an_answer_is_given_if_the_reply_to_the_commit_of_its_start_is_lost(
    bot: Bot, answered: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    number, open_transaction, broken = await make_sprint(bot), Database.tenant, list[bool]()

    @asynccontextmanager
    async def break_after_start(database: Database, *arguments: Any, **options: Any) -> AsyncIterator[Tenant]:
        async with open_transaction(database, *arguments, **options) as transaction:
            yield transaction
        if not broken and query_as_administrator(bot.base, _ANSWERS):
            broken.append(True)
            raise OperationalError("commit", {}, psycopg.OperationalError("the connection was closed"))

    monkeypatch.setattr(Database, "tenant", break_after_start)
    await bot.say(number, "/help")
    await bot.say(number, "/sprint status new:yes")

    help_text, status = await bot.answers(number)
    assert ("/help" in help_text, "Sprint 12" in status) == (True, True)
    assert (broken, len(answered)) == ([True], 2)


@pytest.mark.parametrize("is_done", [False, True], ids=["before it", "after it"])
async def test_a_connection_that_breaks_at_the_end_of_an_answer_neither_repeats_it_nor_locks_its_thread(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    number = await make_sprint(bot)
    broken = break_once(bot, monkeypatch, "finish_running_job", is_done=is_done)
    await bot.say(number, "/help")
    await bot.say(number, "/sprint status new:yes")

    help_text, status = await bot.answers(number)
    assert ("/help" in help_text, "Sprint 12" in status) == (True, True)
    assert broken == [True]
    assert query_as_administrator(bot.base, "select from procrastinate_jobs where status = 'failed'") == []


@pytest.mark.parametrize("is_done", [False, True], ids=["before it", "after it"])
async def test_a_connection_that_breaks_when_an_answer_is_put_back_neither_loses_nor_repeats_it(
    bot: Bot, answered: list[int], monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    number, answer, failed = await make_sprint(bot), CommandAnswers.answer, list[bool]()

    async def fail_once(answers: CommandAnswers, *arguments: int, is_last_try: bool, **options: Any) -> bool:
        if not failed:
            failed.append(is_last_try)
            raise RuntimeError("a bug")
        return await answer(answers, *arguments, is_last_try=is_last_try, **options)

    monkeypatch.setattr(CommandAnswers, "answer", fail_once)
    broken = break_once(bot, monkeypatch, "retry_running_job", is_done=is_done)
    await bot.github.comment(bot.repo, number, "/help", as_user="alice")

    async def is_answered() -> bool:
        return len(await bot.answers(number)) == 1

    await wait_until(is_answered)
    await bot.say(number, "/sprint status new:yes")
    assert len(await bot.answers(number)) == 2
    assert (broken, len(answered)) == ([True], 2)


def break_once(bot: Bot, monkeypatch: pytest.MonkeyPatch, function: str, *, is_done: bool) -> list[bool]:
    """Break the connection at an answer's first call of a function of the queue.

    If `is_done`, only the reply is lost. Returns a list with one entry once the connection is broken.
    """
    connector, broken = bot.base.queue.connector, list[bool]()
    execute = connector.execute_query_async

    async def break_at_answer(query: str, **values: Any) -> None:
        is_answer = function in query and query_as_administrator(
            bot.base,
            "select from procrastinate_jobs where id = :job and task_name = 'answer'",
            job=values["job_id"],
        )
        if broken or not is_answer:
            return await execute(query=query, **values)
        broken.append(True)
        if is_done:
            await execute(query=query, **values)
        raise ConnectorException("the connection was closed")

    monkeypatch.setattr(connector, "execute_query_async", break_at_answer)
    return broken
