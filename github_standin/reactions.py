"""Reactions on issues and on issue comments, which emulate does not know."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


class Reactions:
    """All reactions, by the REST path of the issue or comment that bears them."""

    def __init__(self) -> None:
        self._by_subject: dict[str, list[dict[str, Any]]] = {}
        self._last_id = 0

    def add(self, subject: str, user: dict[str, Any], content: str) -> tuple[dict[str, Any], bool]:
        """The reaction and whether it is new: the same person reacts the same way only once."""
        present = self._by_subject.setdefault(subject, [])
        for reaction in present:
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
        present.append(reaction)
        return reaction, True

    def remove(self, subject: str, reaction_id: int) -> bool:
        """Whether there was such a reaction to take back."""
        present = self._by_subject.get(subject, [])
        kept = [reaction for reaction in present if reaction["id"] != reaction_id]
        self._by_subject[subject] = kept
        return len(kept) < len(present)

    def of(self, subject: str) -> list[dict[str, Any]]:
        """The reactions of one issue or comment, oldest first."""
        return list(self._by_subject.get(subject, ()))

    def fill_in(self, value: Any) -> None:
        """Put the right counts into every `reactions` object inside a body that emulate wrote with zeros."""
        if isinstance(value, list):
            for item in value:
                self.fill_in(item)
        elif isinstance(value, dict):
            summary = value.get("reactions")
            if isinstance(summary, dict) and isinstance(summary.get("url"), str):
                subject = urlsplit(summary["url"]).path.removesuffix("/reactions")
                counts = Counter(reaction["content"] for reaction in self.of(subject))
                summary.update({content: counts[content] for content in CONTENTS})
                summary["total_count"] = counts.total()
            for item in value.values():
                self.fill_in(item)
