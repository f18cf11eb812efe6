"""The job that makes the next sprint ahead, in repositories with a cadence."""

from dataclasses import replace

import msgspec
import structlog
from procrastinate import RetryStrategy

from bot.github.client import GitHub, GitHubRefusedError
from bot.github.repositories import GitHubRepository
from bot.job_blueprint import JobBlueprint, JobServices
from commands.framework.changes import CreateMilestone
from commands.framework.planning import Planning
from commands.shared.succession import read_succession
from sprints.description import set_start_line
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


@tasks.job(PlanSprintJob, retry=RetryStrategy(max_attempts=2, wait=60))
async def plan_sprint(services: JobServices, job: PlanSprintJob) -> None:
    """Make the milestone of a repository's next sprint, if it is due."""
    async with services.database.tenant(job.organization_id) as tenant:
        project = await Projects(tenant).get(job.project_id)
        planned = await _claim_next(tenant, project, services) if project else None
    if project is None or planned is None or project.installation is None:
        return
    github = services.get(GitHub)
    installation = github.installation(project.installation)
    made = list[CreateMilestone]()
    try:
        for step in _list_steps(project, planned):
            repository = GitHubRepository(installation, step.repository or project.full_name or "")
            made.append(await repository.create_milestone(step))
    except GitHubRefusedError as refusal:  # The next night tries again.
        _log.warning("sprint not made ahead", project=project.id, reason=str(refusal))
        return
    actor, now = (await github.identity()).bot_login, services.clock()
    async with services.database.tenant(job.organization_id) as tenant:
        if made[0].milestone is not None:
            await PlannedSprints(tenant, project.id).finish(planned.first_day, made[0].milestone)
        for step in made:
            details = {"step": msgspec.to_builtins(step)}
            entry = AuditEntry(actor, _ACTION, step.target, details, now)
            await ChangeLog(tenant, project.id).record_audit_entry(entry)


async def _claim_next(tenant: Tenant, project: Project, services: JobServices) -> PlannedSprint | None:
    """Store and return the sprint that is to be made now; None if there is none, or it was made before."""
    if not project.is_accessible or project.is_led or project.settings.is_paused:
        return None
    followed = {project.id, *(member.id for member in project.sharing)}
    if await ClosedSprints(tenant, followed).is_history_still_coming():
        return None
    planned = PlannedSprints(tenant, project.id)
    planning = Planning(tenant, project, services.clock())
    made = {sprint.milestone for sprint in await planned.all() if sprint.milestone is not None}
    succession = replace(await read_succession(planning), planned_ahead=made)
    following = succession.plan_ahead()
    if following is None or await _is_dormant(planning, succession):
        return None
    title, box = following
    claimed = await planned.claim(PlannedSprint(title, box.first, box.due))
    return claimed if claimed.milestone is None else None


async def _is_dormant(planning: Planning, succession: Succession) -> bool:
    """Whether the last two sprints that have begun never had any work."""
    begun = [sprint for sprint in succession.series if sprint.start <= planning.now][-2:]
    facts = [await planning.sprints.facts(sprint.milestone, planning.now) for sprint in begun]
    return len(begun) == 2 and not any(sprint_facts and sprint_facts.items for sprint_facts in facts)


def _list_steps(project: Project, planned: PlannedSprint) -> list[CreateMilestone]:
    """The sprint's milestone here, with its start, and those of the repositories that share it."""
    due = planned.due.isoformat()
    here = CreateMilestone(planned.title, set_start_line("", planned.first_day), due)
    others = [member.full_name for member in project.sharing[1:] if member.full_name]
    return [here, *(CreateMilestone(planned.title, "", due, name) for name in others)]
