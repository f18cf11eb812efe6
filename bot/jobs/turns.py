"""When the turns of a tenant come: spread, so that not all tenants have theirs at the same moment."""

import hashlib
from datetime import timedelta


def spread_by_tenant(organization_id: int, within: timedelta) -> timedelta:
    """A delay from 0 to less than `within`, in whole seconds: always the same for a tenant."""
    digest = hashlib.sha256(str(organization_id).encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % int(within.total_seconds()))
