"""Carries out what commands want to change: shown first where it is due, done once, written down."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.github.client import GitHubRefusedError
from bot.github.markers import Mark
from bot.github.repositories import GitHubRepository
from commands.formatting.wording import code
from commands.framework.boxes import box_for
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
    repository_of,
)
from commands.framework.outcome import Answer, Reply
from commands.framework.permissions import Level
from commands.framework.request import CommandLine, Request
from commands.messages.change_steps import target_words
from sprints.model import ItemEvent, Source, in_order
from sprints.pull_requests import set_aside
from storage.changes import AuditEntry, ChangeLog, ChangeState, CommandChange, Proposal
from storage.database import Database, Tenant
from storage.job_types import BackfillJob, ReconcileJob
from storage.jobs import Jobs
from storage.projects import LED_SETTINGS, Project, Projects
from storage.pull_requests import PullRequests
from storage.seat_increases import IncreaseTerms, SeatIncreases
from storage.subscriptions import Subscriptions
from storage.timeline import Timeline, TimelineRow

# It looks for a word only where blanks begin: to look at each of many blanks takes minutes.
_CONFIRM = re.compile(r"(?<!\s)\s+confirm:\S+", re.IGNORECASE)
_CLOCK_DIFFERENCE = timedelta(minutes=5)
_SEATS_HAVE_CHANGED = (
    "the number of people or the price has changed. Run `/agile seats` to see what waits now."
)
_ENDED = frozenset({ChangeState.APPLIED, ChangeState.FAILED, ChangeState.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class ChangeTask:
    """One event that asks for changes, in one repository. `agreed` is the change whose box was ticked."""

    organization_id: int
    event_id: int
    project: Project
    request: Request
    repository: GitHubRepository
    agreed: CommandChange | None = None


async def find_refusal_elsewhere(task: ChangeTask, steps: Sequence[Step]) -> str:
    """Why something cannot be changed from here, in words; empty where all can.

    In the other repositories of a sprint everybody may do what GitHub lets them do there.
    """
    if task.project.is_led and any(
        isinstance(step, ChangeSetting) and step.key in LED_SETTINGS for step in steps
    ):
        return (
            "The sprints here span repositories, and what their numbers depend on is settled in "
            f"{task.project.leader.full_name}. Please say it there. Nothing was changed."
        )
    for name in sorted({repository_of(step) for step in steps} - {""}):
        repository = task.repository.elsewhere(name)
        repository.forget_level(task.request.sender)
        level = await repository.level_of(task.request.sender)
        if level < Level.WRITE:
            return f"This changes {name} as well, where it needs the write role. Nothing was changed."
    return ""


class ChangeApplier:
    """Brings changes to GitHub and to our own settings."""

    def __init__(self, database: Database, clock: Callable[[], datetime], jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._log = structlog.get_logger(__name__)

    async def find_started(self, task: ChangeTask) -> list[tuple[int, CommandChange]]:
        """What a try that died has set going for this event already, by line."""
        async with self._database.tenant(task.organization_id) as tenant:
            return await ChangeLog(tenant, task.project.id).started_by(task.event_id)

    async def carry_out_changes(self, task: ChangeTask, answer: Answer) -> Answer:
        """An answer with changes becomes one with words: they are done, or shown to be agreed to."""
        changes, call = answer.changes, answer.call
        if changes is None or call is None:
            return answer
        if not changes.steps:
            return _text_answer(answer.slot, changes.done)
        if refusal := await find_refusal_elsewhere(task, changes.steps):
            return _text_answer(answer.slot, refusal)
        proposal = _proposal(task, answer.slot, changes, call)
        if task.agreed is not None:
            return await self._agreed(task, task.agreed, proposal, changes)
        async with self._database.tenant(task.organization_id) as tenant:
            log = ChangeLog(tenant, task.project.id)
            waiting = await log.pending_proposal(task.request.thread, proposal.command)
            is_stale = waiting is not None and waiting.fingerprint != proposal.fingerprint
            if waiting is not None:
                await log.decide(waiting.id, ChangeState.OUTDATED, task.request.sender, self._clock())
            is_begun = not changes.is_previewed or (answer.is_confirmed and not is_stale)
            change = await log.record(proposal, ChangeState.IN_PROGRESS if is_begun else ChangeState.PROPOSED)
            if is_begun:
                await log.decide(change.id, ChangeState.IN_PROGRESS, task.request.sender, self._clock())
        if is_begun:
            return await self.carry_out(task, change)
        return _text_answer(answer.slot, preview(change, changes, is_stale=is_stale and answer.is_confirmed))

    async def carry_out(self, task: ChangeTask, change: CommandChange) -> Answer:
        """Does what was begun. What is so already stays so, so that it may be begun again after a crash."""
        if change.state in _ENDED:
            return _final_answer(change)
        began = change.decided_at or self._clock()
        done, note = list[Step](), None
        for n, step in enumerate(decode_steps(change.steps)):
            try:
                done.append(await self._do(task, step, f"change:{change.id}/{n}", began))
            except GitHubRefusedError as refusal:
                self._log.info("change refused by GitHub", target=step.target, reason=str(refusal))
                note = f"{target_words(step)}: {refusal.in_markdown}"
                break
        async with self._database.tenant(task.organization_id) as tenant:
            await self._write_down(tenant, task, change, done, note)
            ended = await ChangeLog(tenant, task.project.id).get(change.id)
        return _final_answer(ended or change)

    async def give_up(self, task: ChangeTask, change: CommandChange, why: str) -> Answer:
        """Ends a begun change, because who began it may not run its command any more: `why`, in Markdown."""
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
        return _final_answer(ended or change)

    async def _agreed(
        self, task: ChangeTask, agreed: CommandChange, proposal: Proposal, changes: Changes
    ) -> Answer:
        """Somebody ticked the box. If the facts have moved since, they see what would be done now."""
        is_same = proposal.fingerprint == agreed.fingerprint
        async with self._database.tenant(task.organization_id) as tenant:
            log = ChangeLog(tenant, task.project.id)
            state = ChangeState.IN_PROGRESS if is_same else ChangeState.OUTDATED
            await log.decide(agreed.id, state, task.request.sender, self._clock())
            change = await log.get(agreed.id) if is_same else await log.record(proposal, ChangeState.PROPOSED)
        if change is None:
            raise LookupError("a change that was just decided on is not there")
        if is_same:
            return await self.carry_out(task, change)
        return _text_answer(proposal.slot, preview(change, changes, is_stale=True))

    async def _do(self, task: ChangeTask, step: Step, name: str, began: datetime) -> Step:
        """Carries out a step. Returns it with what GitHub alone could say of it, such as an id."""
        elsewhere = repository_of(step)
        repository = task.repository.elsewhere(elsewhere) if elsewhere else task.repository
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
                since = (began - _CLOCK_DIFFERENCE).strftime("%Y-%m-%dT%H:%M:%SZ")
                mark = Mark(task.organization_id, task.project.id, "issues", name)
                await repository.open_issue(step, mark, since)
            case SetBlocked():
                await repository.block(step)
            case ProposeFile():
                await repository.propose(step)
            case LinkIssue():
                await repository.link(step)
            case RecordFact() | ChangeSetting() | ExcludeFromSprint() | Resync() | ApproveSeats():
                pass  # Ours alone: done in one transaction with its record.
        return step

    async def _write_down(
        self, tenant: Tenant, task: ChangeTask, change: CommandChange, done: Sequence[Step], note: str | None
    ) -> None:
        log, now, actor = ChangeLog(tenant, task.project.id), self._clock(), change.decided_by or change.actor
        for step in done:
            if isinstance(step, ChangeSetting):
                await Projects(tenant).apply_setting_change(
                    task.project.id, step.key, step.before, step.after
                )
            elif isinstance(step, RecordFact):
                await self._tell(tenant, task, step, actor, now)
            elif isinstance(step, ExcludeFromSprint):
                await PullRequests(tenant, task.project.id).record(
                    set_aside(step.number, step.milestone, actor, now, is_aside=step.is_aside)
                )
            elif isinstance(step, Resync):
                await self._resync(tenant, task, step)
            elif isinstance(step, ApproveSeats) and not await _approve(tenant, step, actor, now):
                await log.interrupt(change.id, _SEATS_HAVE_CHANGED)
                return
            told = {"step": msgspec.to_builtins(step), "delivery": task.request.delivery}
            await log.record_audit_entry(AuditEntry(actor, change.command, step.target, told, now))
        await log.finish(change.id, encode_steps(done), note)
        if change.undoes is not None and done:
            await log.decide(change.undoes, ChangeState.UNDONE, actor, now)

    async def _resync(self, tenant: Tenant, task: ChangeTask, step: Resync) -> None:
        where, project_id = tenant.organization_id, task.project.id
        await self._jobs.defer(tenant.connection, ReconcileJob(organization_id=where))
        if step.is_whole:
            job = BackfillJob(organization_id=where, project_id=project_id, is_wanted=True)
            await self._jobs.defer(tenant.connection, job)

    async def _tell(
        self, tenant: Tenant, task: ChangeTask, step: RecordFact, actor: str, now: datetime
    ) -> None:
        timeline = Timeline(tenant)
        told = await timeline.item(task.project.id, step.number)
        if not told:
            return
        latest = in_order(told)[-1]
        blocking = await timeline.item(task.project.id, step.by) if step.by else []
        fact = ItemEvent(
            item=latest.item,
            event=step.event,
            at=now,  # Not in whole seconds as GitHub's: what was said comes after what it was said of.
            delivery=task.request.delivery,
            snapshot=replace(latest.snapshot, closes=None),  # A command says nothing about links.
            named=blocking[0].item if blocking else None,
            actor=actor,
            source=Source.WEBHOOK,
            reason=step.reason or None,
        )
        await timeline.record([TimelineRow(task.project.id, fact)])


async def _approve(tenant: Tenant, step: ApproveSeats, actor: str, now: datetime) -> bool:
    """Whether the increase that somebody agreed to was still the one that waits, and is approved now."""
    await Subscriptions(tenant).lock()
    increases = SeatIncreases(tenant)
    terms = IncreaseTerms(step.reference, step.after, step.unit_amount, step.currency)
    if await increases.approve(terms, actor, now):
        return True
    increase = await increases.current()  # A try that died may have approved it.
    return increase is not None and not increase.is_waiting and increase.terms == terms


def preview(change: CommandChange, changes: Changes, *, is_stale: bool) -> str:
    """What would be done, with the box that lets it be done."""
    parts = [f"### {change.summary[0].upper()}{change.summary[1:]}?"]
    if is_stale:
        parts.append(
            "> [!IMPORTANT]\n> Things have changed since the last preview. This is what would be done now."
        )
    parts.append(changes.preview or "\n".join(f"- {target_words(step)}" for step in changes.steps))
    parts.append(box_for(change.id))
    parts.append(
        "<sub>Nothing has been changed yet. Tick the box, or repeat the command with `confirm:yes`.</sub>"
    )
    return "\n\n".join(parts)


def _proposal(task: ChangeTask, slot: str, changes: Changes, call: CommandLine) -> Proposal:
    return Proposal(
        event_id=task.event_id,
        line=call.line,
        thread=task.request.thread,
        command=_CONFIRM.sub("", call.text),
        slot=slot,
        actor=task.request.sender,
        summary=changes.summary,
        steps=encode_steps(changes.steps),
        fingerprint=changes.fingerprint,
        done=changes.done,
        undoes=changes.undoes,
    )


def _final_answer(change: CommandChange) -> Answer:
    """The answer to a change that is done, was refused by GitHub, or was interrupted."""
    if change.state is ChangeState.INTERRUPTED:
        text = f"{code(change.command)} stopped partway: {change.note} What it already changed stays."
        return Answer("error", Reply((text,)), is_success=False)
    if change.note is None:
        return _text_answer(change.slot, change.done)
    done = [target_words(step) for step in decode_steps(change.steps)]
    so_far = f" Done before that: {', '.join(done)}." if done else " Nothing was changed."
    text = f"GitHub would not let me {change.summary}: {change.note}.{so_far}"
    return Answer("error", Reply((text,)), is_success=False)


def _text_answer(slot: str, text: str) -> Answer:
    return Answer(slot, Reply((text,)), is_success=True)
