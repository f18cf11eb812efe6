"""`/agile health`: whether all events arrive, and what to do if not."""

from commands.framework.arguments import Arguments
from commands.framework.context import Context
from commands.framework.outcome import Reply
from commands.framework.permissions import Level
from commands.framework.planning import Planning
from commands.framework.registry import command
from commands.messages.health import HealthFacts, SharingHealth, health_card
from storage.account_status import load_account_status
from storage.projects import Projects, names_that_share
from storage.settings_files import SettingsFiles


@command(
    "agile health",
    summary="whether all events arrive, and which permissions and requests to GitHub are left",
    level=Level.READ,
    examples=("/agile health",),
    synonyms=("check", "ping", "doctor", "version"),
)
async def agile_health(context: Context, _: Arguments) -> Reply:
    """Show the installation's health, with facts about other repositories of the account as counts only."""
    origins = await SettingsFiles(context.tenant).origins(context.project.id)
    facts = HealthFacts(
        status=await load_account_status(context.tenant),
        health=await context.github.read_health(),
        files=(origins.repository, origins.organization),
        synced_at=context.project.synced_at,
        other_bots=context.project.other_bots,
        calendar=context.calendar,
        sharing=await _read_sharing(context),
        gaps=await context.read_gaps(),
    )
    return Reply((health_card(facts),))


async def _read_sharing(planning: Planning) -> SharingHealth | None:
    """The state of sprints over several repositories; None unless the organization's file asks for them."""
    names, projects = names_that_share(planning.project), Projects(planning.tenant)
    if not names:
        return None
    by_name = [await projects.by_name(name) for name in names]
    shared = {project.id for project in planning.project.sharing}
    return SharingHealth(
        tuple(
            project.full_name or name
            for project, name in zip(by_name, names, strict=True)
            if project and project.id in shared
        ),
        tuple(
            name
            for project, name in zip(by_name, names, strict=True)
            if project is None or project.id not in shared
        ),
        is_mixed=len({project.is_private for project in by_name if project}) > 1,
    )
