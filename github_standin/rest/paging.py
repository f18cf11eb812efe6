"""Paging of REST lists, with GitHub's Link header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from yarl import URL

from github_standin.proxy.responses import ProxyResponse, json_response


def parse_page(url: URL) -> tuple[int, int]:
    """Read the page number and page size from a query."""
    return int(url.query.get("page", 1)), max(1, min(int(url.query.get("per_page", 30)), 100))


def paginate_list(base_url: URL, url: URL, elements: Sequence[Any]) -> ProxyResponse:
    """Build the response with the requested page of a list."""
    page, size = parse_page(url)
    return add_page_links(
        base_url, url, len(elements), json_response(200, elements[(page - 1) * size : page * size])
    )


def add_page_links(base_url: URL, url: URL, total: int, response: ProxyResponse) -> ProxyResponse:
    """Add the Link header with the addresses of the surrounding pages; `total` is the number of elements."""
    page, size = parse_page(url)
    last = max(1, -(-total // size))
    pages: dict[str, int] = {}
    if page > 1:
        pages |= {"prev": page - 1}
    if page < last:
        pages |= {"next": page + 1, "last": last}
    if page > 1:
        pages |= {"first": 1}
    current = base_url.join(url)
    links = [f'<{current.update_query(page=number)}>; rel="{name}"' for name, number in pages.items()]
    return replace(response, headers={**response.headers, "Link": ", ".join(links)}) if links else response
