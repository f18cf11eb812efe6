"""A tenant with billing, its subscriptions and the work that takes a seat."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.billing.entitlements import Entitlements
from bot.billing.purchase_links import PurchaseLinks
from bot.services import Services
from bot.settings.billing import BillingSettings, ListedPlan, MarketplaceSettings, StripeSettings
from bot.settings.secret import Secret
from marketplace.entitlements import Allowed, Denied
from marketplace.plans import PlanName
from storage.database import Tenant
from storage.projects import Project, Projects, RepositoryName
from storage.recorder import Recorder, TimelineRow
from storage.subscriptions import Subscription, Subscriptions, tenant_of_buyer
from tests.support.builders import Card
from tests.support.clock import Clock

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


DAY = timedelta(days=1)


BILLING_SETTINGS = BillingSettings(
    is_on=True,
    marketplace=MarketplaceSettings((Secret("m"),), (ListedPlan(1313, PlanName.PRO, 3),), "agile"),
    stripe=StripeSettings(Secret("sk"), (Secret("whsec"),), {"price_pro": (PlanName.PRO, False)}),
)


class BilledTenant:
    """A tenant with a private and a public repository."""

    def __init__(self, base: Services, organization_id: int, private: Project, public: Project) -> None:
        self.base = base
        self.id = organization_id
        self.private = private
        self.public = public
        self.offer = PurchaseLinks(BILLING_SETTINGS, "https://agile.example", base.cipher)

    async def put(self, **fields: Any) -> None:
        """Store a subscription: active, Pro, from the Marketplace, unless fields say otherwise."""
        usual: dict[str, Any] = {"source": "marketplace", "status": "active", "plan": "pro", "read_at": NOW}
        async with self.base.database.tenant(self.id) as tenant:
            await Subscriptions(tenant).store(Subscription(**(usual | fields)))

    async def happened(self, project: Project, events: Sequence[Any]) -> None:
        """Record events on the timeline of a project."""
        async with self.base.database.tenant(self.id) as tenant:
            await Recorder(tenant).record([TimelineRow(project.id, event) for event in events])

    async def ask(
        self, login: str = "alice", feature: str = "forecasts", project: Project | None = None
    ) -> Allowed | Denied:
        """Decide whether somebody may use a feature, by default in the private repository."""
        entitlements = Entitlements(self.base.database, self.offer, self.base.clock)
        return await entitlements.for_project(self.id, project or self.private)(feature, login)


@pytest.fixture
async def billed_tenant(base: Services, clock: Clock) -> BilledTenant:
    """A tenant with a private and a public repository; it is 23 November 2026."""
    clock.now = NOW
    async with base.database.unscoped() as connection:
        organization_id = await tenant_of_buyer(connection, 7, "acme", "Organization")
    async with base.database.tenant(organization_id) as tenant:
        private = await _add_project(tenant, "acme/secret", is_private=True)
        public = await _add_project(tenant, "acme/open", is_private=False)
    return BilledTenant(base, organization_id, private, public)


async def _add_project(tenant: Tenant, name: str, *, is_private: bool) -> Project:
    projects = Projects(tenant)
    result = await projects.get(
        await projects.remember(RepositoryName(name, name, is_private, None, NOW - 60 * DAY))
    )
    assert result
    return result


def work_events(number: int, actor: str, when: datetime, *, is_planned: bool = True) -> list[Any]:
    """Make the events of an issue that somebody opens and, by default, plans."""
    card = Card(number, actor=actor).opened(when)
    return (card.joined(when + timedelta(minutes=1)) if is_planned else card).events
