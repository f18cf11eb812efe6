"""The entitlement as it is read from the database: open when in doubt, and seats from the timeline."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.billing.entitlements import Entitlements
from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinkError, SignedLinks
from bot.services import Services
from bot.settings.billing import BillingSettings, ListedPlan, MarketplaceSettings, StripeSettings
from bot.settings.secret import Secret
from marketplace.accounts import load_billing
from marketplace.entitlements import Allowed, Denied, Reason
from marketplace.plans import PlanName
from storage.database import Database, Tenant
from storage.deadlines import Deadline, Deadlines
from storage.projects import Project, Projects, RepositoryName
from storage.seats import Seats
from storage.subscriptions import PreviousPlan, Subscription, Subscriptions, tenant_of_buyer
from storage.timeline import Timeline, TimelineRow
from tests.conftest import Clock
from tests.support.builders import Box, Card

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = BillingSettings(
    is_on=True,
    marketplace=MarketplaceSettings((Secret("m"),), (ListedPlan(1313, PlanName.PRO, 3),), "agile"),
    stripe=StripeSettings(Secret("sk"), (Secret("whsec"),), {"price_pro": (PlanName.PRO, False)}),
)


class Firm:
    """A tenant with a private and a public repository."""

    def __init__(self, base: Services, organization_id: int, private: Project, public: Project) -> None:
        self.base = base
        self.id = organization_id
        self.private = private
        self.public = public
        self.shop = PurchaseLinks(SETTINGS, "https://agile.example", base.cipher)

    async def put(self, **told: Any) -> None:
        usual: dict[str, Any] = {"source": "marketplace", "status": "active", "plan": "pro", "read_at": NOW}
        async with self.base.database.tenant(self.id) as tenant:
            await Subscriptions(tenant).put(Subscription(**(usual | told)))

    async def happened(self, project: Project, events: Sequence[Any]) -> None:
        async with self.base.database.tenant(self.id) as tenant:
            await Timeline(tenant).record([TimelineRow(project.id, event) for event in events])

    async def ask(
        self, login: str = "alice", feature: str = "forecasts", project: Project | None = None
    ) -> Allowed | Denied:
        entitlements = Entitlements(self.base.database, self.shop, self.base.clock)
        return await entitlements.of(self.id, project or self.private)(feature, login)


@pytest.fixture
async def firm(base: Services, clock: Clock) -> Firm:
    clock.now = NOW
    async with base.database.unscoped() as connection:
        organization_id = await tenant_of_buyer(connection, 7, "acme", "Organization")
    async with base.database.tenant(organization_id) as tenant:
        private = await _project(tenant, "acme/secret", is_private=True)
        public = await _project(tenant, "acme/open", is_private=False)
    return Firm(base, organization_id, private, public)


async def _project(tenant: Tenant, name: str, *, is_private: bool) -> Project:
    projects = Projects(tenant)
    found = await projects.get(
        await projects.remember(RepositoryName(name, name, is_private, None, NOW - 60 * DAY))
    )
    assert found
    return found


def worked(number: int, actor: str, when: datetime, *, is_planned: bool = True) -> list[Any]:
    """Somebody opens an issue, and plans it or not."""
    card = Card(number, actor=actor).opened(when)
    return (card.joined(when + timedelta(minutes=1)) if is_planned else card).events


async def test_without_a_purchase_paid_features_are_denied_and_public_ones_are_free(firm: Firm) -> None:
    decision = await firm.ask()
    assert isinstance(decision, Denied)
    assert decision.reason is Reason.NOT_IN_PLAN
    assert decision.link == "https://github.com/marketplace/agile/upgrade/3/7"
    assert await firm.ask(project=firm.public) == Allowed()


async def test_what_was_bought_is_allowed(firm: Firm) -> None:
    await firm.put()
    assert await firm.ask() == Allowed()


async def test_switched_off_everything_is_allowed(firm: Firm) -> None:
    firm.shop = PurchaseLinks(replace(SETTINGS, is_on=False), "https://agile.example", firm.base.cipher)
    assert await firm.ask() == Allowed()


async def test_a_feature_that_no_plan_knows_is_open_and_logged(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await firm.ask(feature="telepathy") == Allowed()
    assert "a feature that no plan knows" in "".join(capsys.readouterr())


async def test_when_billing_cannot_be_read_everything_is_open_and_logged(
    firm: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    decision = await Entitlements(away, firm.shop, firm.base.clock).of(firm.id, firm.private)(
        "forecasts", "alice"
    )
    assert decision == Allowed()
    assert await Entitlements(away, firm.shop, firm.base.clock).notice(firm.id, is_public=False) is None
    assert "billing could not be read; everything is allowed" in "".join(capsys.readouterr())
    await away.close()


# Seats


async def test_a_seat_is_who_acted_on_planned_work_of_a_private_repository_lately(firm: Firm) -> None:
    await firm.happened(firm.private, worked(1, "alice", NOW - 20 * DAY))
    await firm.happened(firm.private, worked(2, "bob", NOW - 5 * DAY))
    await firm.happened(firm.private, worked(3, "long-gone", NOW - 31 * DAY))
    await firm.happened(firm.private, worked(4, "renovate[bot]", NOW - DAY))
    await firm.happened(firm.private, worked(5, "unplanned", NOW - DAY, is_planned=False))
    await firm.happened(firm.public, worked(6, "outsider", NOW - DAY))
    await firm.happened(firm.private, worked(7, "from-the-future", NOW + DAY))
    async with firm.base.database.tenant(firm.id) as tenant:
        assert await Seats(tenant).active_people(NOW, 30) == ["alice", "bob"]
        billing = await load_billing(tenant, NOW, firm.shop)
    assert billing
    assert billing.people == ("alice", "bob")


async def test_those_who_came_last_wait_for_a_seat(firm: Firm) -> None:
    await firm.happened(firm.private, worked(1, "zoe", NOW - 20 * DAY))
    await firm.happened(firm.private, worked(2, "bob", NOW - 5 * DAY))
    await firm.happened(firm.private, worked(3, "alice", NOW - 2 * DAY))
    await firm.put(quantity=2)
    assert await firm.ask("zoe") == Allowed()
    assert await firm.ask("bob") == Allowed()
    denied = await firm.ask("alice")
    assert isinstance(denied, Denied)
    assert denied.reason is Reason.SEATS_EXCEEDED
    assert await firm.ask("who-only-reads") == Allowed()
    await firm.put(quantity=3)
    assert await firm.ask("alice") == Allowed()


async def test_in_a_running_sprint_nothing_stops(firm: Firm) -> None:
    await firm.happened(firm.private, Box("11-15 08:00", due="11-29").events)
    await firm.put(status="ended", ended_at=NOW - DAY, previous_plan=PreviousPlan("pro", None, NOW - DAY))
    assert await firm.ask() == Allowed()
    await firm.put(
        status="ended", ended_at=NOW - 10 * DAY, previous_plan=PreviousPlan("pro", None, NOW - 10 * DAY)
    )
    assert isinstance(await firm.ask(), Denied)


# What an owner is told


async def notice(firm: Firm, *, is_public: bool = False) -> str | None:
    return await Entitlements(firm.base.database, firm.shop, firm.base.clock).notice(
        firm.id, is_public=is_public
    )


async def test_an_owner_reads_of_a_failed_payment_once_a_week_and_never_in_public(
    firm: Firm, clock: Clock
) -> None:
    await firm.put(source="stripe", reference="sub_1", status="past_due", past_due_since=NOW - DAY)
    assert await notice(firm, is_public=True) is None
    text = await notice(firm)
    assert text
    assert "The last payment for Pro failed. Nothing changes before 6 Dec 2026" in text
    assert await notice(firm) is None
    clock.now = NOW + 8 * DAY
    assert await notice(firm)
    await firm.put(source="stripe", reference="sub_1", status="active")
    clock.now = NOW + 16 * DAY
    assert await notice(firm) is None


async def test_who_has_the_same_plan_elsewhere_is_not_urged_below_an_answer(firm: Firm) -> None:
    await firm.put(quantity=5)
    await firm.put(source="stripe", reference="sub_1", status="past_due", past_due_since=NOW - DAY)
    text = await notice(firm)
    assert text
    assert "The last payment by card failed, but Pro stays: it is paid on GitHub Marketplace too." in text


async def test_an_owner_reads_when_data_will_be_deleted(firm: Firm) -> None:
    async with firm.base.database.tenant(firm.id) as tenant:
        await Deadlines(tenant).record(Deadline(NOW, NOW + 30 * DAY, is_announced=True))
    text = await notice(firm, is_public=True)
    assert text
    assert "will be deleted on 23 Dec 2026" in text
    async with firm.base.database.tenant(firm.id) as tenant:
        deadline = await Deadlines(tenant).latest()
    assert deadline
    assert deadline.shown_at == NOW


async def test_an_owner_reads_that_two_plans_are_paid_for(firm: Firm) -> None:
    await firm.put()
    await firm.put(source="stripe", reference="sub_1")
    text = await notice(firm)
    assert text
    assert "pays for more than one plan" in text


# As JSON


async def test_the_form_for_operators(firm: Firm) -> None:
    await firm.happened(firm.private, worked(1, "alice", NOW - 2 * DAY))
    await firm.put(quantity=5, period_end=NOW + 9 * DAY)
    async with firm.base.database.tenant(firm.id) as tenant:
        billing = await load_billing(tenant, NOW, firm.shop)
    assert billing
    assert billing.as_json() == {
        "account": "acme",
        "plan": "pro",
        "source": "marketplace",
        "status": "active",
        "seats": {"paid": 5, "used": 1},
        "trial_ends": None,
        "period_end": "2026-12-02T12:00:00+00:00",
        "pending": None,
        "features": {"forecasts": True, "flow": True, "audit": False},
    }


# Links


async def test_a_ticket_says_what_it_was_given_until_it_is_too_old(base: Services) -> None:
    tickets = SignedLinks(base.cipher)
    ticket = tickets.issue("checkout", NOW, account=7)
    assert tickets.read(ticket, "checkout", NOW)["account"] == 7
    for wrong, purpose, now, said in (
        (ticket, "checkout", NOW + timedelta(seconds=1), "too old"),
        (ticket, "portal", NOW, "something else"),
        (ticket, "checkout", NOW + timedelta(days=1), "`/agile plan` makes a new one"),
        (tickets.issue("portal", NOW), "portal", NOW + timedelta(days=1), "Whoever runs this App"),
        (ticket[:-8] + "AAAAAAAA", "checkout", NOW, "not one of ours"),
        ("x", "checkout", NOW, "not one of ours"),
        ("é", "checkout", NOW, "not one of ours"),
        ("", "checkout", NOW, "not one of ours"),
    ):
        with pytest.raises(SignedLinkError, match=said):
            tickets.read(wrong, purpose, now)
