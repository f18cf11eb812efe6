"""The cost of a GraphQL query, by GitHub's published rule.

https://docs.github.com/en/graphql/overview/rate-limits-and-node-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

REQUESTS_PER_POINT = 100


def query_cost(document: DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Count the points of the rate limit, at least one, and the maximum number of nodes in the result."""
    definitions = document.definitions
    fragments = {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)}
    counter = _Counter(fragments, variables)
    for node in definitions:
        if isinstance(node, OperationDefinitionNode):
            counter.visit(node.selection_set, 1)
    return max(1, round(counter.requests / REQUESTS_PER_POINT)), counter.nodes


class _Counter:
    """Counts the requests that GitHub would need for all connections, and the nodes that they can return."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self.requests = 0
        self.nodes = 0
        self._fragments = fragments
        self._variables = variables

    def visit(self, selection: SelectionSetNode | None, times: int) -> None:
        """Count a selection that is read at most `times` times."""
        for node in selection.selections if selection else ():
            if isinstance(node, FragmentSpreadNode):
                self.visit(self._fragments[node.name.value].selection_set, times)
            elif isinstance(node, FieldNode) and (size := self._size(node)) is not None:
                self.requests += times
                self.nodes += times * size
                self.visit(node.selection_set, times * size)
            else:
                self.visit(getattr(node, "selection_set", None), times)

    def _size(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    size: int | None = self._variables.get(argument.value.name.value)
                    return size
        return None
