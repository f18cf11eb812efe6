"""`/wip limit`: how much work may be in progress at once."""

from collections.abc import Collection, Mapping

from commands.formatting.wording import code, plain
from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.errors import UserError
from commands.framework.permissions import Level
from commands.framework.registry import command
from commands.messages.work import wip_sentence
from commands.shared.work import read_work
from sprints.wip import (
    FEWEST_PEOPLE,
    MOST_LIMIT,
    Team,
    Wip,
    items_of,
    people_of,
    wip_of,
)
from sprints.work import RepositoryWork, select_recent

_SETTING = "wip"
_NONE = "none"


@command(
    "wip limit",
    summary="sets how many items may be in progress at once, in all or in a team",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "limit", ArgumentKind.TEXT, "a number of items, or `none`", is_positional=True, is_required=True
        ),
        Argument("team", ArgumentKind.TEXT, "the limit of this team of the settings file only"),
    ),
    examples=("/wip limit 5", "/wip limit 3 team:checkout", "/wip limit none"),
    is_changing=True,
)
async def wip_limit(context: Context, arguments: Arguments) -> Changes:
    """Old → new, and how the work in progress stands against it."""
    settings = context.project.settings
    most = read_limit(arguments.text("limit") or "")
    slug = (arguments.text("team") or "").lower() or None
    work = await read_work(context)
    wip = measured(work, settings.teams, most, slug)
    before = settings.wip_limits.limit_of(slug)
    of_team = f" of team {plain(slug)}" if slug else ""
    summary = f"set the limit{of_team} to {most or 'none'}"
    if before == most:
        return Changes(summary, (), f"The limit{of_team} is {most or 'none'} already. {wip_sentence(wip)}")
    stored = context.project.stored_settings.get(_SETTING)
    done = (
        f"**Work in progress{of_team}:** limit {before or 'none'} → **{most or 'none'}**. {wip_sentence(wip)}"
    )
    return Changes(summary, (ChangeSetting(_SETTING, stored, with_limit(stored, most, slug)),), done)


def read_limit(told: str) -> int | None:
    """The limit, None for `none`. Raises UserError for anything else."""
    if told.lower() == _NONE:
        return None
    if told.isascii() and told.isdigit() and len(told) < 10 and 0 < int(told) <= MOST_LIMIT:
        return int(told)
    raise UserError(f"“{plain(told)}” is no limit. Write a number from 1 to {MOST_LIMIT}, or `none`.")


def with_limit(settled: object, most: int | None, slug: str | None) -> dict[str, object]:
    """The setting with this limit, and without what is empty then."""
    after = dict(settled) if isinstance(settled, Mapping) else {}
    teams = dict(told) if isinstance(told := after.get("teams"), Mapping) else {}
    if slug is None:
        after["limit"] = most
    else:
        teams = {name: one for name, one in teams.items() if str(name).lower() != slug} | {slug: most}
    after["teams"] = {name: one for name, one in teams.items() if one is not None}
    return {name: one for name, one in after.items() if one}


def measured(work: RepositoryWork, teams: Collection[Team], most: int | None, slug: str | None) -> Wip:
    """What is in progress against the limit. Raises UserError for a team that is none or too small."""
    if slug is None:
        return wip_of(work.flows, most)
    team = next((team for team in teams if team.slug == slug), None)
    if team is None:
        slugs = ", ".join(code(team.slug) for team in teams) or "none yet"
        raise UserError(
            f"There is no team called “{plain(slug)}” in the settings file (`teams`). There: {slugs}."
        )
    mine = items_of(team, teams, work.flows)
    if len(people := people_of(select_recent(mine, work.now), team)) < FEWEST_PEOPLE:
        raise UserError(
            f"A team's figures are told for {FEWEST_PEOPLE} people or more, because they would be a person's "
            f"otherwise; in {plain(slug)} I know of {len(people)}."
        )
    return wip_of(mine, most, slug)
