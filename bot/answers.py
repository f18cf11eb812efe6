"""Answers the commands of one event: once, whatever happens in between."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

import commands
from bot.github import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.pictures import Pictures
from bot.publish import Publisher
from bot.thread import GitHubThread
from commands.context import Context
from commands.dispatch import Dispatcher
from commands.outcome import Answer, Picture, Reply
from commands.registry import load
from commands.request import Request
from handlers.delivery import Delivery
from handlers.issue_comment import request_of
from storage.cipher import PayloadCipher
from storage.database import Database
from storage.deliveries import Deliveries
from storage.outbox import Kind, Message, Outbox
from storage.projects import Project, Projects
from storage.sprints import Sprints

_NEUTRAL = "Something went wrong on our side; it has been noted. Reference: `{delivery}`"


class Answers:
    """From a stored comment to reactions and a reply in its thread."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        github: GitHub,
        pictures: Pictures,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._github = github
        self._pictures = pictures
        self._clock = clock
        self._publisher = Publisher(database, clock)
        self._dispatcher = Dispatcher(load(commands))
        self._log = structlog.get_logger(__name__)

    async def give(self, organization_id: int, event_id: int, *, is_last_try: bool) -> None:
        """Answers an event. What was done before, by this call or one that died, is not done again.

        Raises GitHubUnavailableError when it should be called again later. Another failure is a bug: on the
        last try the person reads one neutral line, and it is raised all the same.
        """
        found = await self._find(organization_id, event_id)
        if found is None:
            return
        request, project, thread, is_answered = found
        if not is_answered and self._dispatcher.concerns_us(request):
            await self._prepare(organization_id, event_id, request, project, thread, is_last_try=is_last_try)
        await self._publisher.send(organization_id, event_id, thread)

    async def _find(
        self, organization_id: int, event_id: int
    ) -> tuple[Request, Project, GitHubThread, bool] | None:
        async with self._database.tenant(organization_id) as tenant:
            event = await Deliveries(tenant).get(event_id)
            if event is None:  # Its retention is over.
                return None
            body = self._cipher.open(event.payload)
            delivery = Delivery(event.delivery, event.event, event.action, body, event.received_at)
            structlog.contextvars.bind_contextvars(delivery=event.delivery, github_event=event.event)
            repository = delivery.frame.repository
            project = await Projects(tenant).of_repository(repository.key) if repository else None
            is_answered = await Outbox(tenant).is_answered(event_id)
        if project is None or project.installation is None or project.full_name is None:
            self._log.warning("no answer: the repository or its installation is not known any more")
            return None
        request = request_of(delivery)
        installation = self._github.installation(project.installation)
        thread = GitHubThread(installation, project.full_name, request.thread)
        return request, project, thread, is_answered

    async def _prepare(
        self,
        organization_id: int,
        event_id: int,
        request: Request,
        project: Project,
        thread: GitHubThread,
        *,
        is_last_try: bool,
    ) -> None:
        """Works out the answer and puts it into the outbox."""
        failure: Exception | None = None
        try:
            answers = await self._work_out(organization_id, request, project, thread)
            messages = [await self._message(organization_id, answer) for answer in answers if answer.reply]
        except Exception as problem:
            if not is_last_try or isinstance(problem, GitHubUnavailableError | GitHubRefusedError):
                raise
            failure = problem
            text = _NEUTRAL.format(delivery=request.delivery[:8])
            answers, messages = [], [Message(Kind.REPLY, text, "error")]
        succeeded = bool(answers) and all(answer.is_success for answer in answers)
        reaction = Message(Kind.REACTION, "+1" if succeeded else "confused", comment_id=request.comment_id)
        # The publisher's first transaction waits for the disk, for this one too.
        async with self._database.tenant(organization_id, waits=False) as tenant:
            await Outbox(tenant).put(project.id, event_id, request.thread, [*messages, reaction])
        if failure:
            await self._publisher.send(organization_id, event_id, thread)
            raise failure

    async def _work_out(
        self, organization_id: int, request: Request, project: Project, thread: GitHubThread
    ) -> list[Answer]:
        @asynccontextmanager
        async def context() -> AsyncIterator[Context]:
            async with self._database.tenant(organization_id) as tenant:
                sprints = Sprints(tenant, project.id, project.rules)
                yield Context(request, project, sprints, self._clock())

        return await self._dispatcher.answer(request, thread, context)

    async def _message(self, organization_id: int, answer: Answer) -> Message:
        body = await self._markdown(organization_id, answer.reply or Reply(()))
        return Message(Kind.REPLY, body, answer.slot)

    async def _markdown(self, organization_id: int, reply: Reply) -> str:
        parts = []
        for part in reply.parts:
            if isinstance(part, Picture):
                link = await self._pictures.link(organization_id, part.burndown)
                parts.append(f"![{part.alt}]({link})")
            else:
                parts.append(part)
        return "\n\n".join(parts)
