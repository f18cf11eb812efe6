"""The job that makes the next sprint ahead, in repositories with a cadence.

Each milestone is claimed before GitHub is asked for it, in the leading repository and in those that share its
sprints. A claim that is not finished – GitHub refused, or its answer was lost – is taken up the next night.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import structlog
from procrastinate import RetryStrategy

from bot.github.client import GitHub, GitHubRefusedError
from bot.github.repositories import GitHubRepository
from bot.job_blueprint import JobBlueprint, JobServices
from commands.framework.changes import CreateMilestone
from commands.framework.planning import Planning
from commands.shared.succession import read_succession
from sprints.description import has_start_line, set_start_line
from sprints.milestone import Sprint
from sprints.succession import Succession
from storage.changes import AuditEntry, ChangeLog
from storage.closed_sprints import ClosedSprints
from storage.database import Tenant
from storage.job_types import PlanSprintJob
from storage.planned_sprints import PlannedSprint, PlannedSprints
from storage.projects import Project, Projects

_ACTION = "cadence"

tasks = JobBlueprint()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A milestone to make in the repository of `project_id`; its step names the milestone if it is there."""

    project_id: int
    planned: PlannedSprint
    step: CreateMilestone


@tasks.job(PlanSprintJob, retry=RetryStrategy(max_attempts=2, wait=60))
async def plan_sprint(services: JobServices, job: PlanSprintJob) -> None:
    """Make the milestones of a repository's next sprint, if it is due."""
    async with services.database.tenant(job.organization_id) as tenant:
        project = await Projects(tenant).get(job.project_id)
        claims = await _claim_milestones(tenant, project, services.clock()) if project else []
    if project is None or project.installation is None or not claims:
        return
    github = services.get(GitHub)
    installation, actor = github.installation(project.installation), (await github.identity()).bot_login
    for claim in claims:
        step = claim.step
        if step.milestone is None:
            repository = GitHubRepository(installation, step.repository or project.full_name or "")
            try:
                step = await repository.create_milestone(step)
            except GitHubRefusedError as refusal:  # The next night tries again.
                _log.warning("sprint not made ahead", project=claim.project_id, reason=str(refusal))
                if claim.project_id == project.id:
                    return
                continue
        async with services.database.tenant(job.organization_id) as tenant:
            if step.milestone is not None:
                planned = PlannedSprints(tenant, claim.project_id)
                await planned.finish(claim.planned.first_day, step.milestone)
            details = {"step": msgspec.to_builtins(step)}
            entry = AuditEntry(actor, _ACTION, step.target, details, services.clock())
            await ChangeLog(tenant, project.id).record_audit_entry(entry)


async def _claim_milestones(tenant: Tenant, project: Project, now: datetime) -> list[_Claim]:
    """Store and return the milestones that are to be made now, those of the leading repository first."""
    if not project.is_accessible or project.is_led or project.settings.is_paused:
        return []
    followed = {project.id, *(member.id for member in project.sharing)}
    if await ClosedSprints(tenant, followed).is_history_still_coming():
        return []
    planning, stored = Planning(tenant, project, now), await PlannedSprints(tenant, project.id).all()
    succession = await read_succession(planning)
    if succession.cadence is None:
        return []
    unfinished = [planned for planned in stored if planned.milestone is None]
    own = [
        _claim_here(project, planned, made.milestone)
        for planned in unfinished
        if (made := _find_made(planned, succession.sprints))
    ]
    made_ahead = {planned.milestone for planned in stored if planned.milestone is not None}
    made_ahead |= {claim.step.milestone for claim in own if claim.step.milestone is not None}
    following = await _claim_next(planning, replace(succession, planned_ahead=made_ahead))
    if following is not None:
        return [*own, _claim_here(project, following), *await _claim_elsewhere(tenant, project, following)]
    return [*own, *await _claim_missing(tenant, project, made_ahead, succession)]


async def _claim_next(planning: Planning, succession: Succession) -> PlannedSprint | None:
    """Store and return the sprint that is to be made now; None if there is none, or it was made before."""
    following = succession.plan_ahead()
    if following is None or await _is_dormant(planning, succession):
        return None
    title, box = following
    planned = PlannedSprints(planning.tenant, planning.project.id)
    claimed = await planned.claim(PlannedSprint(title, box.first, box.due))
    return claimed if claimed.milestone is None else None


def _claim_here(project: Project, planned: PlannedSprint, milestone: int | None = None) -> _Claim:
    description, due = set_start_line("", planned.first_day), planned.due.isoformat()
    step = CreateMilestone(planned.title, description, due, milestone=milestone)
    return _Claim(project.id, planned, step)


async def _claim_elsewhere(tenant: Tenant, project: Project, planned: PlannedSprint) -> list[_Claim]:
    """Store and return the milestones of a new sprint in the repositories that share it."""
    claims = list[_Claim]()
    for member in _list_others(project):
        claimed = await PlannedSprints(tenant, member.id).claim(replace(planned, milestone=None))
        if claimed.milestone is None:
            claims.append(_claim_in(member, claimed))
    return claims


async def _claim_missing(
    tenant: Tenant, project: Project, made_ahead: Iterable[int], succession: Succession
) -> list[_Claim]:
    """List the unfinished milestones, in other repositories, of sprints that were made ahead and go on."""
    made = set(made_ahead)
    current = [
        sprint
        for sprint in succession.sprints
        if sprint.milestone in made
        and not sprint.is_deleted
        and sprint.closed_at is None
        and not sprint.has_ended(succession.now)
    ]
    claims = list[_Claim]()
    for member in _list_others(project):
        for planned in await PlannedSprints(tenant, member.id).all():
            sprint = next((s for s in current if s.title.casefold() == planned.title.casefold()), None)
            if planned.milestone is None and sprint is not None:
                parts = (part for part in sprint.parts if part.repository == member.full_name)
                part = next(parts, None)
                claims.append(_claim_in(member, planned, part.milestone if part else None))
    return claims


def _claim_in(member: Project, planned: PlannedSprint, milestone: int | None = None) -> _Claim:
    due, name = planned.due.isoformat(), member.full_name or ""
    return _Claim(member.id, planned, CreateMilestone(planned.title, "", due, name, milestone))


def _list_others(project: Project) -> Iterator[Project]:
    """The other repositories of shared sprints whose names are known."""
    return (member for member in project.sharing[1:] if member.full_name)


def _find_made(planned: PlannedSprint, sprints: Iterable[Sprint]) -> Sprint | None:
    """The sprint that an earlier try made whose answer was lost, deleted or not; None if there is none."""
    return next(
        (
            sprint
            for sprint in sprints
            if sprint.title == planned.title
            and has_start_line(sprint.description)
            and sprint.first_day == planned.first_day
        ),
        None,
    )


async def _is_dormant(planning: Planning, succession: Succession) -> bool:
    """Whether the last two sprints that have begun never had any work."""
    begun = [sprint for sprint in succession.series if sprint.start <= planning.now][-2:]
    facts = [await planning.sprints.facts(sprint.milestone, planning.now) for sprint in begun]
    return len(begun) == 2 and not any(sprint_facts and sprint_facts.items for sprint_facts in facts)
