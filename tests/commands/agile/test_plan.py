"""`/agile plan` and `/agile usage`: texts for owners, and nothing of them in public."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest

from bot.publishing.pictures import ChartRenderer
from bot.settings import Settings
from charts.locales import find_locale, use_locale
from commands.framework.registry import Command, load_commands
from commands.messages.billing import plan_card, usage_card
from github_standin.github import StandInGitHub
from marketplace.accounts import Billing
from marketplace.entitlements import PlanChangeLinks
from marketplace.plans import PlanName
from storage.deadlines import Deadline, Deadlines
from storage.subscriptions import PendingChange, Subscription, Subscriptions
from tests.support.billing import BILLING_SETTINGS
from tests.support.billing_messages import DAY, LINKS, NOW, find_owner_tenant, make_billing, make_subscription
from tests.support.clock import Clock
from tests.support.running import Bot, rows, running_bot
from tests.support.sprints import make_sprint, use_private_repository


def card(billing: Billing, *, is_public: bool = False, links: PlanChangeLinks = LINKS) -> str:
    def checkout(plan: PlanName, is_yearly: bool) -> str | None:
        return None if is_yearly else f"https://agile.example/billing/checkout/{plan.value}"

    return plan_card(billing, links, checkout, is_public=is_public)


def test_a_paid_plan_is_reported_in_three_lines() -> None:
    data = card(make_billing(make_subscription(quantity=5, period_end=NOW + 9 * DAY)))
    assert data.startswith(
        "### acme is on Pro\n\n"
        "Paid on GitHub Marketplace, monthly. The current period ends on 2 Dec 2026.\n\n"
        "3 people on planned work, 5 paid seats.\n\n"
        "**Change your plan**"
    )
    assert (
        "$6.00 a month or $60.00 a year per seat: [on GitHub](https://github.com/marketplace/agile/upgrade/3/7)"
        in data
    )


def test_without_a_plan_it_says_what_is_free() -> None:
    data = card(make_billing())
    assert "### acme is on Free" in data
    assert "|  | **Free** | Pro | Enterprise |" in data
    assert "| Sprints, estimates, burndown, velocity, reports, and checks | yes | yes | yes |" in data
    assert "Public repositories have all Pro features for free." in data
    assert "3 people on planned work. A paid plan needs one seat per person." in data
    assert "[by card, monthly](https://agile.example/billing/checkout/pro)" in data


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (make_subscription(status="trialing", trial_ends=NOW + 3 * DAY), "The trial ends on 26 Nov 2026."),
        (
            make_subscription(quantity=2),
            "**3 people on planned work, 2 paid seats.** The person who came last needs",
        ),
        (make_subscription(), "3 people on planned work. The plan covers any number of people."),
        (
            make_subscription("stripe", quantity=2),
            "3 people on planned work, 2 paid seats.\n\n**Change your plan",
        ),
        (make_subscription(is_yearly=True), "Paid on GitHub Marketplace, yearly."),
        (
            make_subscription(pending=PendingChange("free", None, NOW + 9 * DAY)),
            "The plan changes to Free on 2 Dec 2026. Nothing changes until then.",
        ),
        (
            make_subscription(pending=PendingChange("pro", 3, NOW + 9 * DAY)),
            "The plan changes to Pro with 3 seats on 2 Dec 2026. Nothing changes until then.",
        ),
        (
            make_subscription(pending=PendingChange(None, None, NOW + 9 * DAY)),
            "The plan was cancelled and ends on 2 Dec 2026",
        ),
        (
            make_subscription("stripe", "past_due", past_due_since=NOW - DAY),
            "> **The last payment failed.** Nothing changes until 6 Dec 2026. Please [change the card](https://billing.stripe.com/p/login/x) before then.",
        ),
        (
            make_subscription("stripe", "unpaid"),
            "> **The last payment failed**, and its grace period is over.",
        ),
        (make_subscription("stripe", "paused"), "> **The subscription is paused.**"),
        (make_subscription(status="ended", trial_ends=NOW, ended_at=NOW), "> **The trial has ended.**"),
    ],
)
def test_plan_card_states_the_subscription(subscription: Subscription, expected: str) -> None:
    assert expected in card(make_billing(subscription))


def test_who_pays_twice_is_reported_which_one_counts() -> None:
    data = card(
        make_billing(
            make_subscription(quantity=9),
            make_subscription("stripe", plan="enterprise", quantity=1, reference="sub_1"),
        )
    )
    assert (
        "> **acme pays for more than one plan.** Everything keeps working, and the plan that includes more applies: Enterprise, paid by card through Stripe."
        in data
    )


def test_who_pays_by_card_is_not_offered_a_second_subscription() -> None:
    data = card(make_billing(make_subscription("stripe", quantity=1, reference="sub_1")))
    assert "/billing/checkout/" not in data
    assert "/upgrade/" not in data
    portal = "[billing portal](https://billing.stripe.com/p/login/x)"
    for what in ("Change plan or billing period", "Invoices, receipts, tax ID, and card", "Cancel"):
        assert f"- **{what}:** {portal}" in data


MONTH: dict[str, Any] = {"period_start": NOW - 14 * DAY, "period_end": NOW + 16 * DAY}
YEAR: dict[str, Any] = {"period_start": NOW - 165 * DAY, "period_end": NOW + 200 * DAY}


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (
            make_subscription("stripe", quantity=2, unit_amount=600, currency="usd", **MONTH),
            (
                "- **Add a seat:** about $3.20 until 9 Dec 2026, on the next invoice; then $6.00 a month, "
                "before discounts and tax. The number of seats follows the number of people on planned work once a day"
            ),
        ),
        (
            make_subscription("stripe", quantity=2, unit_amount=5400, currency="eur", is_yearly=True, **YEAR),
            "about €29.59 until 11 Jun 2027, invoiced now; then €54.00 a year, before discounts and tax.",
        ),
        (
            make_subscription("stripe", quantity=2, unit_amount=900, currency="jpy", **MONTH),
            "about 480 JPY until 9 Dec 2026, on the next invoice; then 900 JPY a month",
        ),
        (
            make_subscription(
                "stripe", "trialing", quantity=2, trial_ends=NOW + 9 * DAY, unit_amount=500, currency="usd"
            ),
            "nothing until the trial ends on 2 Dec 2026, then $5.00 a month, before discounts and tax.",
        ),
        (
            make_subscription(
                "stripe",
                quantity=2,
                unit_amount=600,
                currency="usd",
                pending=PendingChange(None, None, NOW + 16 * DAY),
                **MONTH,
            ),
            "about $3.20 until 9 Dec 2026, invoiced now, before discounts and tax.",
        ),
        (
            make_subscription("stripe", quantity=2, **MONTH),
            "then $6.00 a month, before discounts and tax (list price).",
        ),
        (
            make_subscription(
                "stripe",
                plan="enterprise",
                quantity=2,
                pending=PendingChange("pro", 2, MONTH["period_end"]),
                **MONTH,
            ),
            "on the next invoice, before discounts and tax",
        ),
        (
            make_subscription(
                "stripe",
                quantity=2,
                is_yearly=True,
                period_start=NOW - 364 * DAY,
                period_end=NOW + DAY,
            ),
            (
                "nothing until the renewal on 24 Nov 2026, then $60.00 a year, "
                "before discounts and tax (list price)."
            ),
        ),
        (
            make_subscription(
                "stripe",
                "trialing",
                quantity=2,
                trial_ends=NOW + 9 * DAY,
                pending=PendingChange(None, None, NOW + 9 * DAY),
            ),
            "nothing until the trial ends on 2 Dec 2026, before discounts and tax (list price).",
        ),
        (
            make_subscription("stripe", "past_due", quantity=2, past_due_since=NOW - DAY, **MONTH),
            "- **Add a seat:** no seats are added while a payment is due",
        ),
        (
            make_subscription(quantity=2),
            (
                "- **Add a seat:** $6.00 a month "
                "before discounts and tax (list price); you pay for the rest of this period now. "
                "[Add seats on GitHub](https://github.com/marketplace/agile/upgrade/3/7)"
            ),
        ),
    ],
)
def test_the_cost_of_one_more_seat_is_reported_before_it_is_added(
    subscription: Subscription, expected: str
) -> None:
    assert expected in card(make_billing(subscription, as_of=NOW))


def test_who_pays_by_card_reads_what_all_seats_cost() -> None:
    data = card(
        make_billing(make_subscription("stripe", quantity=12, unit_amount=450, currency="usd"), as_of=NOW)
    )
    sentence = (
        "Paid by card through Stripe, monthly: 12 seats at $4.50, $54.00 a month before discounts and tax."
    )
    assert sentence in data


@pytest.mark.parametrize(
    ("kind", "page", "history"),
    [
        ("Organization", "organizations/acme/settings/billing", "organizations/acme/billing/history"),
        ("User", "settings/billing", "account/billing/history"),
    ],
)
def test_who_pays_on_github_finds_github_s_pages(kind: str, page: str, history: str) -> None:
    billing = make_billing(make_subscription(quantity=5), as_of=NOW)
    data = card(replace(billing, account=replace(billing.account, kind=kind)))
    for what, words, path in (
        ("Receipts", "payment history on GitHub", history),
        ("Card, tax ID, and billing details", "GitHub's billing page", page),
        ("Cancel", "GitHub's billing page", page),
    ):
        assert f"- **{what}:** [{words}](https://github.com/{path})" in data
    assert "30 days later this account's data here is deleted. To keep the data, choose Free instead" in data


def test_without_a_portal_it_is_stated_who_opens_it() -> None:
    data = card(make_billing(make_subscription("stripe", quantity=1)), links=PlanChangeLinks())
    assert "- **Cancel:** billing portal. You keep the plan until the end" in data
    assert "`python -m bot plan --account acme --portal-link`" in data


def test_invoices_of_earlier_payments_are_found() -> None:
    data = card(make_billing(make_subscription("stripe", "ended", ended_at=NOW - DAY)))
    assert "- **Invoices and receipts for earlier card payments:** [billing portal](" in data
    assert "**Cancel:**" not in data


def test_cancelling_a_marketplace_trial_ends_it_at_once() -> None:
    data = card(
        make_billing(make_subscription(status="trialing", trial_ends=NOW + 9 * DAY, quantity=5), as_of=NOW)
    )
    assert "The trial ends immediately, and 30 days later this account's data here is deleted." in data
    assert "You keep the plan until the end of the period" not in data
    assert "you pay nothing until the trial ends" in data


def test_who_cancelled_on_the_marketplace_is_announced_the_deletion_and_not_how_to_cancel() -> None:
    pending = PendingChange(None, None, NOW + 9 * DAY)
    data = card(
        make_billing(make_subscription(quantity=5, period_end=NOW + 9 * DAY, pending=pending), as_of=NOW)
    )
    assert (
        "**On 1 Jan 2027, this account's data here will be deleted.** To keep the data, choose Free" in data
    )
    assert "- **Cancel:**" not in data
    assert "- **Keep the current plan:** [GitHub's billing page]" in data
    assert (
        "- The plan paid by card starts today. The plan on GitHub is paid until 2 Dec 2026, so you pay for both until then"
        in data
    )


def test_who_has_announced_a_cheaper_plan_can_keep_the_present_one_or_cancel() -> None:
    soon = NOW + 9 * DAY
    subscription = make_subscription(
        "stripe", plan="enterprise", quantity=5, period_end=soon, pending=PendingChange("pro", 5, soon)
    )
    text = card(make_billing(subscription))
    assert "- **Keep the current plan:** [billing portal]" in text
    assert "- **Cancel:** [billing portal]" in text
    cancelled = card(make_billing(replace(subscription, pending=PendingChange(None, None, soon))))
    assert "- **Keep the current plan:** [billing portal]" in cancelled
    assert "**Cancel:**" not in cancelled


def test_a_cancellation_beside_a_card_deletes_nothing() -> None:
    by_card = make_subscription("stripe", reference="sub_1", **MONTH)
    cancelled = make_subscription(quantity=5, pending=PendingChange(None, None, NOW + 9 * DAY))
    data = card(make_billing(by_card, cancelled, as_of=NOW))
    assert "The plan on GitHub was cancelled and ends on 2 Dec 2026. Nothing changes until then." in data
    assert "deleted" not in data.lower().replace("no data is deleted", "")
    data = card(make_billing(by_card, make_subscription(quantity=5), as_of=NOW))
    assert "No data is deleted while your card plan continues" in data
    assert "data here is deleted" not in data


def test_with_two_plans_each_line_says_which_one_it_changes() -> None:
    data = card(
        make_billing(
            make_subscription("stripe", reference="sub_1", **MONTH), make_subscription(quantity=5), as_of=NOW
        )
    )
    for what in ("Change plan or billing period", "Add a seat", "Cancel"):
        for which in ("Pro by card", "Pro on GitHub"):
            assert data.count(f"- **{what} ({which}):**") == 1


def test_the_free_plan_of_the_marketplace_warns_of_cancelling() -> None:
    data = card(make_billing(make_subscription(plan="free"), as_of=NOW))
    assert "Chosen on GitHub Marketplace, free of charge." in data
    assert "monthly" not in data.split("**Change your plan**", maxsplit=1)[0]
    assert "the data is deleted 30 days later" in data


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (
            make_subscription("stripe", "paused"),
            "Only the people who run this App can resume it. Please contact them.",
        ),
        (
            make_subscription("stripe", "paused", trial_ends=NOW - DAY),
            "If the trial ended without a card, [add a card](https://billing.stripe.com/p/login/x).",
        ),
        (make_subscription("stripe", "paused"), "Your Pro plan, paid by card through Stripe, is paused."),
        (
            make_subscription("stripe", "unpaid", past_due_since=NOW - 20 * DAY),
            "Your Pro plan, paid by card through Stripe, is waiting for a payment.",
        ),
    ],
)
def test_what_is_paused_or_unpaid_promises_nothing_that_is_paid_for(
    subscription: Subscription, expected: str
) -> None:
    data = card(make_billing(subscription, as_of=NOW))
    assert expected in data
    for wrong in (
        "No paid plan is active any more",
        "Add a seat",
        "You keep the plan until",
        "To continue, [change the",
    ):
        assert wrong not in data
    assert "- **Cancel:** [billing portal](https://billing.stripe.com/p/login/x). No data is deleted" in data


def test_the_way_from_yearly_to_monthly_is_announced() -> None:
    pending = PendingChange("pro", 5, YEAR["period_end"], is_yearly=False)
    billing = make_billing(
        make_subscription("stripe", is_yearly=True, quantity=5, pending=pending, **YEAR), as_of=NOW
    )
    assert (
        "The plan changes to Pro with 5 seats (monthly billing) on 11 Jun 2027. Nothing changes until then"
        in card(billing)
    )
    data = billing.as_json()["pending"]
    assert isinstance(data, dict)
    assert data["yearly"] is False


def test_a_failed_payment_of_years_ago_is_not_the_reason_for_today() -> None:
    old = make_subscription(
        "stripe", "ended", past_due_since=NOW - 500 * DAY, ended_at=NOW - 480 * DAY, reference="s"
    )
    trial = make_subscription(status="ended", trial_ends=NOW - DAY, ended_at=NOW - DAY, quantity=5)
    assert "**The trial has ended.**" in card(make_billing(old, trial, as_of=NOW))
    failed = replace(old, past_due_since=NOW - 30 * DAY, ended_at=NOW - 20 * DAY)
    earlier = replace(trial, trial_ends=NOW - 90 * DAY, ended_at=NOW - 90 * DAY)
    assert "**The last payment failed**" in card(make_billing(failed, earlier, as_of=NOW))


def test_usage_that_is_charged_for_is_reported_to_who_pays_by_card() -> None:
    by_card, on_github = (
        make_billing(make_subscription("stripe", quantity=5)),
        make_billing(make_subscription(quantity=5)),
    )
    charged = "You also pay for usage. I report it to Stripe once a day, and it appears on your invoice."
    spared = "Accounts that pay by card also pay for usage. This account doesn't."
    for result, answer in ((by_card, charged), (on_github, spared)):
        assert answer in usage_card(result, NOW, is_public=False, is_usage_charged=True)
        assert answer in plan_card(
            result, LINKS, lambda _plan, _yearly: None, is_public=False, is_usage_charged=True
        )
        assert answer not in usage_card(result, NOW, is_public=False)
        assert "charged" not in usage_card(result, NOW, is_public=True, is_usage_charged=True)


def test_no_link_signs_its_visitor_in() -> None:
    for result in (
        make_billing(make_subscription("stripe", quantity=1)),
        make_billing(make_subscription(quantity=1)),
        make_billing(),
    ):
        assert "billing.stripe.com/p/session" not in card(result)
        assert "/billing/portal/" not in card(result)


def test_data_that_goes_is_named_even_where_nothing_is_sold_any_more() -> None:
    billing = make_billing(is_sold=False, deadline=Deadline(NOW, NOW + 30 * DAY, is_announced=True))
    assert card(billing).startswith("> **This account's data here will be deleted on 23 Dec 2026**")


def test_who_pays_on_github_is_led_to_a_card_only_once_that_ends() -> None:
    assert "/billing/checkout/" not in card(make_billing(make_subscription(quantity=1)))
    ending = make_subscription(quantity=1, pending=PendingChange("free", None, NOW + DAY))
    assert "/billing/checkout/pro" in card(make_billing(ending))


def test_an_unpaid_period_is_not_called_paid() -> None:
    late = make_subscription(
        "stripe", "past_due", past_due_since=NOW, period_end=NOW + 30 * DAY, reference="sub_1"
    )
    assert "Paid until" not in card(make_billing(late))
    assert "No paid plan is active any more." in card(make_billing(make_subscription(status="ended")))


def test_when_data_will_be_deleted_stands_above_all_and_in_public_too() -> None:
    billing = make_billing(
        make_subscription(status="ended"), deadline=Deadline(NOW, NOW + 30 * DAY, is_announced=True)
    )
    for is_public in (True, False):
        data = card(billing, is_public=is_public)
        assert "> **This account's data here will be deleted on 23 Dec 2026**" in data
        assert (
            "[choose a plan on GitHub Marketplace](https://github.com/marketplace/agile/upgrade/3/7) before then"
            in data
        )


def test_in_public_nothing_is_stated_of_money_or_people() -> None:
    billing = make_billing(make_subscription("stripe", "past_due", quantity=2, past_due_since=NOW))
    for data in (card(billing, is_public=True), usage_card(billing, NOW, is_public=True)):
        assert "$" not in data
        assert "payment" not in data
        assert "person-1" not in data
        assert "everyone can use all Pro features for free" in data


def test_usage_is_a_table_of_what_is_counted() -> None:
    billing = make_billing(make_subscription(quantity=5), usage={"commands_answered": 1234, "api_calls": 7})
    data = usage_card(billing, NOW, is_public=False)
    assert data.startswith("### Usage of acme, 1 Nov 2026 – 23 Nov 2026 (UTC)")
    assert "| Commands answered | 1,234 |" in data
    assert "| GitHub API requests | 7 |" in data
    assert "Usage is only counted. It is never limited." in data
    assert "<summary>3 people on planned work</summary>" in data
    assert "`person-0`, `person-1`, `person-2`" in data


@pytest.mark.parametrize(
    ("locale", "days"),
    [
        ("ja", "2026-11-01 – 2026-11-23"),
        ("en-US", "Nov 1, 2026 – Nov 23, 2026"),
        ("de", "1 Nov 2026 – 23 Nov 2026"),
    ],
)
def test_the_month_of_the_usage_follows_the_locale(locale: str, days: str) -> None:
    billing = make_billing(make_subscription(quantity=5), usage={"commands_answered": 1234})
    with use_locale(find_locale(locale, NOW.date())):
        assert usage_card(billing, NOW, is_public=False).startswith(f"### Usage of acme, {days} (UTC)")
        first = usage_card(billing, NOW.replace(day=1), is_public=False)
    assert first.startswith(f"### Usage of acme, {days.partition(' – ')[0]} (UTC)")


def test_where_nothing_is_sold_everything_is_on() -> None:
    billing = make_billing(is_sold=False)
    assert card(billing) == "Billing is off here: everyone can use every feature for free."
    usage = usage_card(billing, NOW, is_public=False)
    assert "| Commands answered | 0 |" in usage
    assert "needs a seat" not in usage
    assert all(billing.features.values())


# From a comment to the answer


@pytest.fixture
async def selling_bot(
    github: StandInGitHub, settings: Settings, clock: Clock, drawing: ChartRenderer
) -> AsyncIterator[Bot]:
    """The bot with something to sell."""
    async with running_bot(github, replace(settings, billing=BILLING_SETTINGS), clock, drawing) as running:
        yield running
    assert not github.violations, github.violations


async def buy(bot: Bot, **fields: Any) -> None:
    usual: dict[str, Any] = {"source": "marketplace", "status": "active", "plan": "pro", "read_at": NOW}
    async with bot.base.database.tenant(await find_owner_tenant(bot)) as tenant:
        await Subscriptions(tenant).store(Subscription(**(usual | fields)))


async def test_an_owner_asks_for_the_plan(selling_bot: Bot) -> None:
    await use_private_repository(selling_bot)
    number = await make_sprint(selling_bot)
    await buy(selling_bot, quantity=5)
    comment = await selling_bot.say(number, "/agile plan")
    (answer,) = await selling_bot.answers(number)
    assert "### acme is on Pro" in answer
    assert "1 person on planned work, 5 paid seats." in answer
    assert "https://github.com/marketplace/agile/upgrade/3/" in answer
    assert selling_bot.reactions(comment) == ["eyes", "+1"]


async def test_an_owner_asks_for_the_usage(selling_bot: Bot) -> None:
    await use_private_repository(selling_bot)
    number = await make_sprint(selling_bot)
    await selling_bot.say(number, "/sprint status")
    await selling_bot.say(number, "/agile usage")
    answer = (await selling_bot.answers(number))[-1]
    assert "| Commands answered | 1 |" in answer
    assert "| Repositories added | 1 |" in answer


async def test_in_a_public_repository_no_price_is_named(selling_bot: Bot) -> None:
    number = await make_sprint(selling_bot)
    await buy(selling_bot)
    await selling_bot.say(number, "/agile plan\n/agile usage")
    for answer in await selling_bot.answers(number):
        assert "everyone can use all Pro features for free" in answer
        assert "$" not in answer


@pytest.mark.parametrize(
    ("who", "line"), [("bob", "/agile plan"), ("bob", "/agile usage"), ("dave", "/agile plan")]
)
async def test_who_may_not_is_refused(selling_bot: Bot, who: str, line: str) -> None:
    await use_private_repository(selling_bot)
    number = await make_sprint(selling_bot)
    comment = await selling_bot.say(number, line, as_user=who)
    (answer,) = await selling_bot.answers(number)
    assert f"`{line}` needs the" in answer
    assert selling_bot.reactions(comment) == ["eyes", "confused"]


async def test_it_takes_no_arguments(selling_bot: Bot) -> None:
    await use_private_repository(selling_bot)
    number = await make_sprint(selling_bot)
    await selling_bot.say(number, "/agile plan enterprise")
    (answer,) = await selling_bot.answers(number)
    assert "This argument does not exist: `/agile plan 👉enterprise👈`" in answer


async def test_where_nothing_is_sold_it_says_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/agile plan")
    (answer,) = await bot.answers(number)
    assert answer.startswith("Billing is off here: everyone can use every feature for free.")


async def test_an_owner_reads_a_quiet_line_below_an_answer_once(selling_bot: Bot) -> None:
    await use_private_repository(selling_bot)
    number = await make_sprint(selling_bot)
    at = datetime.now(UTC)
    async with selling_bot.base.database.tenant(await find_owner_tenant(selling_bot)) as tenant:
        await Deadlines(tenant).record(Deadline(at, at + 30 * DAY, is_announced=True))
    for person, is_told in (("bob", False), ("alice", True), ("alice", False)):
        await selling_bot.say(number, "/sprint status new:yes", as_user=person)
        answer = (await selling_bot.answers(number))[-1]
        assert ("<sub>This account cancelled on GitHub Marketplace" in answer) is is_told, person
    audited = await rows(
        selling_bot.base, "select action from audit_log", await find_owner_tenant(selling_bot)
    )
    assert [row.action for row in audited] == ["billing notice"]


async def test_a_paid_command_is_denied_in_private_and_free_in_public(
    github: StandInGitHub,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if `/sprint status` were a feature of Pro."""

    def with_a_feature(package: ModuleType) -> tuple[Command, ...]:
        return tuple(
            replace(entry, feature="forecasts") if entry.name == "sprint status" else entry
            for entry in load_commands(package)
        )

    monkeypatch.setattr("bot.jobs.command_answers.load_commands", with_a_feature)
    async with running_bot(github, replace(settings, billing=BILLING_SETTINGS), clock, drawing) as shop:
        number = await make_sprint(shop)
        await shop.say(number, "/sprint status", as_user="bob")
        assert "### Sprint 12" in (await shop.answers(number))[0]

        await use_private_repository(shop)
        number = await make_sprint(shop)
        comment = await shop.say(number, "/sprint status", as_user="bob")
        (answer,) = await shop.answers(number)
        assert answer.startswith(
            "@bob: This needs the Pro plan, and acme is on Free. Sprints, estimates, burndowns, and reports keep"
        )
        assert shop.reactions(comment) == ["eyes", "confused"]

        await buy(shop, quantity=5)
        comment = await shop.say(number, "/sprint status new:yes", as_user="bob")
        assert shop.reactions(comment) == ["eyes", "+1"]
