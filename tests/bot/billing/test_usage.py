"""Usage is reported from the ledger: daily, again after a failure, and never twice."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import procrastinate
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.billing.jobs import blueprints_for
from bot.billing.stripe_client import RealStripe
from bot.billing.stripe_port import NoStripe, StripeRefusedError, StripeUnavailableError
from bot.billing.stripe_sync import StripeSync
from bot.billing.usage import UsageReporting, find_subscription_on, resolve_usage_time
from bot.cli.doctor import examine
from bot.github.call_counter import CallCounts, save_calls
from bot.github.client import GitHubRefusedError
from bot.job_blueprint import add_jobs
from bot.services import Services, open_github
from bot.settings.billing import BillingSettings
from marketplace.stripe_subscriptions import SubscriptionHint
from storage.billing_jobs import DELETE_DUE, REPORT_USAGE
from storage.database import Database
from storage.deadlines import Deadline, Deadlines
from storage.subscriptions import Subscription, Subscriptions, tenant_of_buyer
from storage.usage import RejectedUsage, Usage, UsageRecord, record_rejected_usage
from tests.support.clock import Clock
from tests.support.running import Bot, rows
from tests.support.sprints import make_sprint
from tests.support.stripe.selling import card_billing_settings, stripe_settings
from tests.support.stripe.server import StandInStripe

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
DAY = timedelta(days=1)
YESTERDAY = date(2026, 11, 22)


class UsageHarness:
    """An account that pays by card, with its ledger, and what tells it."""

    def __init__(
        self, base: Services, clock: Clock, organization_id: int, stripe: Any, server: StandInStripe
    ) -> None:
        self.base = base
        self.clock = clock
        self.id = organization_id
        self.server = server
        self.stripe = stripe
        self.reporting = UsageReporting(base.database, stripe, card_billing_settings(server), clock)

    async def use(self, metric: str = "api_calls", day: date = YESTERDAY, quantity: int = 5) -> None:
        async with self.base.database.tenant(self.id) as tenant:
            await Usage(tenant).add(metric, day, quantity)

    async def ledger(self) -> list[UsageRecord]:
        async with self.base.database.tenant(self.id) as tenant:
            return await Usage(tenant).since(date(2026, 1, 1))

    async def note(self, **values: object) -> None:
        (entry,) = await self.ledger()
        async with self.base.database.tenant(self.id) as tenant:
            await Usage(tenant).update(entry, **values)

    @property
    def told(self) -> dict[str, int]:
        """What Stripe has counted, by identifier."""
        return {name: int(entry["payload"]["value"]) for name, entry in self.server.usage.items()}

    @property
    def sent(self) -> int:
        return sum(path == "billing/meter_events" for _, path, _ in self.server.requests)


@pytest.fixture
async def usage(base: Services, clock: Clock, stripe_server: StandInStripe) -> AsyncIterator[UsageHarness]:
    clock.now = NOW
    stripe_server.meters["agile_api_calls"] = "mtr_3"
    async with base.database.unscoped() as connection:
        organization_id = await tenant_of_buyer(connection, 7, "acme", "Organization")
    async with base.database.tenant(organization_id) as tenant:
        card = Subscription("stripe", "active", "pro", NOW, reference="sub_1", customer="cus_1")
        await Subscriptions(tenant).store(card)
        await tenant.connection.execute(text("update organizations set github_installation_id = 77"))
    client = RealStripe(stripe_settings(stripe_server))
    yield UsageHarness(base, clock, organization_id, client, stripe_server)
    await client.close()


async def test_what_was_used_is_reported_once(usage: UsageHarness) -> None:
    await usage.use()
    assert await usage.reporting.run() == 1
    assert await usage.reporting.run() == 0
    assert usage.told == {"7:api_calls:2026-11-22": 5}
    (event,) = usage.server.usage.values()
    assert event["event_name"] == "agile_api_calls"
    assert event["payload"] == {"stripe_customer_id": "cus_1", "value": "5"}
    assert datetime.fromtimestamp(int(event["timestamp"]), UTC) == datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    (entry,) = await usage.ledger()
    assert entry.reported_at == NOW


async def test_a_day_that_is_not_over_waits(usage: UsageHarness) -> None:
    await usage.use(day=NOW.date())
    assert await usage.reporting.run() == 0
    usage.clock.now = NOW + DAY
    assert await usage.reporting.run() == 1


@pytest.mark.parametrize("status", [500, 429])
async def test_after_a_failure_it_is_reported_again_under_the_same_name(
    usage: UsageHarness, status: int
) -> None:
    await usage.use()
    usage.server.fail_with = status
    assert await usage.reporting.run() == 0
    usage.server.fail_with = None
    usage.clock.now = NOW + timedelta(hours=1)
    assert await usage.reporting.run() == 1
    assert usage.told == {"7:api_calls:2026-11-22": 5}


async def test_duplicate_report_counts_as_reported(usage: UsageHarness) -> None:
    await usage.use()
    await usage.reporting.run()
    await usage.note(reported_at=None)
    usage.server.refuses_repeated_usage = True
    await usage.stripe.send_usage("agile_api_calls", "cus_1", 5, NOW, "7:api_calls:2026-11-22")
    usage.clock.now = NOW + timedelta(hours=2)
    assert await usage.reporting.run() == 1
    (entry,) = await usage.ledger()
    assert entry.reported_at


async def test_after_a_day_of_doubt_stripe_is_asked_first(usage: UsageHarness) -> None:
    """It had arrived; only its answer was lost. Stripe has forgotten the identifier by now."""
    await usage.use()
    await usage.reporting.run()
    await usage.note(reported_at=None)
    before = usage.sent
    usage.clock.now = NOW + 2 * DAY
    assert await usage.reporting.run() == 0
    assert usage.sent == before
    (entry,) = await usage.ledger()
    assert entry.reported_at == NOW + 2 * DAY


async def test_after_a_day_of_doubt_what_never_arrived_is_reported(usage: UsageHarness) -> None:
    await usage.use()
    await usage.note(tried_at=NOW - 2 * DAY)
    assert await usage.reporting.run() == 1
    assert usage.told == {"7:api_calls:2026-11-22": 5}


async def test_what_is_too_old_goes_to_the_alert(
    usage: UsageHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    await usage.use(day=YESTERDAY - 40 * DAY)
    assert await usage.reporting.run() == 0
    assert usage.told == {}
    (entry,) = await usage.ledger()
    assert entry.refused == "older than 35 days"
    assert "too old for Stripe and was never charged" in "".join(capsys.readouterr())
    assert await usage.reporting.run() == 0


async def test_refused_usage_stays_in_the_ledger(
    usage: UsageHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    await usage.use()
    usage.server.fail_with = 400
    assert await usage.reporting.run() == 0
    assert "usage refused by Stripe" in "".join(capsys.readouterr())
    (entry,) = await usage.ledger()
    assert entry.reported_at is None


async def test_who_pays_nothing_by_card_is_not_told_of(usage: UsageHarness) -> None:
    await usage.use()
    async with usage.base.database.tenant(usage.id) as tenant:
        ended = Subscription("stripe", "ended", "pro", NOW, reference="sub_1", customer="cus_1")
        await Subscriptions(tenant).store(ended)
    assert await usage.reporting.run() == 0
    assert usage.sent == 0


async def test_without_stripe_the_ledger_is_filled_nevertheless(base: Services, clock: Clock) -> None:
    async with base.database.unscoped() as connection:
        organization_id = await tenant_of_buyer(connection, 7, "acme", "Organization")
    insert = (
        "insert into projects (organization_id, repository_node_id, name, named_at, created_at) "
        "values (:t, 'R', 'r', now(), '2026-11-22 10:00+00') returning id"
    )
    await rows(base, insert, organization_id, t=organization_id)
    clock.now = NOW
    reporting = UsageReporting(base.database, NoStripe(), BillingSettings(), clock)
    assert await reporting.run() == 0
    assert await reporting.run() == 0
    async with base.database.tenant(organization_id) as tenant:
        assert await Usage(tenant).since(YESTERDAY) == [UsageRecord("projects_created", YESTERDAY, 1)]


class Flaky:
    """A Stripe that forgets identifiers after a day, and whose answers may be lost either way."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counted = 0
        self.known: dict[str, datetime] = {}
        self.bad_days: list[str] = []

    async def send_usage(self, _name: str, _who: str, quantity: int, _at: datetime, identifier: str) -> None:
        day = self.bad_days.pop(0) if self.bad_days else "good"
        if day == "refused":
            raise StripeRefusedError("no")
        if day == "lost before":
            raise StripeUnavailableError("away")
        seen = self.known.get(identifier)
        if seen is None or self.clock() - seen > DAY:
            self.counted += quantity
            self.known[identifier] = self.clock()
        if day == "lost after":
            raise StripeUnavailableError("away")

    async def get_usage(self, _name: str, _who: str, _day: date) -> int | None:
        return self.counted


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    bad=st.lists(st.sampled_from(["lost before", "lost after", "refused", "good"]), max_size=6),
    pauses=st.lists(st.sampled_from([1, 22, 26, 50]), min_size=8, max_size=8),
)
@example(bad=["lost after", "lost after"], pauses=[22, 22, 22, 22, 1, 1, 1, 1])
async def test_usage_is_charged_once_despite_failures(
    usage: UsageHarness, bad: list[str], pauses: list[int]
) -> None:
    day = YESTERDAY - timedelta(days=1)
    async with usage.base.database.tenant(usage.id) as tenant:
        for entry in await Usage(tenant).since(date(2026, 1, 1)):
            await Usage(tenant).update(entry, tried_at=None, reported_at=None, refused=None)
        await Usage(tenant).set("api_calls", day, 5)
    usage.clock.now = NOW
    flaky = Flaky(usage.clock)
    flaky.bad_days = list(bad)
    settings = card_billing_settings(usage.server)
    reporting = UsageReporting(usage.base.database, flaky, settings, usage.clock)  # type: ignore[arg-type]
    for hours in pauses:
        await reporting.run()
        usage.clock.now += timedelta(hours=hours)
    assert flaky.counted == 5
    (entry,) = await usage.ledger()
    assert entry.reported_at is not None


# Which day belongs to which subscription, and when it counts


async def test_the_day_is_reported_before_the_invoice_is_final(usage: UsageHarness) -> None:
    """A period that ends at 00:30: its invoice is final at 01:30, and the job runs at five past each hour."""
    await usage.use()
    usage.clock.now = datetime(2026, 11, 23, 0, 5, tzinfo=UTC)
    assert await usage.reporting.run() == 1
    (event,) = usage.server.usage.values()
    assert datetime.fromtimestamp(int(event["timestamp"]), UTC) < datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


async def test_usage_is_reported_at_five_past_each_hour(
    base: Services, clock: Clock, stripe_server: StandInStripe
) -> None:
    queue = procrastinate.App(connector=base.queue.connector)
    for blueprint in blueprints_for(card_billing_settings(stripe_server)):
        add_jobs(queue, blueprint)
    periodic = {task.task.name: task.cron for task in queue.periodic_registry.periodic_tasks.values()}
    assert periodic[REPORT_USAGE] == "5 * * * *"
    assert DELETE_DUE in periodic


@pytest.mark.parametrize(
    ("ended_at", "stamp"),
    [
        (datetime(2026, 11, 23, 0, 30, tzinfo=UTC), datetime(2026, 11, 22, 23, 59, tzinfo=UTC)),
        (datetime(2026, 11, 22, 18, 0, tzinfo=UTC), datetime(2026, 11, 22, 17, 59, 59, tzinfo=UTC)),
        (datetime(2026, 11, 22, 0, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 21, 9, 0, tzinfo=UTC), None),
        (None, None),
    ],
)
async def test_a_subscription_that_has_ended_is_charged_for_its_last_day(
    usage: UsageHarness, ended_at: datetime | None, stamp: datetime | None
) -> None:
    await usage.use()
    async with usage.base.database.tenant(usage.id) as tenant:
        ended = Subscription(
            "stripe", "ended", "pro", NOW, reference="sub_1", customer="cus_1", ended_at=ended_at
        )
        await Subscriptions(tenant).store(ended)
    assert await usage.reporting.run() == (0 if stamp is None else 1)
    stamps = [datetime.fromtimestamp(int(event["timestamp"]), UTC) for event in usage.server.usage.values()]
    assert stamps == ([] if stamp is None else [stamp])


async def test_usage_is_reported_for_the_paying_customer(usage: UsageHarness) -> None:
    """The first of the books is paused, or has ended; another is charged."""
    await usage.use()
    async with usage.base.database.tenant(usage.id) as tenant:
        for status, number in (("paused", 1), ("active", 2), ("past_due", 3)):
            card = Subscription(
                "stripe", status, "pro", NOW, reference=f"sub_{number}", customer=f"cus_{number}"
            )
            await Subscriptions(tenant).store(card)
    assert await usage.reporting.run() == 1
    (event,) = usage.server.usage.values()
    assert event["payload"]["stripe_customer_id"] == "cus_2"


async def test_a_day_goes_to_the_subscription_that_it_was_used_under(usage: UsageHarness) -> None:
    """The old one ended today at 00:30, and a new one has begun since."""
    await usage.use()
    async with usage.base.database.tenant(usage.id) as tenant:
        old = Subscription(
            *("stripe", "ended", "pro", NOW),
            reference="sub_1",
            customer="cus_1",
            period_start=NOW - 30 * DAY,
            ended_at=datetime(2026, 11, 23, 0, 30, tzinfo=UTC),
        )
        new = Subscription(
            *("stripe", "active", "pro", NOW),
            reference="sub_2",
            customer="cus_2",
            period_start=datetime(2026, 11, 23, 0, 40, tzinfo=UTC),
        )
        await Subscriptions(tenant).store(old)
        await Subscriptions(tenant).store(new)
    await usage.reporting.run()
    (event,) = usage.server.usage.values()
    assert event["payload"]["stripe_customer_id"] == "cus_1"


@given(
    ends=st.lists(st.one_of(st.none(), st.integers(-72, 72)), max_size=5),
    hour=st.integers(0, 23),
)
def test_use_counts_on_its_day_and_before_the_end(ends: list[int | None], hour: int) -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    subscriptions = [
        Subscription(
            *("stripe", "active" if end is None else "ended", "pro", NOW),
            reference=f"sub_{number}",
            customer=f"cus_{number}",
            ended_at=None if end is None else start + timedelta(hours=end, minutes=hour),
        )
        for number, end in enumerate(ends)
    ]
    charged = find_subscription_on(subscriptions, YESTERDAY)
    running = [
        subscription
        for subscription in subscriptions
        if subscription.ended_at is None or subscription.ended_at > start
    ]
    assert (charged is None) == (not running)
    if charged is not None:
        at = resolve_usage_time(charged, YESTERDAY)
        assert start <= at < start + DAY
        assert charged.ended_at is None or at < charged.ended_at
        assert charged.ended_at is None or all(entry.ended_at for entry in running)


# Meters


async def test_usage_waits_until_there_is_a_meter(usage: UsageHarness) -> None:
    del usage.server.meters["agile_api_calls"]
    await usage.use()
    assert await usage.reporting.run() == 0
    assert usage.sent == 0
    (finding,) = await examine(usage.base)
    assert finding.startswith("Stripe has no meter for agile_api_calls, as of 2026-11-23 02:00 UTC")
    usage.server.meters["agile_api_calls"] = "mtr_3"
    assert await usage.reporting.run() == 1
    assert await examine(usage.base) == []


# One fails


async def test_failing_account_does_not_stop_the_others(
    usage: UsageHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with usage.base.database.unscoped() as connection:
        others = [await tenant_of_buyer(connection, number, f"n-{number}", "User") for number in (8, 9)]
    for organization_id in others:
        async with usage.base.database.tenant(organization_id) as tenant:
            card = Subscription(
                *("stripe", "active", "pro", NOW),
                reference=f"s{organization_id}",
                customer=f"c{organization_id}",
            )
            await Subscriptions(tenant).store(card)
            await Usage(tenant).add("api_calls", YESTERDAY, 2)
    fill = usage.reporting._fill_ledger

    async def failing(organization_id: int) -> None:
        if organization_id == others[0]:
            raise ValueError("a bug with this account")
        await fill(organization_id)

    monkeypatch.setattr(usage.reporting, "_fill_ledger", failing)
    await usage.use()
    assert await usage.reporting.run() == 2
    assert set(usage.told) == {"7:api_calls:2026-11-22", "9:api_calls:2026-11-22"}


# Where it comes from

_QUERY = """
query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){
pullRequest(number:$number){closingIssuesReferences(first:20){nodes{number repository{nameWithOwner}}}}}}
"""


async def test_calls_of_github_are_counted_where_all_of_them_pass(bot: Bot) -> None:
    await make_sprint(bot)
    before = len(bot.github.requests)
    async with open_github(bot.base) as client:
        there = client.installation(bot.github.installation_id)
        for _ in range(2):
            await there.get(f"/repos/{bot.repo}/milestones")
        assert [page async for page in there.pages(f"/repos/{bot.repo}/issues?per_page=1")]
        await there.graphql(_QUERY, owner=bot.repo.split("/")[0], name=bot.repo.split("/")[1], number=1)
        with pytest.raises(GitHubRefusedError):
            await there.get(f"/repos/{bot.repo}/issues/4711")
    made = bot.github.requests[before:]
    assert {subscription.status for subscription in made} >= {200, 201, 404}
    (tenant,) = [row[0] for row in await rows(bot.base, "select * from all_tenants()")]
    counted = await rows(bot.base, "select metric, period, quantity from usage_ledger", tenant)
    assert [tuple(entry) for entry in counted] == [("api_calls", datetime.now(UTC).date(), len(made))]


async def test_calls_that_cannot_be_recorded_now_are_counted_on(usage: UsageHarness, bot: Bot) -> None:
    calls, away = CallCounts(usage.clock), Database("postgresql://nobody@127.0.0.1:9/nothing")
    calls.count(bot.github.installation_id)
    await save_calls(away, calls)
    await away.close()
    calls.count(bot.github.installation_id)
    assert dict(calls.take()) == {(bot.github.installation_id, NOW.date()): 2}


async def test_calls_of_an_installation_that_is_gone_are_forgotten(base: Services, clock: Clock) -> None:
    calls = CallCounts(clock)
    calls.count(4711)
    await save_calls(base.database, calls)
    assert not calls.take()


# What the operator reads


async def test_doctor_reports_usage_that_stripe_refused(
    usage: UsageHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    await usage.use()
    usage.server.fail_with = 400
    await usage.reporting.run()
    (finding,) = await examine(usage.base)
    assert finding == (
        f"tenant {usage.id}: Stripe did not accept 5 GitHub API requests of 2026-11-22; see the log; it is reported again every hour"
    )
    usage.clock.now = NOW + 40 * DAY
    usage.server.fail_with = None
    await usage.reporting.run()
    (finding,) = await examine(usage.base)
    assert finding.endswith("5 GitHub API requests of 2026-11-22 will not be charged: older than 35 days")
    assert "deleted" not in "".join(capsys.readouterr())


async def test_doctor_tells_for_a_while_what_stripe_could_not_count(base: Services, clock: Clock) -> None:
    clock.now = NOW
    for event in ("evt_old", "evt_new"):
        async with base.database.unscoped() as connection:
            await record_rejected_usage(connection, RejectedUsage(event, NOW))
    (finding,) = await examine(base)
    assert finding.startswith(
        "Stripe could not count reported usage, as it announced on 2026-11-23 02:00 UTC"
    )
    assert "evt_new" in finding
    clock.now = NOW + 36 * DAY
    assert await examine(base) == []


async def test_doctor_tells_which_data_will_be_deleted_and_whom_nobody_told(
    usage: UsageHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    async with usage.base.database.tenant(usage.id) as tenant:
        await Deadlines(tenant).record(Deadline(NOW, NOW + 30 * DAY, is_announced=True))
    (finding,) = await examine(usage.base)
    assert finding == (
        f"tenant {usage.id}: the data of acme will be deleted on 2026-12-23, and none of its owners has seen that in a thread yet; write to them (docs/billing.md)"
    )
    async with usage.base.database.tenant(usage.id) as tenant:
        await Deadlines(tenant).mark_shown(NOW)
    assert await examine(usage.base) == []
    answer = "the data of acme will be deleted on 2026-12-23, because it cancelled on the Marketplace"
    assert answer in "".join(capsys.readouterr())


async def test_usage_before_the_purchase_is_not_charged(
    usage: UsageHarness, stripe_server: StandInStripe
) -> None:
    """Bought on 20 November at 20:00: neither the days before count, nor the rest of that day."""
    begins = datetime(2026, 11, 20, 20, tzinfo=UTC)
    subscription = stripe_server.subscribe(7)
    subscription["start_date"] = int(begins.timestamp())
    (item,) = subscription["items"]["data"]
    item["current_period_start"] = int(begins.timestamp())
    async with usage.base.database.tenant(usage.id) as tenant:
        await Subscriptions(tenant).store(
            Subscription("stripe", "ended", "pro", NOW, reference="sub_1", customer="cus_1")
        )
    sync = StripeSync(usage.base.database, usage.stripe, card_billing_settings(stripe_server), usage.clock)
    await sync.follow(
        SubscriptionHint(
            "evt_1", "customer.subscription.created", subscription["customer"], subscription["id"]
        )
    )
    for day in (10, 19, 20, 21, 22):
        await usage.use(day=date(2026, 11, day))
    assert await usage.reporting.run() == 2
    assert sorted(usage.told) == ["7:api_calls:2026-11-21", "7:api_calls:2026-11-22"]


@given(st.integers(0, 30 * 86_400), st.integers(1, 30))
@example(19 * 86_400, 20)
@example(19 * 86_400 + 1, 20)
def test_no_day_is_charged_that_began_before_the_subscription(seconds: int, day: int) -> None:
    began = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    subscription = Subscription(
        "stripe", "active", "pro", NOW, reference="sub_1", customer="cus_1", started_at=began
    )
    is_charged = find_subscription_on([subscription], date(2026, 11, day)) is not None
    assert is_charged == (datetime(2026, 11, day, tzinfo=UTC) >= began)
