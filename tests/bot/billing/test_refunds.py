"""Refunds and disputes: one line each in the audit log, an open dispute in `doctor`, and no change of plan."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.billing.refunds import StripePayments
from bot.billing.stripe_client import RealStripe, is_live_key
from bot.cli.doctor import examine
from storage.billing_jobs import RECONCILE_STRIPE
from storage.jobs import OTHERS
from tests.bot.billing.test_stripe import billing, deliver, shop, stand_in, stripe_settings
from tests.support.running import Bot, rows
from tests.support.stripe.server import StandInStripe

__all__ = ["shop", "stand_in"]


async def pays(shop: Bot, stand_in: StandInStripe, account: int = 7) -> dict[str, Any]:
    """Somebody who pays by card, and the charge."""
    subscription = stand_in.subscribe(account)
    await deliver(shop, stand_in.event("customer.subscription.created", subscription))
    return stand_in.pay(subscription["customer"])


async def lines(shop: Bot, action: str, account: int = 7) -> list[dict[str, Any]]:
    (tenant,) = [row[0] for row in await rows(shop.base, f"select * from tenant_of_account({account})")]
    query = "select details from audit_log where action = :action order by id"
    return [row.details for row in await rows(shop.base, query, tenant, action=action)]


async def disputes_in_doctor(shop: Bot) -> list[str]:
    return [finding for finding in await examine(shop.base) if "disputes a payment" in finding]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["charge.refunded", "refund.created", "refund.updated"]))
)
async def test_a_refund_leaves_one_line_whatever_tells_of_it(
    shop: Bot, stand_in: StandInStripe, order: tuple[str, ...]
) -> None:
    charge = await pays(shop, stand_in)
    refund = stand_in.refund(charge, 600)
    for kind in (*order, *order):
        shown = charge if kind == "charge.refunded" else refund
        assert await deliver(shop, stand_in.event(kind, shown)) == (200, "stored")
    (line,) = await lines(shop, "refund")
    assert line["event"] == order[0]
    assert (line["id"], line["amount"], line["currency"]) == (refund["id"], 600, "usd")
    assert (line["status"], line["charge"]) == ("succeeded", charge["id"])
    assert (await billing(shop.base)).account.plan == "pro"


async def test_each_refund_and_each_change_of_it_has_its_line(shop: Bot, stand_in: StandInStripe) -> None:
    charge = await pays(shop, stand_in)
    stand_in.refund(charge, 500)
    second = stand_in.refund(charge, 1300, status="pending")
    await deliver(shop, stand_in.event("charge.refunded", charge))
    second["status"] = "failed"
    await deliver(shop, stand_in.event("refund.failed", second))
    found = [(line["amount"], line["status"]) for line in await lines(shop, "refund")]
    assert sorted(found) == [(500, "succeeded"), (1300, "failed"), (1300, "pending")]


async def test_an_open_dispute_is_named_until_it_is_closed(shop: Bot, stand_in: StandInStripe) -> None:
    charge = await pays(shop, stand_in)
    due = datetime(2027, 1, 5, tzinfo=UTC)
    dispute = stand_in.dispute(charge, due_by=int(due.timestamp()))
    event = stand_in.event("charge.dispute.created", dispute)
    for _ in range(2):
        assert await deliver(shop, event) == (200, "stored")
    (finding,) = await disputes_in_doctor(shop)
    assert f"octo disputes a payment of $18.00 ({dispute['id']}, fraudulent, needs_response)" in finding
    assert "answer it by 2027-01-05" in finding
    assert (await billing(shop.base)).account.plan == "pro"
    dispute["status"] = "won"
    # An event is a hint: this one is old and says what was.
    await deliver(shop, stand_in.event("charge.dispute.updated", dispute | {"status": "under_review"}))
    assert await disputes_in_doctor(shop) == []
    assert [line["status"] for line in await lines(shop, "dispute")] == ["needs_response", "won"]


@pytest.mark.parametrize("status", ["won", "lost", "warning_closed", "prevented"])
async def test_what_no_event_told_of_is_found_at_night(
    shop: Bot, stand_in: StandInStripe, status: str
) -> None:
    charge = await pays(shop, stand_in)
    dispute = stand_in.dispute(charge)
    stand_in.refund(charge, 100)

    async def night() -> None:
        await shop.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
        await shop.rest()

    await night()
    assert len(await disputes_in_doctor(shop)) == 1
    dispute["status"] = status
    await night()
    await night()
    assert await disputes_in_doctor(shop) == []
    assert len(await lines(shop, "dispute")) == 2
    assert len(await lines(shop, "refund")) == 1


async def test_payments_of_others_leave_no_line(shop: Bot, stand_in: StandInStripe) -> None:
    await pays(shop, stand_in)
    stranger = stand_in.pay("cus_of_another_product")
    await deliver(shop, stand_in.event("charge.dispute.created", stand_in.dispute(stranger)))
    await deliver(shop, stand_in.event("charge.refunded", stranger))
    nobody = stand_in.pay("")
    nobody["customer"] = None
    await deliver(shop, stand_in.event("refund.created", stand_in.refund(nobody, 5)))
    assert await lines(shop, "refund") == await lines(shop, "dispute") == []
    assert not await rows(shop.base, "select 1 from procrastinate_jobs where status = 'failed'")


async def test_one_that_cannot_be_understood_does_not_stop_the_others(
    shop: Bot, stand_in: StandInStripe
) -> None:
    charge = await pays(shop, stand_in)
    stand_in.refund(charge, 1)["amount"] = "a lot"
    stand_in.refund(charge, 2)
    client = RealStripe(stripe_settings(stand_in))
    await StripePayments(shop.base.database, client, shop.base.clock).compare()
    await client.close()
    assert [line["amount"] for line in await lines(shop, "refund")] == [2]


@pytest.mark.parametrize(("path", "is_refund_read"), [("disputes", True), ("refunds", False)])
@pytest.mark.parametrize("status", [403, 500])
async def test_a_refused_comparison_is_a_finding_until_one_goes_through(
    shop: Bot, stand_in: StandInStripe, path: str, status: int, is_refund_read: bool
) -> None:
    stand_in.refund(await pays(shop, stand_in), 600)

    async def night() -> list[str]:
        await shop.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
        await shop.rest()
        return [finding for finding in await examine(shop.base) if "not compared" in finding]

    stand_in.failing = {path: status}
    (finding,) = await night()
    assert finding.startswith("Stripe's refunds and disputes were not compared on ")
    assert "Last compared: never before" in finding
    # What the key may read is compared all the same.
    if status == 403:
        assert len(await lines(shop, "refund")) == is_refund_read
    stand_in.failing = {}
    assert await night() == []
    assert len(await lines(shop, "refund")) == 1


async def test_a_refund_that_stripe_does_not_show_is_written_down_all_the_same(
    shop: Bot, stand_in: StandInStripe
) -> None:
    charge = await pays(shop, stand_in)
    event = stand_in.event("charge.refunded", charge)
    await deliver(shop, event)
    (line,) = await lines(shop, "refund")
    assert line == {"id": charge["id"], "event": "charge.refunded", "event_id": event["id"]}


# Events that our key cannot know of


@pytest.mark.parametrize("more", [{"livemode": True}, {"account": "acct_connected"}])
async def test_events_of_another_mode_or_account_are_ignored(
    shop: Bot, stand_in: StandInStripe, more: dict[str, Any]
) -> None:
    subscription = stand_in.subscribe(7)
    event = stand_in.event("customer.subscription.created", subscription) | more
    status, message = await deliver(shop, event)
    assert (status, message.partition(":")[0]) == (200, "ignored")
    assert (await billing(shop.base)).subscriptions == ()


def test_the_mode_of_a_key() -> None:
    assert [is_live_key(key) for key in ("sk_live_x", "rk_live_x", "sk_test_x", "rk_test_x")] == [
        *(True, True, False, False)
    ]
    assert [is_live_key(key) for key in ("", "pk_live_x", "sk_x", "anything")] == [None] * 4


async def test_usage_without_a_meter_raises_an_alert(shop: Bot, stand_in: StandInStripe) -> None:
    thin = {"id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}
    assert await deliver(shop, thin | {"livemode": False}) == (200, "noted")
    (finding,) = [finding for finding in await examine(shop.base) if "evt_thin" in finding]
    assert finding.startswith("Stripe dropped usage whose event name has no meter")


@pytest.mark.parametrize(("charge", "by"), [(None, "payment_intent"), (None, None), ("ch_of_nobody", None)])
async def test_a_refund_without_a_charge_is_resolved_by_what_else_it_names(
    shop: Bot, stand_in: StandInStripe, charge: str | None, by: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """In Stripe's types both `charge` and `payment_intent` of a refund are optional."""
    refund = stand_in.refund(await pays(shop, stand_in), 600)
    refund["charge"] = charge
    refund["payment_intent"] = refund["payment_intent"] if by else None
    capsys.readouterr()
    await deliver(shop, stand_in.event("refund.created", refund))
    client = RealStripe(stripe_settings(stand_in))
    await StripePayments(shop.base.database, client, shop.base.clock).compare()
    await client.close()
    assert [line["id"] for line in await lines(shop, "refund")] == ([refund["id"]] if by else [])
    said = "".join(capsys.readouterr())
    assert "error" not in said
    assert by or refund["id"] in said
