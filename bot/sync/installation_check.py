"""Asks GitHub for the account of an installation that a delivery named and that is not recorded.

Only GitHub's answer, or its `installation` event, binds an installation to an account: a late delivery, or
one about a transferred repository, must not redirect a tenant's events or answers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.github.client import GONE, GitHub, GitHubRefusedError
from bot.sync.access_tracking import record_confirmation, record_suspension
from handlers.lenient import convert_leniently
from handlers.payloads import AccountPayload
from storage.database import Database
from storage.gaps import Gaps
from storage.installation_claims import InstallationClaim, InstallationClaims
from storage.installations import Installations

# For this time after a suspension, events about another one may come in the wrong order.
_IN_DOUBT_FOR = timedelta(days=1)


class _Installation(msgspec.Struct):
    """An installation in GitHub's answer."""

    account: AccountPayload | None = None
    suspended_at: datetime | None = None


class InstallationCheck:
    """Checks one tenant's claims that an installation belongs to it."""

    def __init__(self, database: Database, github: GitHub, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._github = github
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def run(self, organization_id: int) -> None:
        """Confirm or deny each unchecked claim. Raises GitHubUnavailableError; the others then wait."""
        async with self._database.tenant(organization_id, durable=False) as tenant:
            claims = await InstallationClaims(tenant).unchecked()
        for claim in claims:
            installed = await self._get(claim.installation)
            async with self._database.tenant(organization_id) as tenant:
                claims_of_tenant = InstallationClaims(tenant)
                is_confirmed = (
                    installed is not None
                    and installed.account is not None
                    and installed.account.id == claim.account
                    and await claims_of_tenant.confirm(claim, installed.suspended_at)
                )
                if is_confirmed and installed is not None:
                    await record_confirmation(
                        tenant, claim.installation, installed.suspended_at, self._clock()
                    )
                else:
                    await claims_of_tenant.deny(claim, self._clock())
            self._log_result(claim, is_confirmed=is_confirmed)

    async def check_suspension(self, organization_id: int) -> None:
        """Ask whether the present installation is suspended, if an event about that may have been missed.

        Raises GitHubUnavailableError; then nothing changes.
        """
        async with self._database.tenant(organization_id) as tenant:
            installation = await Installations(tenant).current()
            is_doubtful = await Installations(tenant).suspended_since() is not None or await Gaps(
                tenant
            ).was_suspended_since(self._clock() - _IN_DOUBT_FOR)
        if installation is None or not is_doubtful:
            return
        installed = await self._get(installation)
        if installed is None:  # Uninstalled, which has an event of its own.
            return
        async with self._database.tenant(organization_id) as tenant:
            if await record_suspension(tenant, installed.suspended_at, self._clock()):
                self._log.info("suspension reported by GitHub", since=installed.suspended_at)

    async def _get(self, installation: int) -> _Installation | None:
        """Get an installation from GitHub; None if the App has no such installation."""
        try:
            answer = await self._github.app.get(f"/app/installations/{installation}")
        except GitHubRefusedError as refusal:
            if refusal.status in GONE:
                return None
            raise
        return convert_leniently(_Installation, answer)

    def _log_result(self, claim: InstallationClaim, *, is_confirmed: bool) -> None:
        if is_confirmed:
            self._log.info("installation confirmed by GitHub", installation=claim.installation)
        else:
            self._log.warning(
                "installation denied by GitHub", installation=claim.installation, account=claim.account
            )
