"""`/agile seats`: people, costs, and the approval of a large increase."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.billing.seat_reporting import SEATS_REFUSED, SeatReporting
from bot.billing.stripe_client import RealStripe
from bot.cli.doctor import examine
from bot.publishing.pictures import ChartRenderer
from bot.settings import Settings
from commands.messages.seats import approved_text, increase_text, seats_card
from github_standin.github import StandInGitHub
from marketplace.accounts import Billing
from marketplace.entitlements import resolve_account_plan
from marketplace.seat_increases import SeatIncrease
from storage.job_types import ReconcileJob
from storage.jobs import Jobs
from storage.recorder import Recorder, TimelineRow
from storage.seat_increases import SeatIncreases
from storage.seats import Seats
from storage.subscriptions import Account, AccountAuditEntry, PendingChange, Subscription, Subscriptions
from tests.support.billing import work_events
from tests.support.billing_messages import find_owner_tenant
from tests.support.changes import box_line, tick_box
from tests.support.clock import Clock
from tests.support.running import Bot, rows, running_bot
from tests.support.sprints import make_sprint, use_private_repository
from tests.support.stripe.selling import card_billing_settings, stripe_settings
from tests.support.stripe.server import StandInStripe

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def bought(**more: Any) -> Subscription:
    usual: dict[str, Any] = {
        "reference": "sub_1",
        "quantity": 2,
        "unit_amount": 500,
        "currency": "eur",
        "period_start": NOW - 100 * DAY,
        "period_end": NOW + 100 * DAY,
    }
    status = more.pop("status", "active")
    return Subscription(more.pop("source", "stripe"), status, "pro", NOW, **(usual | more))


def billing(subscription: Subscription | None, people: int = 3, **more: Any) -> Billing:
    subscriptions = (subscription,) if subscription else ()
    standing = resolve_account_plan(subscriptions, NOW, 14 * DAY)
    who = tuple(f"person-{number}" for number in range(people))
    account = Account(7, "acme", "Organization", standing.name, 100, None)
    return Billing(account, standing, True, who, subscriptions=subscriptions, **more)


def increase(**more: Any) -> SeatIncrease:
    usual: dict[str, Any] = {"is_yearly": False, "unit_amount": 500, "currency": "eur", "reference": "sub_1"}
    return SeatIncrease(2, 12, NOW, **(usual | more))


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (bought(), "3 people on planned work, 2 paid seats."),
        (
            bought(),
            (
                "€5.00 a month "
                "before discounts and tax; the amount for the rest of this month goes on your next invoice."
            ),
        ),
        (
            bought(is_yearly=True, unit_amount=6_000),
            ("€60.00 a year before discounts and tax; you pay about €30.00 now for the rest of this period."),
        ),
        (bought(is_yearly=True), "others can take their seats until the renewal on 3 Mar 2027"),
        (
            bought(is_yearly=True, period_end=NOW + DAY),
            "a year before discounts and tax; nothing is due until the renewal.",
        ),
        (bought(status="past_due"), "No seats are added while a payment is due."),
        (bought(status="trialing"), "; nothing is due during the trial."),
        (
            bought(source="marketplace", unit_amount=None, currency=None),
            "You add seats on GitHub Marketplace.",
        ),
        (
            bought(unit_amount=None, currency=None),
            "One more seat costs $6.00 a month before discounts and tax (list price);",
        ),
        (None, "3 people on planned work."),
    ],
)
def test_seats_card_states_the_price_of_a_seat(subscription: Subscription | None, expected: str) -> None:
    card = seats_card(billing(subscription), NOW)
    assert card.startswith("### Seats of acme")
    assert expected in card
    assert "`person-0`, `person-1`, `person-2`" in card


@pytest.mark.parametrize(
    ("waiting", "subscription", "expected"),
    [
        (increase(due_now=0), bought(), "**12 people need a seat; 2 seats are paid for.**"),
        (
            increase(due_now=0),
            bought(),
            "10 more seats at €5.00 a month cost €50.00 a month before discounts and tax.",
        ),
        (increase(due_now=0), bought(), "The amount for the rest of this period goes on your next invoice."),
        (increase(due_now=0, is_yearly=True), bought(), "Nothing is due until the renewal."),
        (increase(due_now=2_975), bought(), "€29.75 is due now for the rest of this period."),
        (
            increase(is_yearly=True),
            bought(is_yearly=True, unit_amount=6_000),
            "About €300.00 before discounts and tax is due now",
        ),
        (
            increase(unit_amount=None, currency=None, is_yearly=True),
            bought(is_yearly=True, unit_amount=None),
            "The amount for the rest of this period is due now.",
        ),
        (increase(), bought(), "The amount for the rest of this period goes on your next invoice."),
        (
            increase(is_yearly=True),
            bought(is_yearly=True, period_end=NOW + DAY),
            "Nothing is due until the renewal.",
        ),
        (increase(due_now=2_975), bought(), "with tax and less your account balance."),
        (
            increase(due_now=0, is_yearly=True),
            bought(is_yearly=True),
            "Nothing is due now. Stripe calculates the amount due now",
        ),
        (increase(), bought(status="trialing"), "Nothing is due during the trial."),
    ],
)
def test_increase_text_states_its_price(
    waiting: SeatIncrease, subscription: Subscription, expected: str
) -> None:
    text = increase_text(waiting, billing(subscription, 12, seat_increase=waiting))
    assert expected in text
    assert "Until you approve, you pay nothing more, and everyone keeps their access." in text


def test_a_downgrade_that_waits_leaves_a_monthly_seat_on_the_next_invoice() -> None:
    pending = PendingChange("free", None, NOW + 100 * DAY)
    assert "the amount for the rest of this month goes on your next invoice" in seats_card(
        billing(bought(pending=pending)), NOW
    )


def test_seats_take_effect_tonight() -> None:
    approved = increase(approved_at=NOW, approved_by="alice")
    answer = [
        approved_text(approved),
        increase_text(increase(), billing(bought())),
        seats_card(billing(bought(), seat_increase=approved), NOW),
    ]
    for text in answer:
        assert "I'll add the" in text
        assert "tonight" in text
        assert "Stripe is told" not in text


def test_a_long_list_of_people_is_cut() -> None:
    card = seats_card(billing(bought(), 5_000), NOW)
    assert "5,000 people on planned work" in card
    assert "and 4800 more" in card or "and 4,800 more" in card
    assert len(card) < 20_000


# From a comment to the approval


@pytest.fixture
async def selling_bot(
    github: StandInGitHub,
    stripe_server: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
) -> AsyncIterator[Bot]:
    """The bot selling by card, in a private repository of an account that pays for one seat."""
    async with running_bot(
        github, replace(settings, billing=card_billing_settings(stripe_server)), clock, drawing
    ) as running:
        await use_private_repository(running)
        yield running
    assert not github.violations, github.violations


async def crowd(selling_bot: Bot, stripe_server: StandInStripe, count: int = 9) -> int:
    """So many people at work all at once; returns the number of a thread."""
    number = await make_sprint(selling_bot)
    tenant_id = await find_owner_tenant(selling_bot)
    subscription = stripe_server.subscribe(int(selling_bot.repository["owner"]["id"]))
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        bought_seat = bought(
            reference=subscription["id"],
            customer=subscription["customer"],
            quantity=1,
            unit_amount=None,
            currency=None,
        )
        await Subscriptions(tenant).store(bought_seat)
    await more_people(selling_bot, count)
    await report(selling_bot, stripe_server)
    return number


async def more_people(selling_bot: Bot, count: int) -> None:
    tenant_id, now = await find_owner_tenant(selling_bot), selling_bot.base.clock()
    (project,) = await rows(
        selling_bot.base,
        "select id from projects where github_repo = :repo",
        tenant_id,
        repo=selling_bot.repo,
    )
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        for number in range(count):
            events = work_events(1_000 + number, f"person-{number}", now - timedelta(hours=2))
            await Recorder(tenant).record([TimelineRow(project.id, event) for event in events])


async def report(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    client = RealStripe(stripe_settings(stripe_server))
    reporting = SeatReporting(
        selling_bot.base.database, client, card_billing_settings(stripe_server), selling_bot.base.clock
    )
    await reporting.report(await find_owner_tenant(selling_bot))
    await client.close()


async def current(selling_bot: Bot) -> SeatIncrease | None:
    async with selling_bot.base.database.tenant(await find_owner_tenant(selling_bot)) as tenant:
        return await SeatIncreases(tenant).current()


def quantities(stripe_server: StandInStripe) -> list[int]:
    return [
        subscription["items"]["data"][0]["quantity"] for subscription in stripe_server.subscriptions.values()
    ]


async def test_an_admin_s_tick_lets_the_seats_be_charged(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    number = await crowd(selling_bot, stripe_server)
    assert quantities(stripe_server) == [1]
    await selling_bot.say(number, "/agile seats")
    (answer,) = await selling_bot.answers(number)
    assert answer.startswith("### Pay for 10 seats instead of 1?")
    assert "**10 people need a seat; 1 seat is paid for.**" in answer
    assert box_line(answer)
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting
    await tick_box(selling_bot, number)
    (answer,) = await selling_bot.answers(number)
    assert answer.startswith("**Approved:** up to 10 seats.")
    increase = await current(selling_bot)
    assert increase
    assert (increase.approved_by, increase.after) == ("alice", 10)
    await report(selling_bot, stripe_server)
    assert quantities(stripe_server) == [10]
    audited = await rows(
        selling_bot.base, "select actor, target from audit_log", await find_owner_tenant(selling_bot)
    )
    assert ("alice", "seats") in [(row.actor, row.target) for row in audited]


async def test_nobody_but_an_admin_may_tick(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    number = await crowd(selling_bot, stripe_server)
    await selling_bot.say(number, "/agile seats", as_user="bob")
    assert "`/agile seats` needs the" in (await selling_bot.answers(number))[0]
    await selling_bot.say(number, "/agile seats")
    await tick_box(selling_bot, number, as_user="bob")
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting


async def test_who_is_no_admin_any_more_approves_nothing(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    number = await crowd(selling_bot, stripe_server)
    await selling_bot.say(number, "/agile seats")
    selling_bot.github.roles[selling_bot.repo] = {**selling_bot.github.roles["*"], "alice": "maintain"}
    await tick_box(selling_bot, number)
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting
    assert "needs the admin role" in (await selling_bot.answers(number))[-1]


async def test_a_team_s_own_rule_lets_nobody_else_approve(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    number = await crowd(selling_bot, stripe_server)
    tenant_id = await find_owner_tenant(selling_bot)
    await rows(
        selling_bot.base,
        "update projects set said = cast(:said as jsonb) where github_repo = :repo returning id",
        tenant_id,
        said='{"commands": {"agile seats": {"role": "read"}}}',
        repo=selling_bot.repo,
    )
    await selling_bot.say(number, "/agile seats confirm:yes", as_user="bob")
    (answer,) = await selling_bot.answers(number)
    assert answer.startswith("### Seats of")
    assert "**9 more seats are waiting for an admin's approval.**" in answer
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting


@pytest.mark.parametrize("is_ticked", [True, False])
async def test_a_role_granted_for_commands_approves_nothing(
    selling_bot: Bot, stripe_server: StandInStripe, *, is_ticked: bool
) -> None:
    """On GitHub bob stays what he is, so he spends no money, by tick or by `confirm:yes`."""
    number = await crowd(selling_bot, stripe_server)
    await selling_bot.say(number, "/agile roles grant @bob admin")
    if is_ticked:
        await selling_bot.say(number, "/agile seats")
        await tick_box(selling_bot, number, as_user="bob")
    else:
        await selling_bot.say(number, "/agile seats confirm:yes", as_user="bob")
    answer = (await selling_bot.answers(number))[-1]
    assert answer.startswith("### Seats of")
    assert "**9 more seats are waiting for an admin's approval.**" in answer
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting


async def test_a_tick_that_comes_late_shows_what_waits_now(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    number = await crowd(selling_bot, stripe_server)
    await selling_bot.say(number, "/agile seats")
    await more_people(selling_bot, 30)
    await report(selling_bot, stripe_server)
    await tick_box(selling_bot, number)
    (answer,) = await selling_bot.answers(number)
    assert answer.startswith("### Pay for 31 seats instead of 1?")
    assert "Things have changed since the last preview." in answer
    increase = await current(selling_bot)
    assert increase
    assert increase.is_waiting
    await tick_box(selling_bot, number)
    increase = await current(selling_bot)
    assert increase
    assert increase.approved_by == "alice"


async def test_two_ticks_approve_once(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    number = await crowd(selling_bot, stripe_server)
    other = await make_sprint(selling_bot, "Sprint 13", start=10, due=20)
    for thread in (number, other):
        await selling_bot.say(thread, "/agile seats")
    await tick_box(selling_bot, number)
    await tick_box(selling_bot, other)
    (answer,) = await selling_bot.answers(other)
    assert answer.startswith("### Seats of")
    assert "`alice` approved up to 10 seats" in answer


async def test_in_public_nothing_is_stated_and_nothing_is_approved(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    number = await crowd(selling_bot, stripe_server)
    await selling_bot.say(number, "/agile seats")
    await selling_bot.github.trigger("repository", "publicized", selling_bot.repo)
    await selling_bot.rest()
    await tick_box(selling_bot, number)
    answer = (await selling_bot.answers(number))[-1]
    assert answer.startswith("This repository is public")
    assert "seat" not in answer
    assert "$" not in answer
    increase = await current(selling_bot)
    assert increase is None or increase.is_waiting


async def test_when_nothing_waits_there_is_no_box(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    number = await crowd(selling_bot, stripe_server, 0)
    await selling_bot.say(number, "/agile seats confirm:yes")
    (answer,) = await selling_bot.answers(number)
    assert answer.startswith("### Seats of")
    assert "- [ ]" not in answer
    assert "1 person on planned work, 1 paid seat." in answer


async def test_where_nothing_is_sold_it_says_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile seats")
    (answer,) = await bot.answers(number)
    assert answer.startswith("Billing is off here: everyone can use every feature for free.")


# A repository becomes private


async def test_a_repository_that_became_private_charges_for_who_works_there_now(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    """From the webhooks to Stripe: who worked there in public costs nothing, who does so today costs a seat."""
    await selling_bot.github.trigger("repository", "publicized", selling_bot.repo)
    number = await make_sprint(selling_bot)
    milestone = (await selling_bot.github.issue(selling_bot.repo, number))["milestone"]["number"]
    for person in ("bob", "carol", "dave"):
        await selling_bot.github.create_issue(
            selling_bot.repo, f"By {person}", milestone=milestone, as_user=person
        )
    await selling_bot.rest()
    await asyncio.sleep(1.1)  # GitHub's times are whole seconds.
    await selling_bot.github.trigger("repository", "privatized", selling_bot.repo)
    await selling_bot.rest()
    tenant_id = await find_owner_tenant(selling_bot)
    subscription = stripe_server.subscribe(int(selling_bot.repository["owner"]["id"]))
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        usual = {"reference": subscription["id"], "customer": subscription["customer"], "quantity": 1}
        await Subscriptions(tenant).store(bought(**usual))
        assert await Seats(tenant).active_people(selling_bot.base.clock(), 30) == []
    await report(selling_bot, stripe_server)
    assert (quantities(stripe_server), await current(selling_bot)) == ([1], None)
    await asyncio.sleep(1.1)
    for person in ("bob", "carol"):
        await selling_bot.github.create_issue(
            selling_bot.repo, f"More by {person}", milestone=milestone, as_user=person
        )
    await selling_bot.rest()
    await report(selling_bot, stripe_server)
    assert quantities(stripe_server) == [2]


async def test_a_visibility_that_was_not_told_is_found_by_the_nightly_comparison(selling_bot: Bot) -> None:
    number = await make_sprint(selling_bot)
    async with selling_bot.github.muted():
        await selling_bot.github.trigger("repository", "publicized", selling_bot.repo)
    tenant_id = await find_owner_tenant(selling_bot)
    async with selling_bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReconcileJob(organization_id=tenant_id))
    await selling_bot.rest()
    query = "select is_private from projects where github_repo = :repo"
    (project,) = await rows(selling_bot.base, query, tenant_id, repo=selling_bot.repo)
    assert project.is_private is False
    async with selling_bot.github.muted():
        await selling_bot.github.trigger("repository", "privatized", selling_bot.repo)
    async with selling_bot.base.database.unscoped() as connection:
        await Jobs().defer(connection, ReconcileJob(organization_id=tenant_id))
    await selling_bot.rest()
    (project,) = await rows(selling_bot.base, query, tenant_id, repo=selling_bot.repo)
    assert project.is_private is True
    async with selling_bot.base.database.tenant(tenant_id) as tenant:
        # Until it was found out, it was public as far as anybody knew.
        assert await Seats(tenant).active_people(selling_bot.base.clock(), 30) in (["alice"], [])
    assert number


async def test_of_two_changes_of_visibility_the_later_holds_in_either_order(selling_bot: Bot) -> None:
    number = await make_sprint(selling_bot)
    async with selling_bot.github.muted():
        await selling_bot.github.trigger("repository", "publicized", selling_bot.repo)
        public = await selling_bot.github.call("GET", f"/repos/{selling_bot.repo}")
        await selling_bot.github.trigger("repository", "privatized", selling_bot.repo)
        private = await selling_bot.github.call("GET", f"/repos/{selling_bot.repo}")
    base, sender = datetime.now(UTC), {"id": 1, "login": "alice", "type": "User"}
    changes = [
        ("publicized", public, base + timedelta(seconds=10)),
        ("privatized", private, base + timedelta(seconds=20)),
    ]
    for action, repository, at in changes[::-1]:
        shown = repository | {"updated_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        payload = {
            "action": action,
            "repository": shown,
            "sender": sender,
            "installation": {"id": selling_bot.github.installation_id},
            "organization": repository["owner"],
        }
        assert (await selling_bot.deliver("repository", payload))[0] == 202
        await selling_bot.rest()
    (project,) = await rows(
        selling_bot.base,
        "select id, is_private, private_since from projects where github_repo = :repo",
        await find_owner_tenant(selling_bot),
        repo=selling_bot.repo,
    )
    assert project.is_private
    assert abs(project.private_since - changes[1][2]) < timedelta(seconds=1)
    assert number


async def test_doctor_names_who_has_not_answered_for_a_week(
    selling_bot: Bot, stripe_server: StandInStripe
) -> None:
    await crowd(selling_bot, stripe_server)
    assert not [finding for finding in await examine(selling_bot.base) if "seats" in finding]
    at = selling_bot.base.clock() - timedelta(days=8)
    await rows(
        selling_bot.base,
        "update seat_increases set asked_at = :at returning id",
        await find_owner_tenant(selling_bot),
        at=at,
    )
    (finding,) = [finding for finding in await examine(selling_bot.base) if "seats" in finding]
    assert f"pays for 1 seat and has needed 10 since {at:%Y-%m-%d}" in finding
    assert "no admin has approved them with `/agile seats` yet" in finding


async def test_doctor_names_seats_that_stripe_refused(selling_bot: Bot, stripe_server: StandInStripe) -> None:
    await crowd(selling_bot, stripe_server, 2)
    assert quantities(stripe_server) == [3]
    clock = selling_bot.base.clock()
    async with selling_bot.base.database.tenant(await find_owner_tenant(selling_bot)) as tenant:
        noted = AccountAuditEntry("stripe", SEATS_REFUSED, "acme", {}, clock - timedelta(hours=3))
        await Subscriptions(tenant).record_audit_entry(noted)
    (finding,) = [finding for finding in await examine(selling_bot.base) if "seats" in finding]
    assert "Stripe refused more seats for acme" in finding
