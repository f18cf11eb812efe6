"""Carries out the changes that commands request: with a preview if needed, once, and with an audit log."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.github.client import GitHubRefusedError
from bot.github.markers import Mark
from bot.github.repositories import GitHubRepository
from bot.publishing.change_answers import build_final_answer, build_preview_answer, build_text_answer
from bot.publishing.undone_changes import record_undone_steps
from commands.formatting.wording import person
from commands.framework.boxes import render_box
from commands.framework.changes import (
    ApproveSeats,
    Changes,
    ChangeSetting,
    CreateMilestone,
    EditMilestone,
    ExcludeFromSprint,
    LinkIssue,
    MoveItem,
    OpenIssue,
    ProposeFile,
    RecordFact,
    Relabel,
    Resync,
    SetBlocked,
    Step,
    decode_steps,
    encode_steps,
    step_repository,
)
from commands.framework.outcome import Answer, Failure, Reply, build_failure
from commands.framework.permissions import Level
from commands.framework.request import CommandLine, Request
from commands.framework.slots import slot_command
from commands.messages.change_results import (
    SEATS_HAVE_CHANGED,
)
from commands.messages.change_steps import list_refusals, step_target_text
from commands.messages.refusals import no_role_elsewhere_text, not_your_box_text, settled_elsewhere_text
from sprints.model import EventSource, ItemEvent, sort_events
from sprints.people import same_login
from sprints.pull_requests import create_aside_event
from storage.changes import AuditEntry, ChangeLog, ChangeState, CommandChange, Proposal
from storage.database import Database, Tenant
from storage.job_types import BackfillJob, ExpirePreviewJob, ReconcileJob
from storage.jobs import Jobs
from storage.previews import PREVIEWS_LAST, Previews
from storage.projects import LED_SETTINGS, Project, Projects
from storage.pull_requests import PullRequests
from storage.recorder import Recorder, TimelineRow
from storage.seat_increases import IncreaseTerms, SeatIncreases
from storage.subscriptions import Subscriptions
from storage.timeline import Timeline

_CLOCK_DIFFERENCE = timedelta(minutes=5)
ENDED = frozenset({ChangeState.APPLIED, ChangeState.FAILED, ChangeState.INTERRUPTED, ChangeState.UNDONE})


@dataclass(frozen=True, slots=True)
class ChangeTask:
    """One event that requests changes in one repository.

    `started` are the changes, by line, that an earlier attempt for the event has started. `confirmed` is the
    change whose box was ticked. `attempts` counts earlier attempts.
    """

    organization_id: int
    event_id: int
    project: Project
    request: Request
    repository: GitHubRepository
    started: Mapping[int, CommandChange] = field(default_factory=dict)
    confirmed: CommandChange | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer whose changes were decided on: complete, unless `started` is still to be carried out."""

    answer: Answer
    started: CommandChange | None = None


async def find_refusal_elsewhere(task: ChangeTask, steps: Sequence[Step]) -> str:
    """Explain why steps cannot be carried out from this repository; empty if all of them can.

    Steps in other repositories of a sprint need the sender's write role there.
    """
    if task.project.is_led and any(
        isinstance(step, ChangeSetting) and step.key in LED_SETTINGS for step in steps
    ):
        return settled_elsewhere_text(task.project.leader.full_name or "")
    for name in sorted({step_repository(step) for step in steps} - {""}):
        repository = task.repository.elsewhere(name)
        repository.forget_level(task.request.sender)
        level = await repository.find_level(task.request.sender)
        if level < Level.WRITE:
            return no_role_elsewhere_text(name)
    return ""


class ChangeApplier:
    """Applies changes to GitHub and to the App's own data."""

    def __init__(self, database: Database, clock: Callable[[], datetime], jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._log = structlog.get_logger(__name__)

    async def decide(self, tenant: Tenant, task: ChangeTask, answer: Answer) -> Decision:
        """Start an answer's changes, or propose them in a preview, in the transaction that computed them."""
        changes, call = answer.changes, answer.call
        if changes is None or call is None:
            return Decision(answer)
        if changes.is_personal:
            return Decision(await self._answer_personally(tenant, task, answer, changes, call))
        if not changes.steps:
            return Decision(replace(answer, reply=Reply((changes.done,)), changes=None))
        if refusal := await find_refusal_elsewhere(task, changes.steps):
            return Decision(build_failure(Failure(slot_command(answer.slot), refusal)))
        proposal = _proposal(task, answer.slot, changes, call)
        if task.confirmed is not None:
            return await self._decide_confirmed(tenant, task, task.confirmed, proposal, changes)
        decision = await self._start_or_propose(
            tenant, task, proposal, changes, is_confirmed=answer.is_confirmed
        )
        return replace(decision, answer=replace(decision.answer, is_new=answer.is_new))

    async def finish(self, task: ChangeTask, decision: Decision) -> Answer:
        """Carry out the change that was started, if one was. Returns the answer with its text."""
        if decision.started is None:
            return decision.answer
        return replace(await self.carry_out(task, decision.started), is_new=decision.answer.is_new)

    async def _start_or_propose(
        self, tenant: Tenant, task: ChangeTask, proposal: Proposal, changes: Changes, *, is_confirmed: bool
    ) -> Decision:
        """Start changes where no preview is due, or show the preview."""
        log, sender = ChangeLog(tenant, task.project.id), task.request.sender
        own = await log.find(proposal.event_id, proposal.line)
        if own is not None and own.state is ChangeState.PROPOSED:  # An earlier attempt has shown its preview.
            return Decision(build_preview_answer(own, changes, is_stale=False))
        waiting = await log.pending_proposal(task.request.thread, proposal.command)
        is_stale = waiting is not None and waiting.fingerprint != proposal.fingerprint
        if waiting is not None:
            await log.decide(waiting.id, ChangeState.OUTDATED, sender, self._clock())
        is_started = not changes.is_previewed or (is_confirmed and not is_stale and not changes.needs_tick)
        if is_started:
            change = await log.record(proposal, ChangeState.IN_PROGRESS)
            await log.decide(change.id, ChangeState.IN_PROGRESS, sender, self._clock())
        else:
            change = await self._propose(tenant, task, proposal)
        previews = Previews(tenant, task.project.id)
        await previews.outdate_others(change.thread, change.slot, change.id, self._clock())
        if is_started:
            return Decision(build_text_answer(change.slot, change.done), change)
        return Decision(build_preview_answer(change, changes, is_stale=is_stale and is_confirmed))

    async def _propose(self, tenant: Tenant, task: ChangeTask, proposal: Proposal) -> CommandChange:
        """Record a proposal, whose box goes away after a while."""
        change = await ChangeLog(tenant, task.project.id).record(proposal, ChangeState.PROPOSED)
        job = ExpirePreviewJob(
            organization_id=task.organization_id,
            project_id=task.project.id,
            change_id=change.id,
            thread=f"thread:{task.project.id}:{proposal.thread}",
        )
        await self._jobs.defer(tenant.connection, job, self._clock() + PREVIEWS_LAST)
        return change

    async def _answer_personally(
        self, tenant: Tenant, task: ChangeTask, answer: Answer, changes: Changes, call: CommandLine
    ) -> Answer:
        """Post an answer about the asker once the asker agrees to its readers; it is not stored before."""
        confirmed, sender = task.confirmed, task.request.sender
        if confirmed is not None and not same_login(confirmed.actor, sender):
            text = not_your_box_text(person(confirmed.actor))
            return build_failure(Failure(slot_command(answer.slot), text))
        if not changes.needs_consent or confirmed is not None or answer.is_confirmed:
            return replace(answer, reply=Reply((changes.done,)), changes=None)
        proposal = replace(_proposal(task, answer.slot, changes, call), done="")
        change = await self._propose(tenant, task, proposal)
        previews = Previews(tenant, task.project.id)
        await previews.outdate_others(change.thread, change.slot, change.id, self._clock())
        text = f"{changes.preview}\n\n{render_box(change.id)}"
        return replace(build_text_answer(answer.slot, text), proposal=change.id, is_new=answer.is_new)

    async def carry_out(self, task: ChangeTask, change: CommandChange) -> Answer:
        """Carry out a started change. Steps are idempotent, so that this can be repeated after a crash."""
        if change.state in ENDED:
            return build_final_answer(change)
        started_at = change.decided_at or self._clock()
        done, refusals = list[Step](), list[str]()
        for n, step in enumerate(decode_steps(change.steps)):
            try:
                done.append(await self._apply_step(task, step, f"change:{change.id}/{n}", started_at))
            except GitHubRefusedError as refusal:
                self._log.info("change refused by GitHub", target=step.target, reason=str(refusal))
                refusals.append(f"{step_target_text(step)}: {refusal.in_markdown}")
                if change.undoes is None:  # The steps of an undo do not build on each other.
                    break
        note = list_refusals(refusals)
        app = await task.repository.read_own_login() if change.undoes is not None else ""
        async with self._database.tenant(task.organization_id) as tenant:
            await self._record(tenant, task, change, done, note)
            if change.undoes is not None and done:
                await self._mark_undone(tenant, task, change, done, app)
            ended = await ChangeLog(tenant, task.project.id).get(change.id)
        return build_final_answer(ended or change)

    async def give_up(self, task: ChangeTask, change: CommandChange, why: str) -> Answer:
        """End a started change, because its author may not run the command any more: `why`, in Markdown."""
        entry = AuditEntry(
            change.decided_by or change.actor,
            change.command,
            ChangeState.INTERRUPTED,
            {"interrupted": msgspec.json.decode(change.steps), "delivery": task.request.delivery},
            self._clock(),
        )
        async with self._database.tenant(task.organization_id) as tenant:
            log = ChangeLog(tenant, task.project.id)
            await log.record_audit_entry(entry)
            await log.interrupt(change.id, why)
            ended = await log.get(change.id)
        return build_final_answer(ended or change)

    async def _decide_confirmed(
        self,
        tenant: Tenant,
        task: ChangeTask,
        confirmed: CommandChange,
        proposal: Proposal,
        changes: Changes,
    ) -> Decision:
        """Start a change whose box was ticked. If the facts have changed since, show a new preview."""
        log, is_same = ChangeLog(tenant, task.project.id), proposal.fingerprint == confirmed.fingerprint
        state = ChangeState.IN_PROGRESS if is_same else ChangeState.OUTDATED
        await log.decide(confirmed.id, state, task.request.sender, self._clock())
        change = await log.get(confirmed.id) if is_same else await self._propose(tenant, task, proposal)
        if change is None:
            raise LookupError("a change that was just decided on is not there")
        if is_same:
            return Decision(build_text_answer(change.slot, change.done), change)
        return Decision(build_preview_answer(change, changes, is_stale=True))

    async def _apply_step(self, task: ChangeTask, step: Step, name: str, started_at: datetime) -> Step:
        """Carry out a step. Returns it with the values assigned by GitHub, such as a new milestone's id."""
        full_name = step_repository(step)
        repository = task.repository.elsewhere(full_name) if full_name else task.repository
        match step:
            case MoveItem():
                await repository.move_item(step)
            case Relabel():
                await repository.relabel(step)
            case CreateMilestone():
                return await repository.create_milestone(step)
            case EditMilestone():
                await repository.edit_milestone(step)
            case OpenIssue():
                since = (started_at - _CLOCK_DIFFERENCE).strftime("%Y-%m-%dT%H:%M:%SZ")
                mark = Mark(task.organization_id, task.project.id, "issues", name)
                return await repository.open_issue(step, mark, since)
            case SetBlocked():
                await repository.block(step)
            case ProposeFile():
                await repository.propose(step)
            case LinkIssue():
                await repository.link(step)
            case RecordFact() | ChangeSetting() | ExcludeFromSprint() | Resync() | ApproveSeats():
                pass  # Changes of the App's own data are made in one transaction with their record.
        return step

    async def _record(
        self, tenant: Tenant, task: ChangeTask, change: CommandChange, done: Sequence[Step], note: str | None
    ) -> None:
        log, now, actor = ChangeLog(tenant, task.project.id), self._clock(), change.decided_by or change.actor
        for step in done:
            if isinstance(step, ChangeSetting):
                await Projects(tenant).apply_setting_change(
                    task.project.id, step.key, step.before, step.after
                )
            elif isinstance(step, RecordFact):
                await self._record_fact(tenant, task, step, actor, now)
            elif isinstance(step, ExcludeFromSprint):
                await PullRequests(tenant, task.project.id).record(
                    create_aside_event(step.number, step.milestone, actor, now, is_aside=step.is_aside)
                )
            elif isinstance(step, Resync):
                await self._resync(tenant, task, step)
            elif isinstance(step, ApproveSeats) and not await _approve(tenant, step, actor, now):
                await log.interrupt(change.id, SEATS_HAVE_CHANGED)
                return
            details = {"step": msgspec.to_builtins(step), "delivery": task.request.delivery}
            await log.record_audit_entry(AuditEntry(actor, change.command, step.target, details, now))
        await log.finish(change.id, encode_steps(done), note, now)

    async def _mark_undone(
        self, tenant: Tenant, task: ChangeTask, undo: CommandChange, done: Sequence[Step], app: str
    ) -> None:
        """Mark the change that `undo` has undone, so that neither of them counts."""
        log = ChangeLog(tenant, task.project.id)
        undone = await log.get(undo.undoes) if undo.undoes is not None else None
        if undone is not None:
            await log.mark_undone(undone.id)
            await record_undone_steps(tenant, task.project, undone, undo.id, done, app)

    async def _resync(self, tenant: Tenant, task: ChangeTask, step: Resync) -> None:
        where, project_id = tenant.organization_id, task.project.id
        await self._jobs.defer(tenant.connection, ReconcileJob(organization_id=where))
        if step.is_whole:
            job = BackfillJob(organization_id=where, project_id=project_id, is_wanted=True)
            await self._jobs.defer(tenant.connection, job)

    async def _record_fact(
        self, tenant: Tenant, task: ChangeTask, step: RecordFact, actor: str, now: datetime
    ) -> None:
        timeline = Timeline(tenant)
        events = await timeline.item(task.project.id, step.number)
        if not events:
            return
        latest = sort_events(events)[-1]
        blocking = await timeline.item(task.project.id, step.by) if step.by else []
        fact = ItemEvent(
            item=latest.item,
            event=step.event,
            at=now,  # Not in whole seconds like GitHub's times: the fact comes after the events it is about.
            delivery=task.request.delivery,
            snapshot=replace(latest.snapshot, closes=None),  # A command is no evidence of links.
            named=step.since or (blocking[0].item if blocking else None),
            actor=actor,
            source=EventSource.WEBHOOK,
            reason=step.reason or None,
        )
        await Recorder(tenant).record([TimelineRow(task.project.id, fact)])


async def _approve(tenant: Tenant, step: ApproveSeats, actor: str, now: datetime) -> bool:
    """Approve an increase of seats; False if the waiting increase has other terms than those confirmed."""
    await Subscriptions(tenant).lock()
    increases = SeatIncreases(tenant)
    terms = IncreaseTerms(step.reference, step.after, step.unit_amount, step.currency)
    if await increases.approve(terms, actor, now):
        return True
    increase = await increases.current()  # An attempt that crashed may have approved it.
    return increase is not None and not increase.is_waiting and increase.terms == terms


def _proposal(task: ChangeTask, slot: str, changes: Changes, call: CommandLine) -> Proposal:
    return Proposal(
        event_id=task.event_id,
        line=call.line,
        thread=task.request.thread,
        command=call.text,
        slot=slot,
        actor=task.request.sender,
        summary=changes.summary,
        steps=encode_steps(changes.steps),
        fingerprint=changes.fingerprint,
        done=changes.done,
        undoes=changes.undoes,
    )
