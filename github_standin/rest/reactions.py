"""Reactions on issues and comments, which emulate does not have."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


class Reactions:
    """All reactions, by the REST path of their issue or comment."""

    def __init__(self) -> None:
        self._by_subject: dict[str, list[dict[str, Any]]] = {}
        self._last_id = 0

    def add(self, subject: str, user: dict[str, Any], content: str) -> tuple[dict[str, Any], bool]:
        """Add a reaction; return it and whether it is new, as a person can give each reaction only once."""
        existing = self._by_subject.setdefault(subject, [])
        for reaction in existing:
            if reaction["user"]["login"] == user["login"] and reaction["content"] == content:
                return reaction, False
        self._last_id += 1
        reaction = {
            "id": self._last_id,
            "node_id": f"REA_{self._last_id}",
            "user": user,
            "content": content,
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        existing.append(reaction)
        return reaction, True

    def remove(self, subject: str, reaction_id: int) -> bool:
        """Remove a reaction; return whether it existed."""
        before = self._by_subject.get(subject, [])
        after = [reaction for reaction in before if reaction["id"] != reaction_id]
        self._by_subject[subject] = after
        return len(after) < len(before)

    def on(self, subject: str) -> list[dict[str, Any]]:
        """The reactions of one issue or comment, oldest first."""
        return list(self._by_subject.get(subject, ()))

    def fill_in(self, value: Any) -> None:
        """Set the counts in every `reactions` object inside a body, where emulate writes zeros."""
        if isinstance(value, list):
            for item in value:
                self.fill_in(item)
        elif isinstance(value, dict):
            summary = value.get("reactions")
            if isinstance(summary, dict) and isinstance(summary.get("url"), str):
                subject = urlsplit(summary["url"]).path.removesuffix("/reactions")
                counts = Counter(reaction["content"] for reaction in self.on(subject))
                summary.update({content: counts[content] for content in CONTENTS})
                summary["total_count"] = counts.total()
            for item in value.values():
                self.fill_in(item)
