"""Faults that tests ask of the stand-in: refusals, lost connections, delays, spent limits, revoked tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from github_standin.graphql.rate_limit import GraphQLRateLimit
from github_standin.proxy.callers import Callers
from github_standin.proxy.faults import Fault, Faults


class FaultControls:
    """The faults of a stand-in; the subclass answers its requests with them."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.graphql_limits = GraphQLRateLimit()
        self._callers = Callers()
        self._faults = Faults()

    def fail_next(
        self,
        method: str,
        path_regex: str,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
        after_effect: bool = False,
    ) -> None:
        """Answer the next matching requests with a fault ("*" = any method, status 0 = connection lost).

        With `after_effect` the request is carried out first, so that only its answer is lost.
        """
        fault = Fault(method, re.compile(path_regex), status, headers or {}, body, times, after_effect)
        self._faults.plan(fault)

    def clear_faults(self) -> None:
        """Drop planned faults and the delay, and refill GraphQL's rate limit."""
        self._faults.clear()
        self.delay = 0.0
        self.graphql_limits = GraphQLRateLimit()

    @property
    def graphql_remaining(self) -> int:
        """The points left of GraphQL's rate limit; every query costs some."""
        return self.graphql_limits.remaining

    @graphql_remaining.setter
    def graphql_remaining(self, points: int) -> None:
        self.graphql_limits.remaining = points

    def revoke_installation_tokens(self) -> None:
        """Refuse every installation token issued so far with 401, as GitHub does after an hour."""
        self._callers.revoke_installation_tokens()
