"""Entitlements read from the database: allowed when in doubt, and seats from the timeline."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.billing.entitlements import Entitlements
from bot.billing.purchase_links import PurchaseLinks
from bot.billing.signed_links import SignedLinkError, SignedLinks
from bot.services import Services
from marketplace.accounts import load_billing
from marketplace.entitlements import Allowed, Denied, Reason
from storage.database import Database
from storage.deadlines import Deadline, Deadlines
from storage.seats import Seats
from storage.subscriptions import PreviousPlan
from tests.support.billing import BILLING_SETTINGS, DAY, NOW, BilledTenant, work_events
from tests.support.builders import Box
from tests.support.clock import Clock


async def test_without_a_purchase_paid_features_are_denied_and_public_ones_are_free(
    billed_tenant: BilledTenant,
) -> None:
    decision = await billed_tenant.ask()
    assert isinstance(decision, Denied)
    assert decision.reason is Reason.NOT_IN_PLAN
    assert decision.link == "https://github.com/marketplace/agile/upgrade/3/7"
    assert await billed_tenant.ask(project=billed_tenant.public) == Allowed()


async def test_purchased_plan_is_allowed(billed_tenant: BilledTenant) -> None:
    await billed_tenant.put()
    assert await billed_tenant.ask() == Allowed()


async def test_switched_off_everything_is_allowed(billed_tenant: BilledTenant) -> None:
    billed_tenant.offer = PurchaseLinks(
        replace(BILLING_SETTINGS, is_on=False), "https://agile.example", billed_tenant.base.cipher
    )
    assert await billed_tenant.ask() == Allowed()


async def test_a_feature_that_no_plan_knows_is_open_and_logged(
    billed_tenant: BilledTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await billed_tenant.ask(feature="telepathy") == Allowed()
    assert "a feature that no plan knows" in "".join(capsys.readouterr())


async def test_when_billing_cannot_be_read_everything_is_open_and_logged(
    billed_tenant: BilledTenant, capsys: pytest.CaptureFixture[str]
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    decision = await Entitlements(away, billed_tenant.offer, billed_tenant.base.clock).for_project(
        billed_tenant.id, billed_tenant.private
    )("forecasts", "alice")
    assert decision == Allowed()
    assert (
        await Entitlements(away, billed_tenant.offer, billed_tenant.base.clock).find_notice(
            billed_tenant.id, is_public=False
        )
        is None
    )
    assert "billing could not be read; everything is allowed" in "".join(capsys.readouterr())
    await away.close()


# Seats


async def test_a_seat_is_who_acted_on_planned_work_of_a_private_repository_lately(
    billed_tenant: BilledTenant,
) -> None:
    await billed_tenant.happened(billed_tenant.private, work_events(1, "alice", NOW - 20 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(2, "bob", NOW - 5 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(3, "long-gone", NOW - 31 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(4, "renovate[bot]", NOW - DAY))
    await billed_tenant.happened(
        billed_tenant.private, work_events(5, "unplanned", NOW - DAY, is_planned=False)
    )
    await billed_tenant.happened(billed_tenant.public, work_events(6, "outsider", NOW - DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(7, "from-the-future", NOW + DAY))
    async with billed_tenant.base.database.tenant(billed_tenant.id) as tenant:
        assert await Seats(tenant).active_people(NOW, 30) == ["alice", "bob"]
        billing = await load_billing(tenant, NOW, billed_tenant.offer)
    assert billing
    assert billing.people == ("alice", "bob")


async def test_latest_people_wait_for_a_seat(billed_tenant: BilledTenant) -> None:
    await billed_tenant.happened(billed_tenant.private, work_events(1, "zoe", NOW - 20 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(2, "bob", NOW - 5 * DAY))
    await billed_tenant.happened(billed_tenant.private, work_events(3, "alice", NOW - 2 * DAY))
    await billed_tenant.put(quantity=2)
    assert await billed_tenant.ask("zoe") == Allowed()
    assert await billed_tenant.ask("bob") == Allowed()
    denied = await billed_tenant.ask("alice")
    assert isinstance(denied, Denied)
    assert denied.reason is Reason.SEATS_EXCEEDED
    assert await billed_tenant.ask("who-only-reads") == Allowed()
    await billed_tenant.put(quantity=3)
    assert await billed_tenant.ask("alice") == Allowed()


async def test_in_a_running_sprint_nothing_stops(billed_tenant: BilledTenant) -> None:
    await billed_tenant.happened(billed_tenant.private, Box("11-15 08:00", due="11-29").events)
    await billed_tenant.put(
        status="ended", ended_at=NOW - DAY, previous_plan=PreviousPlan("pro", None, NOW - DAY)
    )
    assert await billed_tenant.ask() == Allowed()
    await billed_tenant.put(
        status="ended", ended_at=NOW - 10 * DAY, previous_plan=PreviousPlan("pro", None, NOW - 10 * DAY)
    )
    assert isinstance(await billed_tenant.ask(), Denied)


# What an owner is told


async def notice(billed_tenant: BilledTenant, *, is_public: bool = False) -> str | None:
    return await Entitlements(
        billed_tenant.base.database, billed_tenant.offer, billed_tenant.base.clock
    ).find_notice(billed_tenant.id, is_public=is_public)


async def test_an_owner_reads_of_a_failed_payment_once_a_week_and_never_in_public(
    billed_tenant: BilledTenant, clock: Clock
) -> None:
    await billed_tenant.put(source="stripe", reference="sub_1", status="past_due", past_due_since=NOW - DAY)
    assert await notice(billed_tenant, is_public=True) is None
    text = await notice(billed_tenant)
    assert text
    assert "The last payment for Pro failed. Nothing changes until 6 Dec 2026" in text
    assert await notice(billed_tenant) is None
    clock.now = NOW + 8 * DAY
    assert await notice(billed_tenant)
    await billed_tenant.put(source="stripe", reference="sub_1", status="active")
    clock.now = NOW + 16 * DAY
    assert await notice(billed_tenant) is None


async def test_who_has_the_same_plan_elsewhere_is_not_urged_below_an_answer(
    billed_tenant: BilledTenant,
) -> None:
    await billed_tenant.put(quantity=5)
    await billed_tenant.put(source="stripe", reference="sub_1", status="past_due", past_due_since=NOW - DAY)
    text = await notice(billed_tenant)
    assert text
    assert "The last card payment failed, but you keep Pro, which is also paid on GitHub Marketplace." in text


async def test_an_owner_reads_when_data_will_be_deleted(billed_tenant: BilledTenant) -> None:
    async with billed_tenant.base.database.tenant(billed_tenant.id) as tenant:
        await Deadlines(tenant).record(Deadline(NOW, NOW + 30 * DAY, is_announced=True))
    text = await notice(billed_tenant, is_public=True)
    assert text
    assert "will be deleted on 23 Dec 2026" in text
    async with billed_tenant.base.database.tenant(billed_tenant.id) as tenant:
        deadline = await Deadlines(tenant).latest()
    assert deadline
    assert deadline.shown_at == NOW


async def test_an_owner_reads_that_two_plans_are_paid_for(billed_tenant: BilledTenant) -> None:
    await billed_tenant.put()
    await billed_tenant.put(source="stripe", reference="sub_1")
    text = await notice(billed_tenant)
    assert text
    assert "pays for more than one plan" in text


# As JSON


async def test_the_form_for_operators(billed_tenant: BilledTenant) -> None:
    await billed_tenant.happened(billed_tenant.private, work_events(1, "alice", NOW - 2 * DAY))
    await billed_tenant.put(quantity=5, period_end=NOW + 9 * DAY)
    async with billed_tenant.base.database.tenant(billed_tenant.id) as tenant:
        billing = await load_billing(tenant, NOW, billed_tenant.offer)
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
    for wrong, purpose, now, answer in (
        (ticket, "checkout", NOW + timedelta(seconds=1), "too old"),
        (ticket, "portal", NOW, "something else"),
        (ticket, "checkout", NOW + timedelta(days=1), "`/agile plan` makes a new one"),
        (tickets.issue("portal", NOW), "portal", NOW + timedelta(days=1), "Whoever runs this App"),
        (ticket[:-8] + "AAAAAAAA", "checkout", NOW, "invalid or incomplete"),
        ("x", "checkout", NOW, "invalid or incomplete"),
        ("é", "checkout", NOW, "invalid or incomplete"),
        ("", "checkout", NOW, "invalid or incomplete"),
    ):
        with pytest.raises(SignedLinkError, match=answer):
            tickets.read(wrong, purpose, now)
