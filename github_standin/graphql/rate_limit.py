"""GraphQL's rate limit in points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
LIMIT = 5000


@dataclass
class GraphQLRateLimit:
    """The points left in this hour; they are only refilled by setting `remaining`."""

    remaining: int = LIMIT
    reset_at: datetime | None = None

    def take(self, cost: int) -> bool:
        """Spend points; False, and nothing is spent, when too few are left."""
        if self.remaining < cost:
            return False
        self.remaining -= cost
        return True

    def headers(self) -> dict[str, str]:
        """The rate-limit headers of every response."""
        return {
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(max(0, LIMIT - self.remaining)),
            "X-RateLimit-Reset": str(int(self.resets.timestamp())),
            "X-RateLimit-Resource": "graphql",
        }

    @property
    def resets(self) -> datetime:
        """The time at which the limit is refilled."""
        return self.reset_at or (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)

    def to_graphql(self, cost: int, nodes: int) -> Json:
        """Build GraphQL's `rateLimit` object for a query of this cost and number of nodes."""
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
