"""The HTTP endpoint of GraphQL: permissions, request body and rate-limit headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from github_standin import seed as people
from github_standin.graphql.rate_limit import GraphQLRateLimit
from github_standin.graphql.server import answer_query
from github_standin.history.objects import StandInRepository
from github_standin.history.repositories import RepositoryHistory
from github_standin.proxy.callers import Caller
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.proxy.roles import Roles, find_role

_WRITERS = {"triage", "write", "maintain", "admin"}


def answer_graphql(
    caller: Caller,
    body: bytes | None,
    *,
    history: RepositoryHistory,
    roles: Roles,
    permissions: Mapping[str, str],
    limits: GraphQLRateLimit,
) -> tuple[ProxyResponse, list[Exception]]:
    """Answer a request; returns the response and the errors that GitHub would blame on the sender.

    `permissions` are those of the App's installation.
    """
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return error_response(400, "Problems parsing JSON"), []

    def can_see(repository: StandInRepository) -> bool:
        is_public = not repository.body.get("private")
        role = find_role(roles, repository.full_name, caller.name)
        return is_public or caller.kind == "installation" or bool(role)

    def may_write(repository: StandInRepository) -> bool:
        if is_installation:
            return "write" in (permissions.get("issues"), permissions.get("pull_requests"))
        return find_role(roles, repository.full_name, caller.name) in _WRITERS

    is_installation = caller.kind == "installation"
    result = answer_query(
        request,
        history=history,
        can_see=can_see,
        may_write=may_write,
        viewer=caller.name,
        limits=limits,
        who=f"installation ID {people.INSTALLATION_ID}" if is_installation else caller.name,
    )
    response = json_response(200, result.body)
    return replace(response, headers={**response.headers, **limits.headers()}), result.violations
