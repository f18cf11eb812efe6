"""Answers GraphQL queries by GitHub's own schema."""

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
from github_standin.graphql_cost import cost_of
from github_standin.graphql_fields import FIELDS, NotFoundError, Root, type_of
from github_standin.graphql_paging import PagingError
from github_standin.history import History
from github_standin.objects import StandInRepository
from github_standin.rate_limit import RateLimit

Json = dict[str, Any]
SCHEMA = NODE_MODULES / "@octokit" / "graphql-schema" / "schema.graphql"
MOST_NODES = 500_000


class WrongQueryError(ValueError):
    """A query that GitHub would refuse: a mistake of the program that sent it."""


@dataclass
class Answered:
    """The body of an answer, the state of the rate limit, and what was wrong with the query."""

    body: Json
    limits: RateLimit
    violations: list[Exception] = field(default_factory=list)


@cache
def github_schema() -> GraphQLSchema:
    """The schema; it takes a second, so it is built once in a process."""
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


def answer(
    sent: Any,
    *,
    history: History,
    can_see: Callable[[StandInRepository], bool],
    viewer: str,
    limits: RateLimit,
    who: str,
) -> Answered:
    """One query, as GitHub answers it: with 200 whatever is wrong with it."""
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        return _refused([GraphQLError("A query attribute must be specified and must be a string.")], limits)
    variables = sent.get("variables") or {}
    history.asked.append({"query": sent["query"], "variables": variables})
    document, wrong = _checked(sent["query"])
    if document is None:
        return _refused(wrong, limits)
    cost, nodes = cost_of(document, variables)
    if nodes > MOST_NODES:
        message = f"This query requests up to {nodes} possible nodes; the limit is {MOST_NODES}."
        return _refused([GraphQLError(message, extensions={"type": "MAX_NODE_LIMIT_EXCEEDED"})], limits)
    if not limits.take(cost):
        message = f"API rate limit exceeded for {who}."
        return Answered({"errors": [{"type": "RATE_LIMITED", "message": message}]}, limits)
    root = Root(history, can_see, viewer, limits.told(cost, nodes))
    result = execute_sync(
        github_schema(),
        document,
        root,
        variable_values=variables,
        operation_name=sent.get("operationName"),
        field_resolver=_resolve,
        type_resolver=lambda value, _info, _type: type_of(value),
    )
    return _answered(result, limits)


def _checked(query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, [error]
    wrong = validate(github_schema(), document)
    return (None, wrong) if wrong else (document, [])


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **args: Any) -> Any:
    if isinstance(source, Mapping):
        return source.get(info.field_name)
    known = FIELDS.get(type(source), {}).get(info.field_name)
    if known is None:
        raise GraphQLError(f"The stand-in does not know {info.parent_type.name}.{info.field_name}.")
    try:
        return _typed_errors(known(source, args))
    except (NotFoundError, PagingError) as error:
        raise _typed(error) from None


def _typed_errors(value: Any) -> Any:
    """In a list, an error stands for one of its elements."""
    if isinstance(value, list):
        return [_typed(one) if isinstance(one, NotFoundError) else one for one in value]
    return value


def _typed(error: NotFoundError | PagingError) -> GraphQLError:
    kind = error.kind if isinstance(error, PagingError) else "NOT_FOUND"
    return GraphQLError(str(error), extensions={"type": kind})


def _answered(result: ExecutionResult, limits: RateLimit) -> Answered:
    errors = result.errors or []
    if errors and all(error.path is None for error in errors):
        return _refused(errors, limits)
    body: Json = {"data": result.data}
    if errors:
        body["errors"] = [_formatted(error) for error in errors]
    wrong = [error for error in errors if (error.extensions or {}).get("type") != "NOT_FOUND"]
    return Answered(body, limits, [WrongQueryError(str(error)) for error in wrong])


def _refused(errors: list[GraphQLError], limits: RateLimit) -> Answered:
    body = {"errors": [_formatted(error) for error in errors]}
    return Answered(body, limits, [WrongQueryError(str(error)) for error in errors])


def _formatted(error: GraphQLError) -> Json:
    """GitHub puts the type beside the message."""
    formatted: Json = dict(error.formatted)
    extensions = formatted.pop("extensions", None) or {}
    return {**extensions, **formatted}
