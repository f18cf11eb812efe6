"""Answers GraphQL queries, validated against GitHub's own schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from github_standin.emulate import NODE_MODULES
from github_standin.graphql.cost import query_cost
from github_standin.graphql.fields import FIELDS
from github_standin.graphql.objects import ForbiddenError, NotFoundError, QueryRoot, type_of
from github_standin.graphql.paging import PagingError
from github_standin.graphql.rate_limit import GraphQLRateLimit
from github_standin.history.objects import StandInRepository
from github_standin.history.repositories import RepositoryHistory

Json = dict[str, Any]
SCHEMA = NODE_MODULES / "@octokit" / "graphql-schema" / "schema.graphql"
MAX_NODES = 500_000
# Errors that depend on what exists and what is granted, so that the query itself is no mistake.
_NO_MISTAKES = {"NOT_FOUND", "FORBIDDEN"}


class WrongQueryError(ValueError):
    """A query that GitHub would refuse, which is a bug in its sender."""


@dataclass
class GraphQLResult:
    """The response to a query: its body, the rate limit, and errors that GitHub would blame on the sender."""

    body: Json
    limits: GraphQLRateLimit
    violations: list[Exception] = field(default_factory=list)


@cache
def github_schema() -> GraphQLSchema:
    """Build GitHub's schema, once in a process because it takes a second."""
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


def answer_query(
    request: Any,
    *,
    history: RepositoryHistory,
    can_see: Callable[[StandInRepository], bool],
    may_write: Callable[[StandInRepository], bool],
    viewer: str,
    limits: GraphQLRateLimit,
    who: str,
) -> GraphQLResult:
    """Answer a query; as with GitHub the response always has the status 200, and errors are in its body.

    `request` is the decoded request body, `viewer` the sender's login, `who` the sender in error messages.
    """
    if not isinstance(request, dict) or not isinstance(request.get("query"), str):
        return _refused([GraphQLError("A query attribute must be specified and must be a string.")], limits)
    variables = request.get("variables") or {}
    history.queries.append({"query": request["query"], "variables": variables})
    document, errors = _parse(request["query"])
    if document is None:
        return _refused(errors, limits)
    cost, nodes = query_cost(document, variables)
    if nodes > MAX_NODES:
        message = f"This query requests up to {nodes} possible nodes; the limit is {MAX_NODES}."
        return _refused([GraphQLError(message, extensions={"type": "MAX_NODE_LIMIT_EXCEEDED"})], limits)
    if not limits.take(cost):
        message = f"API rate limit exceeded for {who}."
        return GraphQLResult({"errors": [{"type": "RATE_LIMITED", "message": message}]}, limits)
    root = QueryRoot(history, can_see, may_write, viewer, limits.to_graphql(cost, nodes))
    result = execute_sync(
        github_schema(),
        document,
        root,
        variable_values=variables,
        operation_name=request.get("operationName"),
        field_resolver=_resolve,
        type_resolver=lambda value, _info, _type: type_of(value),
    )
    return _to_result(result, limits)


def _parse(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    errors = validate(github_schema(), document)
    return (None, errors) if errors else (document, [])


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
    if isinstance(source, Mapping):
        return source.get(info.field_name)
    resolver = FIELDS.get(type(source), {}).get(info.field_name)
    if resolver is None:
        raise GraphQLError(f"The stand-in does not know {info.parent_type.name}.{info.field_name}.")
    try:
        return _convert_errors(resolver(source, args))
    except (NotFoundError, ForbiddenError, PagingError) as error:
        raise _to_graphql_error(error) from None


def _convert_errors(value: Any) -> Any:
    """Convert the errors that stand for single elements of a list."""
    if isinstance(value, list):
        return [
            _to_graphql_error(element) if isinstance(element, NotFoundError) else element for element in value
        ]
    return value


def _to_graphql_error(error: NotFoundError | ForbiddenError | PagingError) -> GraphQLError:
    if isinstance(error, PagingError):
        kind = error.kind
    else:
        kind = "NOT_FOUND" if isinstance(error, NotFoundError) else "FORBIDDEN"
    return GraphQLError(str(error), extensions={"type": kind})


def _to_result(result: ExecutionResult, limits: GraphQLRateLimit) -> GraphQLResult:
    errors = result.errors or []
    if errors and all(error.path is None for error in errors):
        return _refused(errors, limits)
    body: Json = {"data": result.data}
    if errors:
        body["errors"] = [_formatted(error) for error in errors]
    violations = [error for error in errors if (error.extensions or {}).get("type") not in _NO_MISTAKES]
    return GraphQLResult(body, limits, [WrongQueryError(str(error)) for error in violations])


def _refused(errors: list[GraphQLError], limits: GraphQLRateLimit) -> GraphQLResult:
    body = {"errors": [_formatted(error) for error in errors]}
    return GraphQLResult(body, limits, [WrongQueryError(str(error)) for error in errors])


def _formatted(error: GraphQLError) -> Json:
    """Format an error as GitHub does, with its type beside the message."""
    formatted: Json = dict(error.formatted)
    extensions = formatted.pop("extensions", None) or {}
    return {**extensions, **formatted}
