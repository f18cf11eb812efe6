"""Answers the commands of one event exactly once, also if a try dies on the way."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import structlog

import commands
from bot.billing.entitlements import Entitlements
from bot.billing.purchase_links import PurchaseLinks
from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError
from bot.github.repositories import GitHubRepository
from bot.github.threads import GitHubThread
from bot.isolation import isolated
from bot.jobs.answer_messages import build_error, build_reaction, resolve_errors, untick_refused
from bot.jobs.comment_reader import CommentReader
from bot.metrics.instruments import Instruments
from bot.publishing.change_applier import ENDED, ChangeApplier, ChangeTask
from bot.publishing.item_titles import ItemTitles
from bot.publishing.outbox import OutboxPublisher
from bot.publishing.pictures import Pictures
from bot.publishing.repository_locks import OpenRepository, RepositoryBusyError, RepositoryLocks
from bot.sync.installation_check import InstallationCheck
from commands.dispatch import RESUME, CommandEnvironment, Dispatcher
from commands.formatting.wording import footer
from commands.framework.context import Context
from commands.framework.outcome import Answer, Failure, Reply, build_failure, join_failures
from commands.framework.permissions import Level, Policy
from commands.framework.planning import write_in_locale
from commands.framework.registry import Command, load_commands
from commands.framework.request import CommandLine
from commands.framework.slots import separate_outcomes, slot_command
from commands.messages.answering import expired_text, outdated_text, paused_text
from handlers.delivery import Delivery
from storage.changes import ChangeLog, ChangeState, CommandChange
from storage.cipher import PayloadCipher
from storage.database import Database
from storage.deliveries import Deliveries, open_payload
from storage.forecasts import Forecasts, answer_carrier
from storage.jobs import Jobs
from storage.outbox import ANSWERS_LAST, ERROR_SLOT, Message, MessageKind, Outbox, QueuedMessage
from storage.previews import Preview, Previews
from storage.projects import Project, Projects

_PLAN = ["agile", "plan"]
# Its box may still be shown in one of these states: the comment is changed a little later.
_TOO_LATE = frozenset({ChangeState.PROPOSED, ChangeState.OUTDATED, ChangeState.EXPIRED})
# A change in one of these states still waits for somebody who may confirm or finish it.
_UNDECIDED = frozenset({ChangeState.PROPOSED, ChangeState.IN_PROGRESS})
_RETRIED = (GitHubUnavailableError, GitHubRefusedError, RepositoryBusyError)
_STOPPED = "Something went wrong on our side."
_NEUTRAL = "Something went wrong on our side, and the error was logged. Reference: `{delivery}`"


class CommandAnswers:
    """Turns a stored comment into reactions and a reply in its thread."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        github: GitHub,
        pictures: Pictures,
        titles: ItemTitles,
        clock: Callable[[], datetime],
        jobs: Jobs,
        offer: PurchaseLinks,
        *,
        installations: InstallationCheck,
        comments: CommentReader,
        instruments: Instruments,
    ) -> None:
        self._installations = installations
        self._database = database
        self._cipher = cipher
        self._github = github
        self._pictures = pictures
        self._titles = titles
        self._clock = clock
        self._offer = offer
        self._comments = comments
        self._entitlements = Entitlements(database, offer, clock)
        self._publisher = OutboxPublisher(database, clock, instruments)
        self._changing = ChangeApplier(database, clock, jobs)
        self._locks = RepositoryLocks(database, clock)
        self._dispatcher = Dispatcher(load_commands(commands))
        self._log = structlog.get_logger(__name__)

    async def answer(
        self,
        organization_id: int,
        event_id: int,
        *,
        is_last_try: bool,
        may_change: bool = False,
        attempts: int = 0,
    ) -> bool:
        """Answer an event. Work that an earlier attempt finished is not repeated.

        Returns whether it asks for changes, so that it has to be called again where it `may_change` the
        repository.

        Raises GitHubUnavailableError or RepositoryBusyError when it should be called again later; `attempts`
        counts the earlier calls. Any other error is a bug: on the last try, the person reads one neutral
        line, and the error is raised nevertheless.
        """
        loaded_event = await self._load(organization_id, event_id)
        if loaded_event is None:
            return False
        loaded, thread, is_answered = loaded_event
        task = replace(loaded, attempts=attempts)
        await self._send_earlier(task, thread)
        if not is_answered and await self._concerns_us(task):
            if not may_change and self._is_changing(task):
                return True
            messages = await self._prepare(task, thread, is_last_try=is_last_try)
            await self._publisher.send_begun(organization_id, event_id, thread, messages)
        else:
            await self._publisher.send(organization_id, event_id, thread)
        return False

    def _is_changing(self, task: ChangeTask) -> bool:
        """Whether the event asks for changes, by a command or by a tick."""
        return bool(task.request.ticked) or self._dispatcher.is_changing(task.request, _policy(task.project))

    async def _load(
        self, organization_id: int, event_id: int
    ) -> tuple[ChangeTask, GitHubThread, bool] | None:
        """Load a request, its place, and whether it is answered. None if it cannot be answered any more."""
        async with self._database.tenant(organization_id) as tenant:
            event = await Deliveries(tenant).get(event_id)
            if event is None:  # Its retention is over.
                return None
            body = open_payload(self._cipher, event)
            delivery = Delivery(event.delivery, event.event, event.action, body, event.received_at)
            structlog.contextvars.bind_contextvars(delivery=event.delivery, github_event=event.event)
            repository = delivery.envelope.repository
            project = await Projects(tenant).by_node_id(repository.key) if repository else None
            is_answered = await Outbox(tenant).is_answered(event_id)
            started = await ChangeLog(tenant, project.id).started_by(event_id) if project else []
        if repository is not None and project is not None and project.installation is None:
            # GitHub may have been away when the event was recorded: the installation is not confirmed yet.
            await self._installations.run(organization_id)
            async with self._database.tenant(organization_id) as tenant:
                project = await Projects(tenant).by_node_id(repository.key)
        if project is None or project.installation is None or project.full_name is None:
            self._log.warning("no answer: the repository or its installation is not known any more")
            return None
        request = await self._comments.read_request(organization_id, delivery)
        installation = self._github.installation(project.installation)
        github_repository = GitHubRepository(installation, project.full_name)
        task = ChangeTask(organization_id, event_id, project, request, github_repository, dict(started))
        return task, GitHubThread(installation, project.full_name, request.thread), is_answered

    async def _send_earlier(self, task: ChangeTask, thread: GitHubThread) -> None:
        """Send earlier replies in the thread that are still unsent, so that none replaces a newer one."""
        async with self._database.tenant(task.organization_id) as tenant:
            since = self._clock() - ANSWERS_LAST
            events = await Outbox(tenant).unsent_events(
                task.project.id, task.request.thread, task.event_id, since
            )
        for event_id in events:
            with isolated(self._log, "earlier answer not sent", event_id=event_id):
                await self._publisher.send_replies(task.organization_id, event_id, thread)

    async def _concerns_us(self, task: ChangeTask) -> bool:
        """Whether the event has commands of this bot, or ticks boxes in one of its comments.

        The App never answers itself, even if a team lists it among the bots whose commands count.
        """
        request = task.request
        if request.ticked:
            return (await self._github.identity()).is_author(request.text_author)
        if not self._dispatcher.has_command(request, _policy(task.project)):
            return False
        return not request.is_bot or not (await self._github.identity()).is_author(request.text_author)

    async def _prepare(
        self, task: ChangeTask, thread: GitHubThread, *, is_last_try: bool
    ) -> list[QueuedMessage]:
        """Work out the answer and put it into the outbox. Returns its messages, an attempt of each begun."""
        failure: Exception | None = None
        request, organization_id = task.request, task.organization_id
        try:
            with write_in_locale(task.project, self._clock()):
                answers = join_failures(await self._answers_to(task, thread))
                messages = [await self._message(task, answer) for answer in answers if answer.reply]
        except Exception as problem:
            if not is_last_try or isinstance(problem, _RETRIED):
                raise
            failure = problem
            await self._interrupt(task)
            answers = [build_failure(Failure("", _NEUTRAL.format(delivery=request.delivery[:8])))]
            messages = [await self._message(task, answer) for answer in answers]
        async with self._database.tenant(organization_id) as tenant:
            messages += build_reaction(request, answers)
            messages += await untick_refused(tenant, task)
            messages += await resolve_errors(tenant, task, answers)
            await Outbox(tenant).enqueue(task.project.id, task.event_id, request.thread, messages)
            forecasts = Forecasts(tenant, task.project.leader.id)
            for position, reply in enumerate(answer.reply for answer in answers if answer.reply):
                await forecasts.record(answer_carrier(task.event_id, position), reply.forecasts)
            begun = await Outbox(tenant).begin_attempts(task.event_id)
        if failure:
            await self._publisher.send_begun(organization_id, task.event_id, thread, begun)
            raise failure
        return begun

    async def _interrupt(self, task: ChangeTask) -> None:
        """End the changes of an event that a bug has stopped, so that no other change waits for them."""
        async with self._database.tenant(task.organization_id) as tenant:
            log = ChangeLog(tenant, task.project.id)
            for _, change in await log.started_by(task.event_id):
                if change.state is ChangeState.IN_PROGRESS:
                    await log.interrupt(change.id, _STOPPED)

    async def _answers_to(self, task: ChangeTask, thread: GitHubThread) -> list[Answer]:
        """Finish the lines that an earlier attempt started, and run all others."""
        if task.request.ticked:
            return await self._follow_ticks(task, thread)
        resumed = [await self._resume(task, thread, change) for change in task.started.values()]
        rest = tuple(line for line in task.request.lines if line.line not in task.started)
        request = replace(task.request, lines=rest)
        return resumed + await self._run(replace(task, request=request), thread)

    async def _follow_ticks(self, task: ChangeTask, thread: GitHubThread) -> list[Answer]:
        """Carry out the changes whose boxes were ticked, if permitted and if they would still be the same.

        The outcome takes the place of the preview. Who may not confirm it is told so.
        """
        answers = list[Answer]()
        for change_id in task.request.ticked:
            async with self._database.tenant(task.organization_id) as tenant:
                change = await ChangeLog(tenant, task.project.id).get(change_id)
                preview = await Previews(tenant, task.project.id).get(change_id)
            if change is None or preview is None or change.thread != task.request.thread:
                continue
            is_shown = preview.comment_id == task.request.comment_id
            if change.state is ChangeState.IN_PROGRESS or (change.state in ENDED and is_shown):
                # An earlier attempt started it, and may have died before the outcome was shown.
                outcomes = [await self._resume(task, thread, change)]
            elif change.state is ChangeState.PROPOSED and not preview.is_expired(self._clock()):
                outcomes = await self._confirm(task, thread, change)
            else:
                answers += await self._close_preview(task, change_id, preview)
                continue
            async with self._database.tenant(task.organization_id) as tenant:
                if outcomes and all(answer.is_success for answer in outcomes):
                    # If there was nothing to change any more, the answer says so in place of the preview.
                    previews = Previews(tenant, task.project.id)
                    await previews.close(change_id, ChangeState.OUTDATED, self._clock())
                decided = await ChangeLog(tenant, task.project.id).get(change_id)
            if decided is None or decided.state in _UNDECIDED:
                answers += outcomes
            else:
                edits = task.request.comment_id
                answers += [replace(answer, slot=change.slot, edits=edits) for answer in outcomes]
        return answers

    async def _confirm(self, task: ChangeTask, thread: GitHubThread, change: CommandChange) -> list[Answer]:
        """Run the command of a ticked box; a failure if the person may not, or if the bot is paused."""
        policy = _policy(task.project)
        if policy.is_paused and slot_command(change.slot) != RESUME:
            return [build_failure(Failure(slot_command(change.slot), paused_text()))]
        request = replace(task.request, lines=(CommandLine(change.command, 0),))
        return await self._run(replace(task, request=request, confirmed=change), thread)

    async def _close_preview(self, task: ChangeTask, change_id: int, preview: Preview) -> list[Answer]:
        """Say in the comment of a preview that the tick came too late, if it still shows its box."""
        if preview.state not in _TOO_LATE:
            return []
        async with self._database.tenant(task.organization_id) as tenant:
            previews = Previews(tenant, task.project.id)
            await previews.close(change_id, ChangeState.EXPIRED, self._clock())
        if preview.comment_id != task.request.comment_id:
            return []
        is_outdated = preview.state is ChangeState.OUTDATED
        text = (outdated_text if is_outdated else expired_text)(preview.command)
        return [Answer(preview.slot, Reply((text,)), is_success=False, edits=preview.comment_id)]

    async def _resume(self, task: ChangeTask, thread: GitHubThread, change: CommandChange) -> Answer:
        """Finish a change that an earlier attempt started, if the person may still make it."""
        if change.state is not ChangeState.IN_PROGRESS:
            return await self._changing.carry_out(task, change)
        task.repository.forget_level(task.request.sender)
        refusal = await self._dispatcher.find_refusal(
            task.request, self._environment(task, thread), change.slot
        )
        if refusal is None:
            return await self._changing.carry_out(task, change)
        if (change.decided_by or change.actor).lower() != task.request.sender.lower():
            # Only the person who started a change may resume it.
            return build_failure(Failure(slot_command(change.slot), refusal))
        return await self._changing.give_up(task, change, refusal)

    async def _run(self, task: ChangeTask, thread: GitHubThread) -> list[Answer]:
        if self._dispatcher.is_changing(task.request, _policy(task.project)):
            task.repository.forget_level(task.request.sender)
        answers = await self._dispatcher.answer(task.request, self._environment(task, thread))
        return await self._with_notice(task, answers)

    def _environment(self, task: ChangeTask, thread: GitHubThread) -> CommandEnvironment:
        entitled = self._entitlements.for_project(task.organization_id, task.project)
        answers = list[Answer]()

        async def run_call(run: Callable[[Context], Awaitable[Answer]], command: Command | None) -> Answer:
            has_changed = bool(task.started) or any(answer.changes for answer in answers)
            needs_lock = has_changed or (command and command.is_changing)
            needs_history = has_changed or command is None or command.needs_history
            locked = self._locks.acquire(task, needs_history=needs_history, is_patient=bool(answers))
            async with locked if needs_lock else self._open(task) as opened:
                current = replace(task, project=opened.project)
                context = Context(
                    opened.tenant,
                    opened.project,
                    self._clock(),
                    entitled,
                    request=task.request,
                    github=task.repository,
                    offer=self._offer,
                )
                taken = [change.slot for change in task.started.values()]
                answers[:] = separate_outcomes([*answers, await run(context)], taken)
                decision = await self._changing.decide(opened.tenant, current, answers[-1])
            return await self._changing.finish(current, decision)

        return CommandEnvironment(
            thread,
            task.repository,
            _policy(task.project),
            run_call,
            is_public=not task.project.is_private,
            entitled=entitled,
        )

    @asynccontextmanager
    async def _open(self, task: ChangeTask) -> AsyncIterator[OpenRepository]:
        """Open a transaction for a command that changes nothing."""
        async with self._database.tenant(task.organization_id) as tenant:
            yield OpenRepository(tenant, task.project)

    async def _with_notice(self, task: ChangeTask, answers: list[Answer]) -> list[Answer]:
        """Add a quiet line for an owner below the last answer if something is due about the plan."""
        replied = [answer for answer in answers if answer.is_success and answer.reply]
        if not self._offer.is_on or not replied or replied[-1].reply is None:
            return answers
        if any(answer.slot.split(" ")[:2] == _PLAN for answer in replied):
            return answers  # The plan's own reply says all of it.
        if await task.repository.find_level(task.request.sender) < Level.ADMIN:
            return answers
        is_public = not task.project.is_private
        line = await self._entitlements.find_notice(
            task.organization_id,
            is_public=is_public,
            project_id=task.project.id,
            thread=task.request.thread,
        )
        if line is None:
            return answers
        last, reply = replied[-1], replied[-1].reply
        with_notice = replace(last, reply=replace(reply, parts=(*reply.parts, footer(line))))
        return [with_notice if answer is last else answer for answer in answers]

    async def _message(self, task: ChangeTask, answer: Answer) -> Message:
        if answer.slot == ERROR_SLOT:
            return build_error(task.request.sender, answer.failures)
        body = await self._pictures.to_markdown(
            task.organization_id, task.project, answer.reply.parts if answer.reply else ()
        )
        async with self._database.tenant(task.organization_id, durable=False) as tenant:
            body = await self._titles.add(tenant, task.project, body)
        return Message(
            MessageKind.REPLY,
            body,
            answer.slot,
            comment_id=answer.edits,
            is_new=answer.is_new,
            change_id=answer.proposal,
        )


def _policy(project: Project) -> Policy:
    return Policy(project.settings, project.other_bots)
