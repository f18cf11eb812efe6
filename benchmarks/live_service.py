"""The service as `python -m bot serve` runs it, web server and worker, against the stand-in for GitHub."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.answer import Log
from benchmarks.cpu_time import CpuTime, read_cpu_time
from benchmarks.many_tenants import FIRST_ID
from demo import scenario
from github_standin.github import StandInGitHub
from storage.embedded import APPLICATION, EmbeddedServer

Json = dict[str, Any]
_COMMON = ("repository", "organization", "installation", "sender")
_PATIENCE_SECONDS = 600
_UNPROCESSED = "github_events where processed_at is null and parked_at is null"
_AGES = """
select extract(epoch from coalesce(processed_at, clock_timestamp()) - created_at)::float8, note
from github_events where organization_id between %s and %s
    and created_at >= to_timestamp(%s) and created_at < to_timestamp(%s)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A comment with a command, ready to be delivered."""

    payload: Json

    @property
    def thread(self) -> str:
        """The path of the thread's comments in GitHub's API."""
        payload = self.payload
        return f"/repos/{payload['repository']['full_name']}/issues/{payload['issue']['number']}/comments"


class LiveService:
    """A running service with one team at the stand-in, whose commands it answers."""

    def __init__(
        self, github: StandInGitHub, server: EmbeddedServer, database: str, folder: Path, url: str
    ) -> None:
        self.server, self.database, self.folder, self.url = server, database, folder, url
        self.github = github
        self._log = Log()
        github.requests = self._log
        self._template: Json = {}
        self._pid = 0

    def started(self, pid: int) -> None:
        """Note the process of `serve`."""
        self._pid = pid

    def cpu_time(self) -> CpuTime:
        """What the processes of the service have used so far."""
        return read_cpu_time(self._pid, self.folder / "postgres")

    def speak_as(self, payload: Json) -> None:
        """Ask questions in the repository of a payload."""
        self._template = {name: payload[name] for name in _COMMON if name in payload}

    async def play_demo(self) -> None:
        """Deliver the demo's sprint, and ask questions about it."""
        last: Json = {}

        async def deliver(event: str, delivery: str, payload: Json) -> None:
            last.update(payload)
            await self.github.send_webhook(event, payload, delivery)

        await scenario.play(self.github, datetime.now(UTC), deliver)
        self.speak_as(last)
        await self.wait_until_processed()

    async def prepare(self, command: str, count: int = 1) -> list[Question]:
        """Comments with a command, each in a thread of its own, that are not delivered yet."""
        repo, questions = self._template["repository"]["full_name"], list[Question]()
        async with self.github.muted():
            for number in range(count):
                issue = await self.github.create_issue(repo, f"Thread {number}")
                comment = await self.github.comment(repo, issue["number"], command)
                about = {"action": "created", "issue": issue, "comment": comment, "sender": comment["user"]}
                questions.append(Question(self._template | about))
        return questions

    async def ask(self, question: Question) -> float:
        """Seconds from the webhook of a comment to the reply that the stand-in accepted."""
        first, started = len(self._log), time.perf_counter()
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self.github.send_webhook("issue_comment", question.payload)
            while True:
                self._log.grown.clear()
                for place in range(first, len(self._log)):
                    if self._log[place][:3] == ("POST", question.thread, 201):
                        return self._log.times[place] - started
                await self._log.grown.wait()

    async def wait_until_processed(self, tenants: range | None = None) -> None:
        """Wait until no delivery waits: of anybody, or of tenants made by `fill_tenants`.

        Raises TimeoutError.
        """
        waiting = _UNPROCESSED
        if tenants is not None:
            waiting += f" and organization_id between {FIRST_ID + tenants[0]} and {FIRST_ID + tenants[-1]}"
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await asyncio.to_thread(common.rows, self.server, waiting, self.database):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def count_jobs(self, task: str) -> int:
        """The jobs of a task that wait in the queue."""
        waiting = f"procrastinate_jobs where task_name = '{task}' and status = 'todo'"
        return common.rows(self.server, waiting, self.database)

    def event_ages(self, tenants: range, since: float, until: float) -> list[float]:
        """Seconds from the receipt of each delivery to its processing, of tenants made by `fill_tenants`.

        Of the deliveries that were received between two moments, in seconds since 1970. One that is not
        processed yet is as old as it is now. Raises RuntimeError if one could not be recorded.
        """
        values = (FIRST_ID + tenants.start, FIRST_ID + tenants.stop - 1, since, until)
        with common.superuser(self.server, self.database) as connection:
            rows = connection.execute(_AGES, values).fetchall()
        notes = [note for _, note in rows if note]
        if notes:
            raise RuntimeError(f"{len(notes)} of {len(rows)} deliveries were not recorded: {notes[0]}")
        return [float(age) for age, _ in rows]


@asynccontextmanager
async def live_service(server: EmbeddedServer, database: str, folder: Path) -> AsyncIterator[LiveService]:
    """Start the stand-in for a service on a migrated database; `serving` starts the service."""
    async with StandInGitHub(webhook_secret=common.SECRET) as github:
        url = f"http://{common.HOST}:{common.free_port()}{common.PATH}"
        yield LiveService(github, server, database, folder, url)


@asynccontextmanager
async def serving(service: LiveService) -> AsyncIterator[None]:
    """Run `python -m bot serve`, and deliver the stand-in's webhooks to it."""
    github = service.github
    port = service.url.removesuffix(common.PATH).rpartition(":")[2]
    environment = common.bot_environment(service.folder, int(port)) | {
        "DATABASE_URL": service.server.address(APPLICATION, service.database),
        "GITHUB_APP_ID": str(github.app_id),
        "GITHUB_APP_PRIVATE_KEY": github.private_key,
        "GITHUB_API_URL": github.url,
    }
    stack = ExitStack()
    # In threads, because the stand-in answers the service meanwhile.
    try:
        bot = common.bot(["serve"], environment, service.folder / "bot.log")
        process = await asyncio.to_thread(stack.enter_context, bot)
        service.started(process.pid)
        github.target = service.url
        yield
    finally:
        github.target = None
        await asyncio.to_thread(stack.close)
