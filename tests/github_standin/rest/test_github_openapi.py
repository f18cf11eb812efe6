"""The check against GitHub's description takes what is right and finds what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_core.exceptions import OpenAPIError

from tests.support.github_openapi import Check, UnknownKeysError, load_checker


@pytest.fixture(scope="module")
def check() -> Check:
    """Loading takes a second."""
    return load_checker()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/repos/acme/shop/issues", None),
        ("POST", "/repos/acme/shop/issues/7/comments", {"body": "Hello"}),
        ("PATCH", "/repos/acme/shop/issues/comments/7", {"body": "Hello"}),
        ("POST", "/repos/acme/shop/issues/comments/7/reactions", {"content": "eyes"}),
        ("GET", "/repos/acme/shop/collaborators/bob/permission", None),
        ("POST", "/app/installations/100/access_tokens", None),
        ("POST", "/app/installations/100/access_tokens", {"permissions": {"issues": "write"}}),
        ("GET", "/repos/acme/shop/contents/.github/agile.yml", None),
        ("GET", "/repos/acme/shop/commits/feature/x/check-runs", None),
        ("PATCH", "/repos/acme/shop/issues/7", {"milestone": None, "labels": ["points: 3"]}),
        ("PATCH", "/repos/acme/shop/milestones/1", {"state": "closed", "due_on": "2026-03-13T12:00:00Z"}),
    ],
)
def test_right_requests_pass(check: Check, method: str, path: str, body: Any) -> None:
    check(method, path, {}, body)


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/repos/acme/shop/isues", {}, None),
        ("GET", "/repos/acme/shop/issues", {"state": "everything"}, None),
        ("POST", "/repos/acme/shop/issues/7/comments", {}, {}),
        ("POST", "/repos/acme/shop/issues/7/comments", {}, {"body": 5}),
        ("POST", "/repos/acme/shop/issues/comments/7/reactions", {}, {"content": "thumbs"}),
        ("PATCH", "/repos/acme/shop/milestones/1", {}, {"due_on": "Friday"}),
    ],
)
def test_wrong_requests_raise(check: Check, method: str, path: str, query: dict[str, str], body: Any) -> None:
    with pytest.raises(OpenAPIError):
        check(method, path, query, body)


def test_a_misspelt_key_raises(check: Check) -> None:
    with pytest.raises(UnknownKeysError, match="mile_stone"):
        check("PATCH", "/repos/acme/shop/issues/7", {}, {"mile_stone": 3})
