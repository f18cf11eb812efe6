"""Counts the statements that the product sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest


@dataclass
class SentStatements:
    """The statements sent meanwhile, in order, each with its white space made single blanks."""

    texts: list[str] = field(default_factory=list)

    def naming(self, *words: str) -> list[str]:
        """The statements that hold all of these words."""
        return [text for text in self.texts if all(word in text for word in words)]


@contextmanager
def recorded_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentStatements]:
    """Record all statements of this process within the block, those of the queue included."""
    sent = SentStatements()
    with monkeypatch.context() as patch:
        for name in ("execute", "executemany"):
            patch.setattr(psycopg.AsyncCursor, name, _recording(getattr(psycopg.AsyncCursor, name), sent))
        yield sent


def _recording(method: Any, sent: SentStatements) -> Any:
    async def run(cursor: psycopg.AsyncCursor[Any], query: Any, *arguments: Any, **options: Any) -> Any:
        sent.texts.append(" ".join(str(query).split()))
        return await method(cursor, query, *arguments, **options)

    return run
