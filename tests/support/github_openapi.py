"""Is a request valid for the real GitHub? Asked of GitHub's own OpenAPI description, in the test process.

GitHub's description forbids no unknown keys, and GitHub ignores them in silence: a typo would only show in
production. So the check also compares the keys of a body with those the description names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

# The file describes the bodies of this version (`rate` and `assignee` are still in them); what 2026-03-10
# removes is only noted beside each operation.
API_VERSION = "2022-11-28"

PACKAGE = Path(__file__).resolve().parents[2] / "github_standin" / "node_modules" / "@octokit" / "openapi"
DESCRIPTION = PACKAGE / "generated" / "api.github.com.json"
SERVER = "https://api.github.com"

# OpenAPI knows no parameter that spans several segments, GitHub does.
SPANNING = re.compile(r"^(/repos/[^/]+/[^/]+/(?:contents|git/ref|git/refs|git/matching-refs|compare)/)(.+)$")
SPANNING_MIDDLE = re.compile(r"^(/repos/[^/]+/[^/]+/commits/)(.+)(/(?:check-runs|check-suites|status))$")

Check = Callable[[str, str, Mapping[str, str], Any], None]


class UnknownKeysError(ValueError):
    """The body has keys that GitHub does not know."""


class UnknownPathError(OpenAPIError):
    """There is no such path, or it does not take this method."""


class Operation(NamedTuple):
    """One method of one path template."""

    method: str
    template: str
    path: re.Pattern[str]
    body_schema: dict[str, Any] | None


def load_checker() -> Check:
    """A function that raises when GitHub would not understand the request. Loading takes about a second."""
    if not DESCRIPTION.is_file():
        raise FileNotFoundError("The npm packages for tests are missing: run `make setup`.")
    description = json.loads(DESCRIPTION.read_text(encoding="utf-8"), object_hook=_nullable)
    # None: the description itself is not checked, which would take minutes. The library's types forget it.
    config = Config(spec_validator_cls=None)  # type: ignore[arg-type]
    operations = list(_operations(description))

    @cache
    def api(template: str) -> OpenAPI:
        """Of one path alone, because the library looks at all of a description's paths for each request."""
        paths = {template: description["paths"][template]}
        return OpenAPI.from_dict({**description, "paths": paths}, config=config)

    def check(method: str, path: str, query: Mapping[str, str], body: Any) -> None:
        path, method = _one_segment(path), method.lower()
        operation = next(
            (
                operation
                for operation in operations
                if operation.method == method and operation.path.match(path)
            ),
            None,
        )
        if operation is None:
            raise UnknownPathError(f"{method.upper()} {path} is nothing that GitHub knows")
        data = None if body is None else json.dumps(body).encode()
        request = MockRequest(SERVER, method, path, args=dict(query), data=data)
        api(operation.template).validate_request(request)
        if isinstance(body, dict):
            _check_keys(description, operation, body)

    return check


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """GitHub writes `nullable` beside `oneOf`, where OpenAPI 3.0 gives it no force; the API takes null."""
    if schema.get("nullable") is True and "type" not in schema:
        for branches in ("oneOf", "anyOf"):
            if branches in schema:
                null = {"type": "string", "nullable": True, "enum": [None]}
                return {**schema, branches: [*schema[branches], null]}
    return schema


def _one_segment(path: str) -> str:
    if match := SPANNING.match(path):
        return match[1] + quote(match[2], safe="%")
    if match := SPANNING_MIDDLE.match(path):
        return match[1] + quote(match[2], safe="%") + match[3]
    return path


def _operations(description: dict[str, Any]) -> Iterator[Operation]:
    """All operations, those with fewer parameters first: `/issues/comments/7` is no `/issues/{number}/…`."""
    for template, item in sorted(description["paths"].items(), key=lambda entry: entry[0].count("{")):
        path = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]*", re.escape(template)) + "$")
        for method in ("get", "head", "post", "put", "patch", "delete"):
            if method in item:
                content = item[method].get("requestBody", {}).get("content", {})
                yield Operation(method, template, path, content.get("application/json", {}).get("schema"))


def _check_keys(description: dict[str, Any], operation: Operation, body: dict[str, Any]) -> None:
    properties = _properties(description, operation.body_schema or {})
    unknown = sorted(body.keys() - properties) if properties is not None else []
    if unknown:
        raise UnknownKeysError(
            f"{operation.method.upper()} {operation.template} knows no {', '.join(unknown)}"
        )


def _properties(description: dict[str, Any], schema: dict[str, Any]) -> set[str] | None:
    """The keys a schema names, over all its branches; None when it takes any."""
    if "$ref" in schema:
        target: Any = description
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _properties(description, target)
    if schema.get("additionalProperties"):
        return None
    keys = set(schema.get("properties", {}))
    for branches in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(branches, ()):
            more = _properties(description, branch)
            if more is None:
                return None
            keys |= more
    return keys
