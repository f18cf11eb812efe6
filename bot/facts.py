"""`facts`: a sprint's numbers as JSON, from the same database and the same fold as every answer."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.services import Services, services
from bot.settings import Settings
from sprints.facts import Amount, Cause, Facts
from storage.lookups import tenants_of_repository
from storage.projects import Projects
from storage.sprints import Sprints


class _NotFoundError(Exception):
    """Its text says what is not known."""


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Prints the facts. Exit status 1 for an unknown repository or milestone, 2 for a malformed argument."""
    try:
        zone = ZoneInfo(options.timezone) if options.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        print(f"--timezone: “{options.timezone}” is no IANA time zone such as Europe/Berlin", file=sys.stderr)
        return 2
    try:
        as_of = datetime.fromisoformat(options.as_of) if options.as_of else None
    except ValueError:
        print(f"--as-of: “{options.as_of}” is no ISO 8601 time such as 2026-11-23T12:00:00Z", file=sys.stderr)
        return 2
    try:
        found = asyncio.run(_facts(settings, options.repo, options.milestone, as_of, zone))
    except _NotFoundError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(json.dumps(as_json(found), indent=1))
    return 0


async def _facts(
    settings: Settings, repository: str, number: int, as_of: datetime | None, zone: ZoneInfo | None
) -> Facts:
    async with services(settings) as base:
        async with base.database.nobody() as connection:
            tenants = await tenants_of_repository(connection, repository)
        for organization_id in tenants:
            if found := await _tenant_facts(base, organization_id, repository, number, as_of, zone):
                return found
    if tenants:
        raise _NotFoundError(f"{repository} has no milestone {number} that we have heard of")
    raise _NotFoundError(f"no event of a repository {repository} has been recorded")


async def _tenant_facts(
    base: Services,
    organization_id: int,
    repository: str,
    number: int,
    as_of: datetime | None,
    zone: ZoneInfo | None,
) -> Facts | None:
    async with base.database.tenant(organization_id) as tenant:
        project = await Projects(tenant).named(repository)
        if project is None:
            return None
        rules = project.rules
        if zone is not None:
            rules = replace(rules, calendar=replace(rules.calendar, zones=((date.min, zone),)))
        moment = as_of or base.clock()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=rules.calendar.zone)
        sprints = Sprints(tenant, project.id, rules)
        milestone = await sprints.milestone_id(number)
        if milestone is None:
            return None
        return await sprints.facts(milestone, moment)


def as_json(facts: Facts) -> dict[str, object]:
    """The contract of `facts`: docs/facts.md tells each key."""
    sprint = facts.sprint
    amounts = {
        "committed": facts.committed,
        **{cause.value: facts.total(cause) for cause in Cause},
        "scope": facts.scope,
        "done": facts.done,
        "remaining": facts.remaining,
    }
    return {
        "milestone": sprint.number,
        "title": sprint.title,
        "start": sprint.start.astimezone(sprint.timezone).isoformat(),
        "end": sprint.end.astimezone(sprint.timezone).isoformat() if sprint.end else None,
        "timezone": str(sprint.timezone),
        "as_of": facts.as_of.astimezone(sprint.timezone).isoformat(),
        "unit": facts.unit,
        "points": {name: _number(amount.points) for name, amount in amounts.items()},
        "count": {name: amount.count for name, amount in amounts.items()},
        "days": [
            {"date": day.date.isoformat(), **_points(day.scope, day.done), **_counts(day.scope, day.done)}
            for day in facts.days
        ],
        "items": [
            {
                "number": item.number,
                "title": item.title,
                "state": item.state,
                "points": None if item.points is None else _number(item.points),
            }
            for item in facts.items
        ],
    }


def _points(scope: Amount, done: Amount) -> dict[str, int | float]:
    remaining = scope - done
    return {
        "scope": _number(scope.points),
        "done": _number(done.points),
        "remaining": _number(remaining.points),
    }


def _counts(scope: Amount, done: Amount) -> dict[str, int]:
    return {
        "count_scope": scope.count,
        "count_done": done.count,
        "count_remaining": scope.count - done.count,
    }


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
