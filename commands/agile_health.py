"""`/agile health`: whether everything arrives, and what somebody must do about it if not."""

from commands.arguments import Arguments
from commands.context import Context
from commands.health_card import HealthFacts, health_card
from commands.outcome import Reply
from commands.permissions import Level
from commands.registry import command
from storage.settings_files import SettingsFiles
from storage.standing import standing_of


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
        standing=await standing_of(context.tenant),
        health=await context.repository.health(),
        files=(origins.repository, origins.organization),
        synced_at=context.project.synced_at,
        other_bots=context.project.other_bots,
        zone=context.calendar.zone,
    )
    return Reply((health_card(facts),))
