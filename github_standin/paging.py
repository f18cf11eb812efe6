"""Pages of a REST list, with GitHub's Link header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from yarl import URL

from github_standin.answers import Answer, json_answer


def page_number(url: URL) -> tuple[int, int]:
    """Which page is asked for, and its size."""
    return int(url.query.get("page", 1)), max(1, min(int(url.query.get("per_page", 30)), 100))


def listed(front: URL, url: URL, found: Sequence[Any]) -> Answer:
    """The page of a list that is an array."""
    page, size = page_number(url)
    return linked(front, url, len(found), json_answer(200, found[(page - 1) * size : page * size]))


def linked(front: URL, url: URL, total: int, answer: Answer) -> Answer:
    """The answer with the addresses of the pages around it."""
    page, size = page_number(url)
    last = max(1, -(-total // size))
    pages: dict[str, int] = {}
    if page > 1:
        pages |= {"prev": page - 1}
    if page < last:
        pages |= {"next": page + 1, "last": last}
    if page > 1:
        pages |= {"first": 1}
    here = front.join(url)
    links = [f'<{here.update_query(page=number)}>; rel="{name}"' for name, number in pages.items()]
    return replace(answer, headers={**answer.headers, "Link": ", ".join(links)}) if links else answer
