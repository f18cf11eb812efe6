"""`/agile health`: whether everything arrives, and what somebody must do about it if not."""

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
    summary="whether all events arrive, what was missed, which permissions and requests are left",
    level=Level.READ,
    examples=("/agile health",),
)
async def agile_health(context: Context, _: Arguments) -> Reply:
    """A verdict first. What concerns all repositories of the account is told in counts alone."""
    origins = await SettingsFiles(context.tenant).origins(context.project.id)
    facts = HealthFacts(
        status=await load_account_status(context.tenant),
        health=await context.github.health(),
        files=(origins.repository, origins.organization),
        synced_at=context.project.synced_at,
        other_bots=context.project.other_bots,
        calendar=context.calendar,
        sharing=await _sharing(context),
        gaps=await context.gaps(),
    )
    return Reply((health_card(facts),))


async def _sharing(planning: Planning) -> SharingHealth | None:
    """How it stands with sprints over several repositories, where the organization's file asks for them."""
    names, projects = names_that_share(planning.project), Projects(planning.tenant)
    if not names:
        return None
    known = [await projects.by_name(name) for name in names]
    shared = {one.id for one in planning.project.sharing}
    return SharingHealth(
        tuple(
            one.full_name or name for one, name in zip(known, names, strict=True) if one and one.id in shared
        ),
        tuple(name for one, name in zip(known, names, strict=True) if one is None or one.id not in shared),
        is_mixed=len({one.is_private for one in known if one}) > 1,
    )
