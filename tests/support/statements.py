"""Records the statements that the product sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

_METHODS = (
    (psycopg.AsyncCursor, "execute"),
    (psycopg.AsyncCursor, "executemany"),
    (psycopg.AsyncServerCursor, "execute"),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its parameters; those of an `executemany` are a list."""

    query: Any
    parameters: Any

    @property
    def text(self) -> str:
        """The statement with its white space made single blanks."""
        return " ".join(str(self.query).split())


@dataclass
class SentStatements:
    """The statements that were sent meanwhile, in order."""

    statements: list[Statement] = field(default_factory=list)

    def with_words(self, *words: str, value: object = None) -> list[Statement]:
        """The statements that contain all of these words, and with `value` that have such a parameter."""
        matching = [sent for sent in self.statements if all(word in sent.text for word in words)]
        return [sent for sent in matching if value is None or value in dict(sent.parameters).values()]

    def between(self, first: str, last: str) -> "SentStatements":
        """The statements that were sent after the first one with a text, and before the next with another."""
        texts = [sent.text for sent in self.statements]
        start = next(place for place, text in enumerate(texts) if first in text) + 1
        end = next(place for place, text in enumerate(texts) if last in text and place >= start)
        return SentStatements(self.statements[start:end])


@contextmanager
def recorded_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentStatements]:
    """Record all statements of this process within the block, those of the queue included."""
    sent = SentStatements()
    with monkeypatch.context() as patch:
        for cursor, name in _METHODS:
            patch.setattr(cursor, name, _recording(getattr(cursor, name), sent))
        yield sent


def _recording(method: Any, sent: SentStatements) -> Any:
    async def run(cursor: Any, query: Any, parameters: Any = None, **options: Any) -> Any:
        sent.statements.append(Statement(query, parameters))
        return await method(cursor, query, parameters, **options)

    return run
