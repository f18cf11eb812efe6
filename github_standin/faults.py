"""Bad days on demand: the next matching requests are answered with a fault instead of the truth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """One planned fault; `status` 0 closes the connection without an answer."""

    method: str
    path: re.Pattern[str]
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1
    after_effect: bool = False

    def encoded(self) -> bytes:
        """The body as sent: text as it is, anything else as JSON."""
        if isinstance(self.body, str):
            return self.body.encode()
        body = {"message": f"Fault {self.status} made by a test"} if self.body is None else self.body
        return json.dumps(body).encode()


class Faults:
    """The faults still to come, taken in the order in which they were planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, fault: Fault) -> None:
        """Add a fault behind those already planned."""
        self._planned.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault this request meets, used up by one."""
        for fault in self._planned:
            if fault.method.upper() in (method, "*") and fault.path.search(path):
                fault.times -= 1
                if fault.times <= 0:
                    self._planned.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget what is still planned, so that one test's faults never reach the next."""
        self._planned.clear()
