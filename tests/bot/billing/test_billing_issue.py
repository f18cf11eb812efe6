"""The billing issue tells owners about money and data once, and never in public."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.cli.doctor import examine
from bot.publishing.pictures import ChartRenderer
from bot.settings import Settings
from github_standin.github import StandInGitHub
from storage.billing_jobs import TELL_OWNERS
from storage.database import Tenant
from storage.deadlines import Deadlines
from storage.jobs import OTHERS
from storage.projects import Projects
from storage.subscriptions import tenant_of_account, tenant_of_buyer
from tests.support.clock import Clock
from tests.support.marketplace import deliver_marketplace_event as deliver_marketplace
from tests.support.running import Bot, query_as_administrator, running_bot
from tests.support.stripe.selling import card_billing_settings, deliver_stripe_event
from tests.support.stripe.server import StandInStripe

DAY = timedelta(days=1)
TITLE = "Agile GitHub Suite: billing"
_NAMES = itertools.count(1)
Json = dict[str, Any]


class BillingIssueHarness:
    """An organization with a private and a public repository, in each of which the bot has been at work."""

    def __init__(self, bot: Bot, stripe: StandInStripe, clock: Clock, private: str) -> None:
        self.bot = bot
        self.stripe = stripe
        self.clock = clock
        self.private = private
        self.public = bot.repo
        self.account = int(bot.repository["owner"]["id"])

    async def repository(self, *, private: bool = True) -> str:
        made = await self.bot.github.create_repository(name=f"office-{next(_NAMES)}", private=private)
        await self.work(made["full_name"])
        return str(made["full_name"])

    async def work(self, repo: str) -> None:
        """Something happens that we hear of."""
        await self.bot.github.create_issue(repo, "Pay by card")
        await self.bot.rest()

    async def subscribe(self, **more: Any) -> Json:
        subscription = self.stripe.subscribe(self.account, **more)
        await self.hear("customer.subscription.created", subscription)
        return subscription

    async def hear(self, kind: str, subscription: Json, **changes: Any) -> None:
        subscription.update(changes)
        await deliver_stripe_event(self.bot, self.stripe.event(kind, subscription))

    async def fail_payment(self, subscription: Json) -> None:
        await self.hear("customer.subscription.updated", subscription, status="past_due")

    async def pay(self, subscription: Json) -> None:
        await self.hear("customer.subscription.updated", subscription, status="active")

    async def night(self, days: int = 0) -> None:
        """The daily job, so many days later."""
        if days:
            self.clock.now = self.clock() + days * DAY
        await self.bot.base.queue.configure_task(TELL_OWNERS, queue=OTHERS).defer_async(timestamp=0)
        await self.bot.rest()

    async def issues(self, repo: str = "") -> list[Json]:
        path = f"/repos/{repo or self.private}/issues?state=all&per_page=100"
        result = await self.bot.github.call("GET", path)
        return [entry for entry in reversed(result) if entry["user"]["type"] == "Bot"]

    async def say(self, number: int, line: str) -> str:
        """Somebody who owns the account comments; returns the answer."""
        await self.bot.github.comment(self.private, number, line)
        await self.bot.rest()
        answer = (await self.comments(number))[-1]
        assert answer != line
        return answer

    async def comments(self, number: int) -> list[str]:
        return [comment["body"] for comment in await self.bot.github.comments(self.private, number)]

    async def tenant_id(self) -> int:
        async with self.bot.base.database.unscoped() as connection:
            return await tenant_of_account(connection, self.account) or 0

    async def settle(self, **settings: Any) -> None:
        """As if the account's own settings file said so."""
        query_as_administrator(
            self.bot.base,
            "update organizations set file = cast(:told as jsonb) where github_account_id = :account",
            told=json.dumps(settings),
            account=self.account,
        )

    async def settle_repository(self, repo: str, key: str, value: object) -> None:
        async with self.bot.base.database.tenant(await self.tenant_id()) as tenant:
            await Projects(tenant).set_command_setting(await _id(tenant, repo), key, value)

    async def findings(self) -> str:
        return "\n".join(await examine(self.bot.base))


async def _id(tenant: Tenant, repo: str) -> int:
    project = await Projects(tenant).by_name(repo)
    assert project
    return project.id


@pytest.fixture
async def customer(
    github: StandInGitHub,
    stripe_server: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
) -> AsyncIterator[BillingIssueHarness]:
    github.marketplace.accounts.clear()
    selling = replace(settings, billing=card_billing_settings(stripe_server))
    async with running_bot(github, selling, clock, drawing) as bot:
        private = await github.create_repository(name=f"office-{next(_NAMES)}", private=True)
        result = BillingIssueHarness(bot, stripe_server, clock, private["full_name"])
        await result.work(result.private)
        await result.work(result.public)
        yield result
    assert not github.violations, github.violations
    github.marketplace.accounts.clear()


# Opened, edited, closed, opened again


async def test_a_failed_payment_opens_one_issue_that_calls_the_owner(customer: BillingIssueHarness) -> None:
    subscription = await customer.subscribe(quantity=2)
    assert await customer.issues() == []
    await customer.fail_payment(subscription)

    (issue,) = await customer.issues()
    ends = datetime.now(UTC) + 14 * DAY
    assert (issue["title"], issue["state"]) == (TITLE, "open")
    assert issue["body"].startswith("@alice\n\n**The last payment failed.** Nothing changes until ")
    assert f"{ends.day} {ends:%b} {ends.year}. Please [change the card](" in issue["body"]
    for _ in range(2):
        await customer.night(days=1)
    assert [issue["body"] for issue in await customer.issues()] == [issue["body"]]
    assert await customer.issues(customer.public) == []


async def test_it_is_closed_when_nothing_is_due_and_the_same_one_is_opened_again(
    customer: BillingIssueHarness,
) -> None:
    subscription = await customer.subscribe()
    await customer.fail_payment(subscription)
    await customer.pay(subscription)
    (issue,) = await customer.issues()
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert issue["body"].startswith("There is nothing left to do here.")

    customer.clock.now = customer.clock() + 3 * DAY
    await customer.fail_payment(subscription)
    (again,) = await customer.issues()
    assert (again["number"], again["state"]) == (issue["number"], "open")
    assert "**The last payment failed.**" in again["body"]


async def test_what_an_owner_closes_stays_closed_until_something_new_comes(
    customer: BillingIssueHarness,
) -> None:
    subscription = await customer.subscribe(quantity=2)
    await customer.fail_payment(subscription)
    (issue,) = await customer.issues()
    await customer.bot.github.close_issue(customer.private, issue["number"])
    await customer.night(days=1)
    assert (await customer.issues())[0]["state"] == "closed"

    market = customer.bot.github.marketplace
    await deliver_marketplace(customer.bot, market.purchase(customer.account, "acme", units=5), secret="m")
    (issue,) = await customer.issues()
    assert issue["state"] == "open"
    assert "**acme pays for more than one plan.**" in issue["body"]


async def test_something_new_in_an_open_issue_is_reported_by_a_comment(customer: BillingIssueHarness) -> None:
    ends = int((datetime.now(UTC) + 2 * DAY).timestamp())
    subscription = await customer.subscribe(quantity=3, status="trialing", trial_end=ends)
    (issue,) = await customer.issues()
    assert "**Your Pro trial ends on " in issue["body"]
    customer.clock.now = customer.clock() + 3 * DAY
    await customer.fail_payment(subscription)
    (issue,) = await customer.issues()
    assert "The trial" not in issue["body"]
    assert "**The last payment failed.**" in issue["body"]
    (news,) = await customer.comments(issue["number"])
    assert news.startswith("A payment failed. See the description of this issue for details.")
    await customer.night()
    assert len(await customer.comments(issue["number"])) == 1


@pytest.mark.parametrize(("days", "is_told"), [(9, False), (2, True)])
async def test_a_trial_is_announced_three_days_before_it_ends(
    customer: BillingIssueHarness, days: int, is_told: bool
) -> None:
    ends = int((datetime.now(UTC) + days * DAY).timestamp())
    await customer.subscribe(quantity=3, status="trialing", trial_end=ends)
    assert bool(await customer.issues()) is is_told
    await customer.night(days=max(0, days - 2))
    assert len(await customer.issues()) == 1


async def test_a_trial_that_was_cancelled_costs_nothing_and_is_not_told_of(
    customer: BillingIssueHarness,
) -> None:
    ends = int((datetime.now(UTC) + 2 * DAY).timestamp())
    await customer.subscribe(status="trialing", trial_end=ends, cancel_at=ends)
    await customer.night()
    assert await customer.issues() == []


async def test_data_that_will_be_deleted_is_announced_and_doctor_knows(customer: BillingIssueHarness) -> None:
    market = customer.bot.github.marketplace
    await deliver_marketplace(customer.bot, market.purchase(customer.account, "acme", units=5), secret="m")
    await deliver_marketplace(customer.bot, market.cancel(customer.account), secret="m")
    (issue,) = await customer.issues()
    assert "**This account's data here will be deleted on " in issue["body"]
    assert (
        "[choose a plan on GitHub Marketplace](https://github.com/marketplace/agile/upgrade/" in issue["body"]
    )
    async with customer.bot.base.database.tenant(await customer.tenant_id()) as tenant:
        deadline = await Deadlines(tenant).latest()
    assert deadline
    assert deadline.shown_at is not None
    assert "will be deleted" not in await customer.findings()

    await deliver_marketplace(customer.bot, market.purchase(customer.account, "acme", units=5), secret="m")
    assert (await customer.issues())[0]["state"] == "closed"


async def test_the_same_one_is_opened_again_though_we_are_at_work_elsewhere(
    customer: BillingIssueHarness,
) -> None:
    subscription = await customer.subscribe()
    await customer.fail_payment(subscription)
    await customer.pay(subscription)
    other = await customer.repository()
    customer.clock.now = customer.clock() + 3 * DAY
    await customer.fail_payment(subscription)
    assert [issue["state"] for issue in await customer.issues()] == ["open"]
    assert await customer.issues(other) == []


async def test_deleted_post_returns_only_with_news(customer: BillingIssueHarness) -> None:
    market = customer.bot.github.marketplace
    await customer.fail_payment(await customer.subscribe(price="price_big"))
    await deliver_marketplace(customer.bot, market.purchase(customer.account, "acme", units=5), secret="m")
    (issue,) = await customer.issues()
    assert "**acme pays for more than one plan.**" in issue["body"]
    gone = {"message": "This issue was deleted"}
    path = f"/repos/{customer.private}/issues/{issue['number']}$"
    customer.bot.github.fail_next("GET", path, 410, body=gone, times=9)
    await deliver_marketplace(customer.bot, market.cancel(customer.account), secret="m")
    await customer.night()
    assert [issue["body"] for issue in await customer.issues()] == [issue["body"]]

    await deliver_marketplace(customer.bot, market.purchase(customer.account, "acme", units=5), secret="m")
    *_, last = await customer.issues()
    assert last["number"] != issue["number"]
    assert "**acme pays for more than one plan.**" in last["body"]


async def test_the_day_on_which_a_plan_ends_passes_and_it_says_so(customer: BillingIssueHarness) -> None:
    await customer.fail_payment(await customer.subscribe(quantity=2))
    await customer.night(days=15)
    (issue,) = await customer.issues()
    assert (
        "**The last payment failed**, and its grace period is over. To continue, [change the card]("
        in issue["body"]
    )
    assert len(await customer.comments(issue["number"])) == 1


# Once, whatever happens in between


@pytest.mark.parametrize("after_effect", [True, False])
async def test_an_answer_of_github_that_is_lost_makes_no_second_issue(
    customer: BillingIssueHarness, after_effect: bool
) -> None:
    subscription = await customer.subscribe()
    customer.bot.github.fail_next("POST", f"/repos/{customer.private}/issues", 0, after_effect=after_effect)
    await customer.fail_payment(subscription)
    query_as_administrator(
        customer.bot.base, "update procrastinate_jobs set scheduled_at = null where status = 'todo'"
    )
    await customer.bot.rest()
    await customer.night()
    assert len(await customer.issues()) == 1


async def test_events_in_any_order_and_twice_make_one_issue(customer: BillingIssueHarness) -> None:
    subscription = await customer.subscribe()
    subscription["status"] = "past_due"
    events = [
        customer.stripe.event(kind, subscription)
        for kind in ("customer.subscription.updated", "invoice.payment_failed")
    ]
    events[1]["data"]["object"] = {"customer": subscription["customer"], "subscription": subscription["id"]}
    for event in (*events, *reversed(events)):
        await deliver_stripe_event(customer.bot, event)
    assert len(await customer.issues()) == 1


# Where it stands


async def test_without_a_private_repository_nothing_is_stated_and_doctor_says_so(
    customer: BillingIssueHarness,
) -> None:
    await customer.bot.github.trigger("repository", "publicized", customer.private)
    await customer.bot.rest()
    await customer.fail_payment(await customer.subscribe())
    await customer.night()
    for repo in (customer.private, customer.public):
        assert await customer.issues(repo) == []
    assert (
        "the owner of acme has not been notified of a failed payment, because it has no private repository in which the App may open an issue; write to them"
        in await customer.findings()
    )


async def test_failed_payment_of_an_uninstalled_account_is_a_finding(customer: BillingIssueHarness) -> None:
    async with customer.bot.base.database.unscoped() as connection:
        await tenant_of_buyer(connection, 7, "octo", "Organization")
    subscription = customer.stripe.subscribe(7, status="past_due")
    await customer.hear("customer.subscription.created", subscription)
    await customer.night()
    assert await customer.issues() == []
    assert (
        "the owner of octo has not been notified of a failed payment, because the App is not installed there"
        in (await customer.findings())
    )


async def test_when_its_repository_becomes_public_nothing_of_money_stays(
    customer: BillingIssueHarness,
) -> None:
    ends = int((datetime.now(UTC) + 2 * DAY).timestamp())
    subscription = await customer.subscribe(quantity=3, status="trialing", trial_end=ends)
    customer.clock.now = customer.clock() + 3 * DAY
    await customer.fail_payment(subscription)
    other = await customer.repository()
    (issue,) = await customer.issues()

    await customer.bot.github.trigger("repository", "publicized", customer.private)
    await customer.bot.rest()
    (issue,) = await customer.issues()
    assert (issue["title"], issue["state"]) == ("Agile GitHub Suite: notice withdrawn", "closed")
    assert issue["body"].startswith("This notice was withdrawn.\n\n<!--")
    assert all(
        text.startswith("This notice was withdrawn.") for text in await customer.comments(issue["number"])
    )
    (moved,) = await customer.issues(other)
    assert "**The last payment failed.**" in moved["body"]


async def test_a_publication_that_nobody_told_us_of_is_found_before_anything_is_stated(
    customer: BillingIssueHarness,
) -> None:
    subscription = await customer.subscribe()
    async with customer.bot.github.muted():
        await customer.bot.github.call("PATCH", f"/repos/{customer.private}", {"private": False})
    await customer.fail_payment(subscription)
    assert await customer.issues() == []


async def test_it_stands_where_we_were_at_work_last_and_stays_there(customer: BillingIssueHarness) -> None:
    subscription = await customer.subscribe()
    other = await customer.repository()
    await customer.fail_payment(subscription)
    assert (len(await customer.issues(other)), len(await customer.issues())) == (1, 0)
    await customer.work(customer.private)
    await customer.night(days=1)
    assert (len(await customer.issues(other)), len(await customer.issues())) == (1, 0)


@pytest.mark.parametrize("why", ["has_issues", "archived", "paused", "refused"])
async def test_a_repository_that_takes_no_issues_is_passed_over(
    customer: BillingIssueHarness, why: str
) -> None:
    subscription = await customer.subscribe()
    other = await customer.repository()
    if why == "paused":
        await customer.settle_repository(other, "paused", True)
    elif why == "archived":
        async with customer.bot.github.muted():
            await customer.bot.github.call("PATCH", f"/repos/{other}", {"archived": True})
    elif why == "has_issues":
        data = await customer.bot.github.call("GET", f"/repos/{other}")
        path = f"/repos/{other}$"
        customer.bot.github.fail_next("GET", path, 200, body=data | {"has_issues": False}, times=2)
    else:
        gone = {"message": "Issues are disabled for this repo"}
        customer.bot.github.fail_next("POST", f"/repos/{other}/issues$", 410, body=gone)
    await customer.fail_payment(subscription)
    await customer.night()
    assert (len(await customer.issues(other)), len(await customer.issues())) == (0, 1)


async def test_the_account_chooses_the_repository_or_none(customer: BillingIssueHarness) -> None:
    other = await customer.repository()
    await customer.work(customer.private)
    await customer.settle(billing={"repository": other.partition("/")[2]})
    subscription = await customer.subscribe()
    await customer.fail_payment(subscription)
    assert (len(await customer.issues(other)), len(await customer.issues())) == (1, 0)

    await customer.settle(billing="off")
    await customer.night()
    (issue,) = await customer.issues(other)
    assert (issue["state"], issue["body"].partition("\n")[0]) == (
        "closed",
        "Billing issues are turned off in the account's settings file.",
    )
    assert "has not been notified" not in await customer.findings()


async def test_a_public_repository_that_was_chosen_is_not_used_nor_another_one(
    customer: BillingIssueHarness,
) -> None:
    await customer.settle(billing={"repository": customer.public.partition("/")[2]})
    await customer.fail_payment(await customer.subscribe())
    assert await customer.issues() == await customer.issues(customer.public) == []
    assert "has not been notified of a failed payment" in await customer.findings()


async def test_paused_or_not_what_the_public_must_not_read_is_withdrawn(
    customer: BillingIssueHarness,
) -> None:
    await customer.fail_payment(await customer.subscribe())
    await customer.settle_repository(customer.private, "paused", True)
    await customer.bot.github.trigger("repository", "publicized", customer.private)
    await customer.bot.rest()
    (issue,) = await customer.issues()
    assert issue["body"].startswith("This notice was withdrawn.")


async def test_post_waits_for_the_end_of_quiet_hours(customer: BillingIssueHarness) -> None:
    now = datetime.now(UTC)
    hours = {"from": f"{now - timedelta(hours=1):%H:%M}", "until": f"{now + timedelta(hours=2):%H:%M}"}
    await customer.settle_repository(customer.private, "quiet_hours", hours)
    await customer.fail_payment(await customer.subscribe())
    assert await customer.issues() == []
    customer.clock.now = now + timedelta(hours=3)
    await customer.night()
    assert len(await customer.issues()) == 1


# Who is called


async def test_of_a_personal_account_its_owner_is_called(customer: BillingIssueHarness) -> None:
    query_as_administrator(customer.bot.base, "update organizations set account_type = 'User'")
    await customer.fail_payment(await customer.subscribe())
    (issue,) = await customer.issues()
    assert issue["body"].startswith("@acme\n\n**The last payment failed.**")


async def test_where_github_does_not_name_the_owners_the_issue_stands_without_them(
    customer: BillingIssueHarness,
) -> None:
    subscription = await customer.subscribe()
    refusal = {"message": "Resource not accessible by integration"}
    customer.bot.github.fail_next("GET", "/orgs/acme/members", 403, body=refusal)
    await customer.fail_payment(subscription)
    (issue,) = await customer.issues()
    assert issue["body"].startswith("**The last payment failed.**")
    await customer.night()
    (issue,) = await customer.issues()
    assert issue["body"].startswith("@alice\n\n")


# Where nothing is sold any more


async def test_data_that_goes_is_announced_though_selling_is_switched_off(
    github: StandInGitHub,
    stripe_server: StandInStripe,
    settings: Settings,
    clock: Clock,
    drawing: ChartRenderer,
) -> None:
    github.marketplace.accounts.clear()
    over = replace(settings, billing=replace(card_billing_settings(stripe_server), is_on=False))
    async with running_bot(github, over, clock, drawing) as bot:
        private = await github.create_repository(name=f"office-{next(_NAMES)}", private=True)
        firm = BillingIssueHarness(bot, stripe_server, clock, private["full_name"])
        await firm.work(firm.private)
        market = github.marketplace
        await deliver_marketplace(bot, market.purchase(firm.account, "acme"), secret="m")
        await deliver_marketplace(bot, market.cancel(firm.account), secret="m")
        (issue,) = await firm.issues()
        assert "**This account's data here will be deleted on " in issue["body"]
        answer = await firm.say(issue["number"], "/agile plan")
        assert answer.startswith("> **This account's data here will be deleted on ")
    github.marketplace.accounts.clear()


# Not twice in one place


async def test_the_line_below_an_answer_does_not_repeat_the_issue(customer: BillingIssueHarness) -> None:
    await customer.fail_payment(await customer.subscribe())
    (issue,) = await customer.issues()
    other = await customer.bot.github.create_issue(customer.private, "Refunds")
    for number in (issue["number"], other["number"]):
        assert "last payment" not in await customer.say(number, "/agile usage")
    customer.clock.now = customer.clock() + DAY
    answer = await customer.say(other["number"], "/agile usage new:yes")
    assert "<sub>The last payment for Pro failed." in answer


async def test_the_line_below_an_answer_does_not_repeat_the_card(customer: BillingIssueHarness) -> None:
    await customer.settle(billing="off")
    await customer.fail_payment(await customer.subscribe())
    thread = await customer.bot.github.create_issue(customer.private, "Refunds")
    answer = await customer.say(thread["number"], "/agile plan")
    assert answer.count("last payment") == 1
