"""What is kept of purchases, usage and deadlines, each tenant's apart; and a tenant's deletion, and only its."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, Column, Connection, Table, create_engine, insert, make_url, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool

from bot.services import Services
from storage.deadlines import Deadline, Deadlines, tenants_to_delete
from storage.embedded import EmbeddedServer
from storage.subscriptions import (
    AccountAuditEntry,
    PendingChange,
    PreviousPlan,
    Subscription,
    Subscriptions,
    tenant_of_account,
    tenant_of_buyer,
    tenants_named,
    tenants_of_stripe,
)
from storage.tables import TENANT_TABLES, metadata, users
from storage.usage import Usage, total_quantity
from tests.support.running import age_deadlines, query_as_administrator, rows

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def buyer(base: Services, account: int = 7, login: str = "acme") -> int:
    async with base.database.unscoped() as connection:
        return await tenant_of_buyer(connection, account, login, "Organization")


def bought(**changes: Any) -> Subscription:
    data: dict[str, Any] = {"source": "stripe", "status": "active", "plan": "pro", "read_at": NOW}
    return Subscription(**(data | {"reference": "sub_1", "customer": "cus_1", "quantity": 3} | changes))


# Before a tenant is known


async def test_a_buyer_is_a_tenant_before_and_after_installing(base: Services) -> None:
    tenant = await buyer(base)
    assert await buyer(base, login="acme-renamed") == tenant
    async with base.database.unscoped() as connection:
        assert await tenant_of_account(connection, 7) == tenant
        assert await tenant_of_account(connection, 8) is None
        assert await tenants_named(connection, "ACME") == [tenant]
        assert await tenants_named(connection, "nobody") == []


async def test_a_name_that_was_taken_before_means_who_has_it_now(base: Services) -> None:
    old = await buyer(base, 7, "acme")
    new = await buyer(base, 8, "Acme")
    async with base.database.unscoped() as connection:
        assert await tenants_named(connection, "acme") == [old, new]


async def test_a_customer_or_a_subscription_of_stripe_leads_to_its_tenant(base: Services) -> None:
    entry, two = await buyer(base), await buyer(base, 8, "other")
    for tenant_id, number in ((entry, 1), (two, 2)):
        async with base.database.tenant(tenant_id) as tenant:
            await Subscriptions(tenant).store(bought(reference=f"sub_{number}", customer=f"cus_{number}"))
    async with base.database.unscoped() as connection:
        assert await tenants_of_stripe(connection, "cus_2", None) == [two]
        assert await tenants_of_stripe(connection, None, "sub_1") == [entry]
        assert sorted(await tenants_of_stripe(connection, "cus_1", "sub_2")) == [entry, two]
        assert await tenants_of_stripe(connection, None, None) == []


# What was bought


async def test_a_subscription_is_read_as_it_was_put_and_stands_in_one_place(base: Services) -> None:
    full = bought(
        is_yearly=True,
        period_start=NOW,
        period_end=NOW + 30 * DAY,
        trial_ends=NOW,
        past_due_since=NOW,
        pending=PendingChange("free", None, NOW + 30 * DAY),
        previous_plan=PreviousPlan("enterprise", 9, NOW),
        quantity_set_on=date(2026, 11, 23),
    )
    async with base.database.tenant(await buyer(base)) as tenant:
        kept = Subscriptions(tenant)
        await kept.store(bought())
        await kept.store(full)
        await kept.store(bought(source="marketplace", reference="", customer=None, plan_id=1313))
        assert await kept.all() == [
            full,
            bought(source="marketplace", reference="", customer=None, plan_id=1313),
        ]
        await kept.store(bought())
        assert (await kept.all())[0] == bought()


async def test_one_tenant_sees_nothing_of_what_another_has_bought(base: Services) -> None:
    entry, two = await buyer(base), await buyer(base, 8, "other")
    async with base.database.tenant(entry) as tenant:
        await Subscriptions(tenant).store(bought())
        await Usage(tenant).add("api_calls", NOW.date(), 5)
        await Deadlines(tenant).record(Deadline(NOW, NOW, is_announced=True))
    async with base.database.tenant(two) as tenant:
        assert await Subscriptions(tenant).all() == []
        assert await Usage(tenant).since(date(2026, 1, 1)) == []
        assert await Deadlines(tenant).latest() is None


async def test_an_event_of_stripe_is_new_once(base: Services) -> None:
    async with base.database.tenant(await buyer(base)) as tenant:
        kept = Subscriptions(tenant)
        assert await kept.is_new_event("evt_1", "invoice.paid")
        assert not await kept.is_new_event("evt_1", "invoice.paid")
        assert await kept.is_new_event("evt_2", "invoice.paid")


async def test_a_change_of_plan_is_audited_for_the_account(base: Services) -> None:
    organization = await buyer(base)
    async with base.database.tenant(organization) as tenant:
        await Subscriptions(tenant).record_audit_entry(
            AccountAuditEntry("stripe", "plan", "acme", {"after": "pro"}, NOW)
        )
    (row,) = await rows(base, "select actor, project_id, details from audit_log", organization)
    assert tuple(row) == ("stripe", None, {"after": "pro"})


# Usage


async def test_what_was_reported_is_not_counted_up_any_more(base: Services) -> None:
    async with base.database.tenant(await buyer(base)) as tenant:
        usage, day = Usage(tenant), NOW.date()
        await usage.add("api_calls", day, 5)
        await usage.add("api_calls", day, 2)
        await usage.set("projects_created", day, 1)
        await usage.set("projects_created", day, 3)
        (calls, created) = await usage.unreported(day + DAY)
        assert (calls.quantity, created.quantity) == (7, 3)
        assert await usage.unreported(day) == []

        await usage.update(calls, tried_at=NOW)
        await usage.add("api_calls", day, 1)
        await usage.update(created, tried_at=NOW, reported_at=NOW)
        await usage.set("projects_created", day, 9)
        assert [subscription.quantity for subscription in await usage.since(day)] == [7, 3]
        assert [entry.metric for entry in await usage.unreported(day + DAY)] == ["api_calls"]
        assert total_quantity(await usage.since(day), "api_calls") == 7


# Deadlines


async def test_the_latest_deadline_counts_until_it_is_withdrawn(base: Services) -> None:
    async with base.database.tenant(await buyer(base)) as tenant:
        deadlines = Deadlines(tenant)
        first, second = (
            Deadline(NOW, NOW + 30 * DAY, is_announced=True),
            Deadline(NOW + DAY, NOW + 31 * DAY, True),
        )
        assert await deadlines.record(second)
        assert await deadlines.record(first)
        assert not await deadlines.record(first)
        assert await deadlines.latest() == second
        assert await deadlines.withdraw(NOW, "bought again")
        assert await deadlines.latest() is None
        # The same cancellation is told again, late: it is over.
        assert not await deadlines.record(second)
        assert await deadlines.latest() is None


async def test_what_we_found_gives_way_to_what_we_are_reported(base: Services) -> None:
    async with base.database.tenant(await buyer(base)) as tenant:
        deadlines = Deadlines(tenant)
        deadline = Deadline(NOW - DAY, NOW + 29 * DAY, is_announced=True)
        await deadlines.record(Deadline(NOW, NOW + 30 * DAY, is_announced=False))
        await deadlines.record(deadline)
        assert await deadlines.withdraw(NOW, "told", only_inferred=True)
        assert await deadlines.active() == [deadline]


# Deletion


class Owner:
    """The tables' owner, who may fill every table; row-level security binds it as well."""

    def __init__(self, server: EmbeddedServer, name: str) -> None:
        url = make_url(server.address("agile_owner", name)).set(drivername="postgresql+psycopg")
        self.engine = create_engine(url, poolclass=NullPool)

    def fill(self, organization_id: int, person: int) -> None:
        """A row in every table of a tenant, whatever tables there are."""
        with self.engine.begin() as connection:
            _name(connection, organization_id)
            ids = {"organizations": organization_id, "users": self._person(connection, person)}
            for table in metadata.sorted_tables:
                if table in TENANT_TABLES and table.name != "organizations":
                    ids[table.name] = _insert(connection, table, ids)
            connection.execute(text(_JOB), {"args": f'{{"organization_id": {organization_id}}}'})

    def _person(self, connection: Connection, person: int) -> int:
        values = {"github_id": person, "github_username": f"person-{person}"}
        known_items = connection.execute(
            text("select id from users where github_id = :p"), {"p": person}
        ).scalar()
        return int(
            known_items or connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
        )

    def counts(self, organization_id: int) -> dict[str, int]:
        """How many rows a tenant has in each table."""
        with self.engine.begin() as connection:
            _name(connection, organization_id)
            return {
                table.name: connection.execute(
                    text(f"select count(*) from {table.name} where {_key(table)} = :o"),
                    {"o": organization_id},
                ).scalar_one()
                for table in TENANT_TABLES
            }

    def logins(self) -> list[str]:
        with self.engine.begin() as connection:
            return list(connection.execute(text("select github_username from users order by 1")).scalars())


_JOB = "insert into procrastinate_jobs (queue_name, task_name, args) values ('default', 'measure', cast(:args as jsonb))"


def _key(table: Table) -> str:
    return "id" if table.name == "organizations" else "organization_id"


def _name(connection: Connection, organization_id: int) -> None:
    connection.execute(text("select set_config('app.tenant', :t, true)"), {"t": str(organization_id)})


def _insert(connection: Connection, table: Table, ids: dict[str, int]) -> int:
    values = {
        column.name: _value(column, ids)
        for column in table.columns
        if column.name != "id"
        and (not column.nullable or column.foreign_keys)
        and column.server_default is None
    }
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def _value(column: Column[Any], ids: dict[str, int]) -> object:
    if column.name == "organization_id":
        return ids["organizations"]
    for key in column.foreign_keys:
        if key.column.table.name in ids:
            return ids[key.column.table.name]
    if isinstance(column.type, JSON):
        return {}
    usual: dict[type, object] = {str: f"{column.name}-{ids['organizations']}", bytes: b"x", datetime: NOW}
    usual[date] = date(2026, 1, 1)
    kind = column.type.python_type
    return usual.get(kind) or kind(1)


@pytest.fixture
async def two_tenants(base: Services, server: EmbeddedServer, database_name: str) -> tuple[Owner, int, int]:
    """Two tenants with a row in every table. They have one person in common, and each one of its own."""
    owner = Owner(server, database_name)
    entry, other = await buyer(base), await buyer(base, 8, "other")
    owner.fill(entry, 100)
    owner.fill(other, 100)
    for tenant_id, person in ((entry, 101), (other, 102)):
        data = f'[{{"github_id": {person}, "login": "person-{person}", "at": "2026-11-02T09:00:00Z"}}]'
        async with base.database.tenant(tenant_id) as tenant:
            await tenant.connection.execute(text("select meet_people(:told)"), {"told": data})
    # The filled deadline is of a fixed day in the future of nobody: it must not count by itself.
    for tenant_id in (entry, other):
        async with base.database.tenant(tenant_id) as tenant:
            await Deadlines(tenant).withdraw(NOW, "test")
    return owner, entry, other


async def _note(base: Services, organization_id: int, *, days_ago: int) -> None:
    due = datetime.now(UTC) - timedelta(days=days_ago)
    async with base.database.tenant(organization_id) as tenant:
        await Deadlines(tenant).record(Deadline(due - 30 * DAY, due, is_announced=True))
    age_deadlines(base)


async def test_a_tenant_is_deleted_whole_and_nobody_else_is_touched(
    base: Services, two_tenants: tuple[Owner, int, int]
) -> None:
    owner, entry, other = two_tenants
    before = owner.counts(other)
    assert min(owner.counts(entry).values()) >= 1
    await _note(base, entry, days_ago=1)

    async with base.database.unscoped() as connection:
        assert await tenants_to_delete(connection) == [entry]
    async with base.database.tenant(entry) as tenant:
        counts = await Deadlines(tenant).delete_everything()

    assert set(counts) == {table.name for table in TENANT_TABLES} - {"organizations"}
    assert set(owner.counts(entry).values()) == {0}
    assert owner.counts(other) == before
    assert owner.logins() == ["person-100", "person-102"]
    jobs = query_as_administrator(base, "select args ->> 'organization_id' as tenant from procrastinate_jobs")
    assert [row.tenant for row in jobs] == [str(other)]
    async with base.database.unscoped() as connection:
        assert await tenant_of_account(connection, 7) is None
        assert await tenants_to_delete(connection) == []


@pytest.mark.parametrize("case", ["no deadline", "not yet", "withdrawn", "a later one"])
async def test_without_a_deadline_that_has_passed_the_database_refuses(
    base: Services, two_tenants: tuple[Owner, int, int], case: str
) -> None:
    owner, entry, _ = two_tenants
    before = owner.counts(entry)
    if case != "no deadline":
        await _note(base, entry, days_ago=-1 if case == "not yet" else 1)
    if case == "a later one":
        await _note(base, entry, days_ago=-2)
    if case == "withdrawn":
        async with base.database.tenant(entry) as tenant:
            await Deadlines(tenant).withdraw(NOW, "bought again")
    async with base.database.unscoped() as connection:
        assert await tenants_to_delete(connection) == []
    with pytest.raises(DBAPIError, match="not to be deleted now"):
        async with base.database.tenant(entry) as tenant:
            await Deadlines(tenant).delete_everything()
    counts = owner.counts(entry)
    assert {name: counts[name] for name in counts if name != "deletion_deadlines"} == {
        name: before[name] for name in before if name != "deletion_deadlines"
    }


async def test_nobody_and_a_stranger_delete_nothing(
    base: Services, two_tenants: tuple[Owner, int, int]
) -> None:
    _, entry, _ = two_tenants
    await _note(base, entry, days_ago=1)
    with pytest.raises(DBAPIError, match="no such tenant"):
        await rows(base, "select delete_tenant()")
    with pytest.raises(DBAPIError, match="no such tenant"):
        await rows(base, "select delete_tenant()", 4711)


async def test_the_application_may_delete_nothing_by_itself(
    base: Services, two_tenants: tuple[Owner, int, int]
) -> None:
    _, entry, _ = two_tenants
    for table in ("subscriptions", "usage_ledger", "stripe_events", "deletion_deadlines", "audit_log"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await rows(base, f"delete from {table}", entry)


async def test_a_deletion_that_dies_has_deleted_nothing(
    base: Services, two_tenants: tuple[Owner, int, int]
) -> None:
    owner, entry, _ = two_tenants
    await _note(base, entry, days_ago=1)
    before = owner.counts(entry)
    with pytest.raises(RuntimeError, match="killed"):
        await _delete_and_die(base, entry)
    assert owner.counts(entry) == before


async def _delete_and_die(base: Services, organization_id: int) -> None:
    async with base.database.tenant(organization_id) as tenant:
        await Deadlines(tenant).delete_everything()
        raise RuntimeError("killed")
