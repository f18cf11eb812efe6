"""Refunds and disputes: one audit line each, open disputes in `doctor`, and no change of plan."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.billing.refunds import StripePayments
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import is_live_key
from bot.cli.doctor import examine
from storage.billing_jobs import RECONCILE_STRIPE
from storage.jobs import OTHERS
from tests.support.running import Bot, rows
from tests.support.stripe.selling import deliver_stripe_event, read_billing, stripe_settings
from tests.support.stripe.server import StandInStripe


async def pays(selling_bot: Bot, stripe_server: StandInStripe, account: int = 7) -> dict[str, Any]:
    """Somebody who pays by card, and the charge."""
    subscription = stripe_server.subscribe(account)
    await deliver_stripe_event(
        selling_bot, stripe_server.event("customer.subscription.created", subscription)
    )
    return stripe_server.pay(subscription["customer"])


async def lines(selling_bot: Bot, action: str, account: int = 7) -> list[dict[str, Any]]:
    (tenant,) = [
        row[0] for row in await rows(selling_bot.base, f"select * from tenant_of_account({account})")
    ]
    query = "select details from audit_log where action = :action order by id"
    return [row.details for row in await rows(selling_bot.base, query, tenant, action=action)]


async def disputes_in_doctor(selling_bot: Bot) -> list[str]:
    return [finding for finding in await examine(selling_bot.base) if "disputes a payment" in finding]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["charge.refunded", "refund.created", "refund.updated"]))
)
async def test_a_refund_leaves_one_line_whatever_tells_of_it(
    selling_bot: Bot, stripe_server: StandInStripe, order: tuple[str, ...]
) -> None:
    charge = await pays(selling_bot, stripe_server)
    refund = stripe_server.refund(charge, 600)
    for kind in (*order, *order):
        shown = charge if kind == "charge.refunded" else refund
        assert await deliver_stripe_event(selling_bot, stripe_server.event(kind, shown)) == (200, "stored")
    (line,) = await lines(selling_bot, "refund")
    assert line["event"] == order[0]
    assert (line["id"], line["amount"], line["currency"]) == (refund["id"], 600, "usd")
    assert (line["status"], line["charge"]) == ("succeeded", charge["id"])
    assert (await read_billing(selling_bot.base)).account.plan == "pro"


async def test_each_refund_and_each_change_of_it_has_its_line(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    charge = await pays(selling_bot, stripe_server)
    stripe_server.refund(charge, 500)
    second = stripe_server.refund(charge, 1300, status="pending")
    await deliver_stripe_event(selling_bot, stripe_server.event("charge.refunded", charge))
    second["status"] = "failed"
    await deliver_stripe_event(selling_bot, stripe_server.event("refund.failed", second))
    result = [(line["amount"], line["status"]) for line in await lines(selling_bot, "refund")]
    assert sorted(result) == [(500, "succeeded"), (1300, "failed"), (1300, "pending")]


async def test_an_open_dispute_is_named_until_it_is_closed(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    charge = await pays(selling_bot, stripe_server)
    due = datetime(2027, 1, 5, tzinfo=UTC)
    dispute = stripe_server.dispute(charge, due_by=int(due.timestamp()))
    event = stripe_server.event("charge.dispute.created", dispute)
    for _ in range(2):
        assert await deliver_stripe_event(selling_bot, event) == (200, "stored")
    (finding,) = await disputes_in_doctor(selling_bot)
    assert f"octo disputes a payment of $18.00 ({dispute['id']}, fraudulent, needs_response)" in finding
    assert "answer it by 2027-01-05" in finding
    assert (await read_billing(selling_bot.base)).account.plan == "pro"
    dispute["status"] = "won"
    # An event is a hint: this one is old and says what was.
    await deliver_stripe_event(
        selling_bot, stripe_server.event("charge.dispute.updated", dispute | {"status": "under_review"})
    )
    assert await disputes_in_doctor(selling_bot) == []
    assert [line["status"] for line in await lines(selling_bot, "dispute")] == ["needs_response", "won"]


@pytest.mark.parametrize("status", ["won", "lost", "warning_closed", "prevented"])
async def test_what_no_event_told_of_is_found_at_night(
    selling_bot: Bot, stripe_server: StandInStripe, status: str
) -> None:
    charge = await pays(selling_bot, stripe_server)
    dispute = stripe_server.dispute(charge)
    stripe_server.refund(charge, 100)

    async def night() -> None:
        await selling_bot.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
        await selling_bot.rest()

    await night()
    assert len(await disputes_in_doctor(selling_bot)) == 1
    dispute["status"] = status
    await night()
    await night()
    assert await disputes_in_doctor(selling_bot) == []
    assert len(await lines(selling_bot, "dispute")) == 2
    assert len(await lines(selling_bot, "refund")) == 1


async def test_payments_of_others_leave_no_line(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    await pays(selling_bot, stripe_server)
    stranger = stripe_server.pay("cus_of_another_product")
    await deliver_stripe_event(
        selling_bot, stripe_server.event("charge.dispute.created", stripe_server.dispute(stranger))
    )
    await deliver_stripe_event(selling_bot, stripe_server.event("charge.refunded", stranger))
    nobody = stripe_server.pay("")
    nobody["customer"] = None
    await deliver_stripe_event(
        selling_bot, stripe_server.event("refund.created", stripe_server.refund(nobody, 5))
    )
    assert await lines(selling_bot, "refund") == await lines(selling_bot, "dispute") == []
    assert not await rows(selling_bot.base, "select 1 from procrastinate_jobs where status = 'failed'")


async def test_malformed_refund_does_not_stop_comparison(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    charge = await pays(selling_bot, stripe_server)
    stripe_server.refund(charge, 1)["amount"] = "a lot"
    stripe_server.refund(charge, 2)
    client = RealStripe(stripe_settings(stripe_server))
    await StripePayments(selling_bot.base.database, client, selling_bot.base.clock).compare()
    await client.close()
    assert [line["amount"] for line in await lines(selling_bot, "refund")] == [2]


@pytest.mark.parametrize(("path", "is_refund_read"), [("disputes", True), ("refunds", False)])
@pytest.mark.parametrize("status", [403, 500])
async def test_refused_comparison_is_a_finding_until_one_succeeds(
    selling_bot: Bot, stripe_server: StandInStripe, path: str, status: int, is_refund_read: bool
) -> None:
    stripe_server.refund(await pays(selling_bot, stripe_server), 600)

    async def night() -> list[str]:
        await selling_bot.base.queue.configure_task(RECONCILE_STRIPE, queue=OTHERS).defer_async(timestamp=0)
        await selling_bot.rest()
        return [finding for finding in await examine(selling_bot.base) if "not compared" in finding]

    stripe_server.failing = {path: status}
    (finding,) = await night()
    assert finding.startswith("Stripe's refunds and disputes were not compared on ")
    assert "Last compared: never before" in finding
    # What the key may read is compared all the same.
    if status == 403:
        assert len(await lines(selling_bot, "refund")) == is_refund_read
    stripe_server.failing = {}
    assert await night() == []
    assert len(await lines(selling_bot, "refund")) == 1


async def test_a_refund_that_stripe_does_not_show_is_recorded_nevertheless(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    charge = await pays(selling_bot, stripe_server)
    event = stripe_server.event("charge.refunded", charge)
    await deliver_stripe_event(selling_bot, event)
    (line,) = await lines(selling_bot, "refund")
    assert line == {"id": charge["id"], "event": "charge.refunded", "event_id": event["id"]}


# Events that our key cannot know of


@pytest.mark.parametrize("more", [{"livemode": True}, {"account": "acct_connected"}])
async def test_events_of_another_mode_or_account_are_ignored(
    selling_bot: Bot, stripe_server: StandInStripe, more: dict[str, Any]
) -> None:
    subscription = stripe_server.subscribe(7)
    event = stripe_server.event("customer.subscription.created", subscription) | more
    status, message = await deliver_stripe_event(selling_bot, event)
    assert (status, message.partition(":")[0]) == (200, "ignored")
    assert (await read_billing(selling_bot.base)).subscriptions == ()


def test_the_mode_of_a_key() -> None:
    assert [is_live_key(key) for key in ("sk_live_x", "rk_live_x", "sk_test_x", "rk_test_x")] == [
        *(True, True, False, False)
    ]
    assert [is_live_key(key) for key in ("", "pk_live_x", "sk_x", "anything")] == [None] * 4


async def test_usage_without_a_meter_raises_an_alert(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    thin = {"id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found"}
    assert await deliver_stripe_event(selling_bot, thin | {"livemode": False}) == (200, "noted")
    (finding,) = [finding for finding in await examine(selling_bot.base) if "evt_thin" in finding]
    assert finding.startswith("Stripe dropped usage whose event name has no meter")


@pytest.mark.parametrize(("charge", "by"), [(None, "payment_intent"), (None, None), ("ch_of_nobody", None)])
async def test_a_refund_without_a_charge_is_resolved_by_what_else_it_names(
    selling_bot: Bot,
    stripe_server: StandInStripe,
    charge: str | None,
    by: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In Stripe's types both `charge` and `payment_intent` of a refund are optional."""
    refund = stripe_server.refund(await pays(selling_bot, stripe_server), 600)
    refund["charge"] = charge
    refund["payment_intent"] = refund["payment_intent"] if by else None
    capsys.readouterr()
    await deliver_stripe_event(selling_bot, stripe_server.event("refund.created", refund))
    client = RealStripe(stripe_settings(stripe_server))
    await StripePayments(selling_bot.base.database, client, selling_bot.base.clock).compare()
    await client.close()
    assert [line["id"] for line in await lines(selling_bot, "refund")] == ([refund["id"]] if by else [])
    answer = "".join(capsys.readouterr())
    assert "error" not in answer
    assert by or refund["id"] in answer
