"""`facts`: prints a sprint's numbers as JSON, computed in the same way as those of every answer."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.cli.repository_name import find_name_problem
from bot.services import Services, open_services
from bot.settings import Settings
from sprints.facts import Facts
from sprints.plain import Values, convert_facts, list_footnotes
from sprints.rules import Rules
from storage.closed_sprints import ClosedSprint
from storage.lookups import tenants_of_repository
from storage.projects import Projects
from storage.sprints import Sprints


class _NotFoundError(Exception):
    """The repository or milestone does not exist; the message names it."""


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Print the facts. Exit status 1 for an unknown repository or milestone, 2 for a malformed argument."""
    if problem := find_name_problem(options.repo):
        print(f"--repo: {problem}", file=sys.stderr)
        return 2
    try:
        zone = ZoneInfo(options.timezone) if options.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        print(
            f"--timezone: “{options.timezone}” is not an IANA time zone such as Europe/Berlin",
            file=sys.stderr,
        )
        return 2
    try:
        as_of = datetime.fromisoformat(options.as_of) if options.as_of else None
    except ValueError:
        print(
            f"--as-of: “{options.as_of}” is not an ISO 8601 time such as 2026-11-23T12:00:00Z",
            file=sys.stderr,
        )
        return 2
    try:
        values = asyncio.run(_facts(settings, options.repo, options.milestone, as_of, zone))
    except _NotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(values, indent=1))
    return 0


async def _facts(
    settings: Settings, repository: str, number: int, as_of: datetime | None, zone: ZoneInfo | None
) -> Values:
    async with open_services(settings, has_worker=False) as base:
        async with base.database.unscoped() as connection:
            tenants = await tenants_of_repository(connection, repository)
        for organization_id in tenants:
            if values := await _tenant_facts(base, organization_id, repository, number, as_of, zone):
                return values
    if tenants:
        raise _NotFoundError(f"{repository} has no recorded milestone {number}")
    raise _NotFoundError(f"no events of the repository {repository} have been recorded")


async def _tenant_facts(
    base: Services,
    organization_id: int,
    repository: str,
    number: int,
    as_of: datetime | None,
    zone: ZoneInfo | None,
) -> Values | None:
    async with base.database.tenant(organization_id) as tenant:
        project = await Projects(tenant).by_name(repository)
        if project is None:
            return None
        rules = project.rules
        if zone is not None:
            rules = replace(rules, calendar=replace(rules.calendar, zones=((date.min, zone),)))
        moment = as_of or base.clock()
        if moment.tzinfo is None:
            moment = rules.calendar.instant(moment.date(), moment.time())
        sprints = Sprints(tenant, project, rules)
        milestone = await sprints.milestone_id(number)
        if milestone is None:
            return None
        facts = await sprints.facts(milestone, moment)
        closed = await sprints.closed(milestone, base.clock())
        if facts is None:
            return None
        return convert_facts(facts) | {"closed": _closed(closed, facts, rules) if closed else None}


def _closed(closed: ClosedSprint, facts: Facts, rules: Rules) -> Values:
    """The snapshot's numbers, with footnotes on later findings."""
    return closed.facts | {
        "revision": closed.revision,
        "taken_at": rules.calendar.local(closed.taken_at).isoformat(),
        "footnotes": list_footnotes(closed.facts, facts) if facts.as_of >= closed.ended_at else [],
    }
