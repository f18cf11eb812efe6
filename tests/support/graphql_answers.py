"""Answers to our GraphQL queries in every way that GitHub's schema allows: full, and with each place null."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
)

from github_standin.graphql.server import SCHEMA

Json = dict[str, Any]
Path_ = tuple[str | int, ...]
_SCALARS: Mapping[str, Any] = {
    "String": "text",
    "ID": "ID_1",
    "Int": 7,
    "Float": 7.5,
    "Boolean": False,
    "DateTime": "2026-11-01T08:00:00Z",
    "URI": "https://github.com",
}


def answers(
    query: str, values: Mapping[str, Any], lists: Mapping[str, list[str]]
) -> Iterator[tuple[Path_, Json]]:
    """The full answer under the path (), then one for each place that may be null, by the place's path.

    `values` are those of fields, such as `Repository.id`; `lists` the types in the lists of a union, such as
    `IssueTimelineItems`.
    """
    places: list[Path_] = []
    full = _answer(query, values, lists, places)
    yield (), full
    for place in places:
        yield place, _with_null(full, place)


def _with_null(whole: Any, place: Path_) -> Any:
    """A copy with null in one place, of what lies on the way to it alone."""
    if not place:
        return None
    changed = whole.copy()
    changed[place[0]] = _with_null(whole[place[0]], place[1:])
    return changed


@cache
def _schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)


def _answer(
    query: str,
    values: Mapping[str, Any],
    lists: Mapping[str, list[str]],
    places: list[Path_],
) -> Json:
    """The full answer. All places that may be null are added to `places`."""

    def resolve(_: Any, info: GraphQLResolveInfo[Any], **__: Any) -> Any:
        path = tuple(info.path.as_list())
        return value_of(info.return_type, path, values.get(f"{info.parent_type.name}.{info.field_name}"))

    def value_of(kind: Any, path: Path_, given: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        else:
            places.append(path)
        if isinstance(kind, GraphQLList):
            names = lists.get(get_named_type(kind).name, [""])
            return [value_of(kind.of_type, (*path, place), name) for place, name in enumerate(names)]
        if given not in (None, ""):
            is_abstract = isinstance(kind, GraphQLInterfaceType | GraphQLUnionType)
            return {"__typename": given} if is_abstract else given
        return example(kind)

    def example(kind: Any) -> Any:
        if isinstance(kind, GraphQLEnumType):
            return next(iter(kind.values))
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return {"__typename": _schema().get_possible_types(kind)[0].name}
        return {} if isinstance(kind, GraphQLObjectType) else _SCALARS[kind.name]

    variables = {"owner": "acme", "name": "shop", "first": 1, "number": 1, "ids": ["I_7"], "id": "I_7"}
    result = execute_sync(
        _schema(),
        parse(query),
        field_resolver=resolve,
        type_resolver=lambda value, *_: value["__typename"],
        variable_values=variables,
    )
    assert not result.errors, result.errors
    assert result.data is not None
    return result.data
