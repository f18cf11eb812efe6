"""`/wip limit`: set how many items may be in progress at once."""

from collections.abc import Collection, Mapping

from commands.framework.arguments import Argument, ArgumentKind, Arguments
from commands.framework.changes import Changes, ChangeSetting
from commands.framework.context import Context
from commands.framework.errors import NamedValueError, Reading, UserError
from commands.framework.permissions import Level
from commands.framework.plain_input import simplify
from commands.framework.registry import command
from commands.messages.wip_limit import (
    changed_limit_text,
    invalid_limit_text,
    limit_summary,
    same_limit_text,
    small_team_text,
    unknown_team_text,
)
from commands.messages.work import wip_sentence
from commands.shared.work import read_work
from sprints.wip import (
    FEWEST_PEOPLE,
    MOST_LIMIT,
    Team,
    Wip,
    count_wip,
    list_people_at_work,
    select_team_flows,
)
from sprints.work import RepositoryWork, select_recent

_SETTING = "wip"
_NONE = "none"
_MOST_SHOWN = 60


@command(
    "wip limit",
    summary="sets how many items may be in progress at once, in total or in a team",
    level=Level.MAINTAIN,
    arguments=(
        Argument(
            "limit", ArgumentKind.WORD, "a number of items, or `none`", is_positional=True, is_required=True
        ),
        Argument("team", ArgumentKind.WORD, "the team of the settings file to which the limit applies"),
    ),
    examples=("/wip limit 5", "/wip limit 3 team:checkout", "/wip limit none"),
    is_changing=True,
)
async def wip_limit(context: Context, arguments: Arguments) -> Changes:
    """Set the limit, and show the old and the new one with the work in progress."""
    settings = context.project.settings
    limit = parse_limit(arguments.text("limit") or "")
    slug = (arguments.text("team") or "").lower() or None
    work = await read_work(context)
    wip = measure_wip(work, settings.teams, limit, slug)
    before = settings.wip_limits.limit_of(slug)
    summary = limit_summary(limit, slug)
    if before == limit:
        return Changes(summary, (), same_limit_text(limit, slug, wip_sentence(wip)), topic=slug or "")
    stored = context.project.stored_settings.get(_SETTING)
    done = changed_limit_text(before, limit, slug, wip_sentence(wip))
    step = ChangeSetting(_SETTING, stored, set_limit(stored, limit, slug))
    return Changes(summary, (step,), done, topic=slug or "")


def parse_limit(text: str) -> int | None:
    """Parse a limit; None for `none`. Raises UserError for anything but a number from 1 to MOST_LIMIT."""
    typed = simplify(text[:_MOST_SHOWN])
    if typed == _NONE:
        return None
    if typed.isascii() and typed.isdecimal() and len(typed) < 10 and 0 < int(typed) <= MOST_LIMIT:
        return int(typed)
    raise NamedValueError(
        invalid_limit_text(text[:_MOST_SHOWN], MOST_LIMIT),
        "limit",
        (Reading(str(MOST_LIMIT if typed.isdecimal() and int(typed[:10]) > MOST_LIMIT else 5)),),
    )


def set_limit(setting: object, limit: int | None, slug: str | None) -> dict[str, object]:
    """Set a limit in the stored setting `wip`, of a team if `slug` is given; empty entries are removed."""
    after = dict(setting) if isinstance(setting, Mapping) else {}
    team_limits = after.get("teams")
    teams = dict(team_limits) if isinstance(team_limits, Mapping) else {}
    if slug is None:
        after["limit"] = limit
    else:
        teams = {name: other for name, other in teams.items() if str(name).lower() != slug} | {slug: limit}
    after["teams"] = {name: value for name, value in teams.items() if value is not None}
    return {name: value for name, value in after.items() if value}


def measure_wip(work: RepositoryWork, teams: Collection[Team], limit: int | None, slug: str | None) -> Wip:
    """Measure the work in progress against a limit. Raises UserError for an unknown or too small team."""
    if slug is None:
        return count_wip(work.flows, limit)
    team = next((team for team in teams if team.slug == slug), None)
    if team is None:
        raise UserError(unknown_team_text(slug, [team.slug for team in teams]))
    team_flows = select_team_flows(team, teams, work.flows)
    if len(people := list_people_at_work(select_recent(team_flows, work.now), team)) < FEWEST_PEOPLE:
        raise UserError(small_team_text(slug, len(people), FEWEST_PEOPLE))
    return count_wip(team_flows, limit, slug)
