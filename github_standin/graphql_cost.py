"""What a query costs, by GitHub's published rule: how many lists it makes GitHub read."""

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

READS_FOR_A_POINT = 100


def cost_of(document: DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Points of the rate limit, at least one, and the most nodes that the query can return."""
    fragments = {
        one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
    }
    counting = _Counting(fragments, variables)
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            counting.walk(one.selection_set, 1)
    return max(1, round(counting.reads / READS_FOR_A_POINT)), counting.nodes


class _Counting:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]) -> None:
        self.reads = 0
        self.nodes = 0
        self._fragments = fragments
        self._variables = variables

    def walk(self, selected: SelectionSetNode | None, times: int) -> None:
        """`times` is how often this selection is read at most."""
        for node in selected.selections if selected else ():
            if isinstance(node, FragmentSpreadNode):
                self.walk(self._fragments[node.name.value].selection_set, times)
            elif isinstance(node, FieldNode) and (size := self._size(node)) is not None:
                self.reads += times
                self.nodes += times * size
                self.walk(node.selection_set, times * size)
            else:
                self.walk(getattr(node, "selection_set", None), times)

    def _size(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    size: int | None = self._variables.get(argument.value.name.value)
                    return size
        return None
