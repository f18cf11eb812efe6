"""The objects of GraphQL queries that are not objects of the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from github_standin.history.objects import (
    StandInComment,
    StandInItem,
    StandInLabel,
    StandInMilestone,
    StandInRepository,
)
from github_standin.history.repositories import RepositoryHistory
from github_standin.history.timeline import TimelineEvent

Json = dict[str, Any]
_TYPE_NAMES: dict[type, str] = {
    StandInRepository: "Repository",
    StandInMilestone: "Milestone",
    StandInLabel: "Label",
    StandInComment: "IssueComment",
}


class NotFoundError(Exception):
    """GitHub's error of type NOT_FOUND."""


class ForbiddenError(Exception):
    """GitHub's error of type FORBIDDEN."""


@dataclass(frozen=True)
class Actor:
    """A person or bot; `body` is the REST user object."""

    body: Json

    @property
    def login(self) -> str:
        """The login as in GraphQL, which omits the suffix `[bot]`."""
        return str(self.body["login"]).removesuffix("[bot]")


@dataclass(frozen=True)
class QueryRoot:
    """The root object of a query or mutation, restricted to the repositories that its sender can see.

    `may_write` says whether the sender may change comments in a repository.
    """

    history: RepositoryHistory
    can_see: Callable[[StandInRepository], bool]
    may_write: Callable[[StandInRepository], bool]
    viewer: str
    rate_limit: Json

    def repository(self, args: Json) -> StandInRepository:
        """Find a repository by owner and name. Raises NotFoundError if the sender cannot see it."""
        name = f"{args['owner']}/{args['name']}"
        repository = self.history.repository(name)
        if repository is None or not self.can_see(repository):
            raise NotFoundError(f"Could not resolve to a Repository with the name '{name}'.")
        return repository

    def node(self, node_id: str) -> Any:
        """Find an object by its global node id. Raises NotFoundError if the sender cannot see it."""
        node = self.history.node(node_id)
        if node is None or not self.can_see(node if isinstance(node, StandInRepository) else node.repository):
            raise NotFoundError(f"Could not resolve to a node with the global id of '{node_id}'")
        return node

    def nodes(self, ids: list[str]) -> list[Any]:
        """Find objects by their node ids, with a NotFoundError in place of each that is missing."""

        def node_or_error(node_id: str) -> Any:
            try:
                return self.node(node_id)
            except NotFoundError as error:
                return error

        return [node_or_error(node_id) for node_id in ids]


@dataclass(frozen=True)
class ConnectionEdge:
    """A node of a connection with its cursor."""

    cursor: str
    node: Any


def type_of(value: Any) -> str | None:
    """The GraphQL type of an object, for interfaces and unions."""
    if isinstance(value, StandInItem):
        return "PullRequest" if value.is_pull else "Issue"
    if isinstance(value, TimelineEvent):
        return value.kind
    if isinstance(value, Actor):
        is_bot = str(value.body.get("login")).endswith("[bot]")
        return str(value.body.get("type") or ("Bot" if is_bot else "User"))
    return _TYPE_NAMES.get(type(value))


def actor_or_none(body: Json | None) -> Actor | None:
    """Wrap a REST user object; None stands for a deleted user, whom GitHub shows as a ghost."""
    return Actor(body) if body else None
