"""Faults on demand: the next matching requests get a planned error response."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """A planned error response; `status` 0 closes the connection without a response.

    With `after_effect` the request is carried out first, and only its response is lost.
    """

    method: str
    path: re.Pattern[str]
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    after_effect: bool = False

    def encoded(self) -> bytes:
        """Encode the body: text as it is, anything else as JSON."""
        if isinstance(self.body, str):
            return self.body.encode()
        body = {"message": f"Fault {self.status} made by a test"} if self.body is None else self.body
        return json.dumps(body).encode()


class Faults:
    """A queue of planned faults, used in the order in which they were planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Add a fault at the end of the queue."""
        self._planned.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Take the fault for a request, if one is planned, and count down its `times`."""
        for fault in self._planned:
            if fault.method.upper() in (method, "*") and fault.path.search(path):
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Drop all planned faults, so that one test's never reach the next."""
        self._planned.clear()
