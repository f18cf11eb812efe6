"""The points that GraphQL queries cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
LIMIT = 5000


@dataclass
class RateLimit:
    """Points for an hour; nothing fills it up but the one who sets it."""

    remaining: int = LIMIT
    reset_at: datetime | None = None

    def take(self, cost: int) -> bool:
        """Whether there was enough."""
        if self.remaining < cost:
            return False
        self.remaining -= cost
        return True

    def headers(self) -> dict[str, str]:
        """What GitHub sends beside every answer."""
        return {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(max(0, LIMIT - self.remaining)),
            "X-RateLimit-Reset": str(int(self.resets.timestamp())),
            "X-RateLimit-Resource": "graphql",
        }

    @property
    def resets(self) -> datetime:
        """When it is full again."""
        return self.reset_at or (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)

    def told(self, cost: int, nodes: int) -> Json:
        """GraphQL's `rateLimit`."""
        stamp = self.resets.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        used = max(0, LIMIT - self.remaining)
        return {
            "cost": cost,
            "limit": LIMIT,
            "nodeCount": nodes,
            "remaining": self.remaining,
            "resetAt": stamp,
            "used": used,
        }
