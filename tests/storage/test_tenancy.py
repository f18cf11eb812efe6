"""One tenant never sees another's data, and it is the database that sees to it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from bot.services import Services
from storage.database import Database
from storage.deliveries import Deliveries, Received, receive
from storage.embedded import EmbeddedServer
from storage.schema import GRANTS, SchemaError, check
from storage.tables import TENANT_TABLES
from tests.running import rows

# Tables of the machinery: they hold ids and the schema's version, nothing of a tenant.
NOT_OF_TENANTS = {
    "clockwork",
    "calibration",
    "alembic_version",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
}


def delivery(account: int, guid: str) -> Received:
    return Received(
        guid, "issues", "opened", account + 1000, account, f"org-{account}", "Organization", 1, b"sealed"
    )


async def two_tenants(base: Services) -> tuple[int, int]:
    async with base.database.at_once() as connection:
        await receive(connection, [delivery(1, "of-one"), delivery(2, "of-two")], [b"1", b"2"])
    one, two = await rows(base, "select * from all_tenants()")
    return one[0], two[0]


async def test_every_table_keeps_tenants_apart(base: Services) -> None:
    found = await rows(
        base,
        "select relname, relrowsecurity, relforcerowsecurity, (select count(*) from pg_policy where polrelid = c.oid "
        "and pg_get_expr(polqual, polrelid) like '%app.tenant%') as policies "
        "from pg_class c where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
    )
    assert {row.relname for row in found} == NOT_OF_TENANTS | {"users"} | {
        table.name for table in TENANT_TABLES
    }
    for row in found:
        if row.relname not in NOT_OF_TENANTS:
            assert row.relrowsecurity, row.relname
            assert row.relforcerowsecurity, row.relname
            assert row.policies == 1, row.relname


async def test_keys_and_foreign_keys_begin_with_the_tenant(base: Services) -> None:
    found = await rows(
        base,
        "select conrelid::regclass::text as name, contype, pg_get_constraintdef(oid) as definition from pg_constraint "
        "where contype in ('p', 'f') and connamespace = 'public'::regnamespace",
    )
    for row in found:
        if (
            row.name not in NOT_OF_TENANTS | {"organizations", "users"}
            and "REFERENCES organizations" not in row.definition
            and "REFERENCES users" not in row.definition
        ):
            assert "KEY (organization_id, " in row.definition, row


async def test_a_forgotten_where_returns_nothing_of_others(base: Services) -> None:
    one, two = await two_tenants(base)
    assert [row.delivery_id for row in await rows(base, "select * from github_events", one)] == ["of-one"]
    assert [row.delivery_id for row in await rows(base, "select * from github_events", two)] == ["of-two"]
    assert [row.id for row in await rows(base, "select id from organizations", two)] == [two]


async def test_without_a_tenant_there_is_nothing_at_all(base: Services) -> None:
    await two_tenants(base)
    for table in TENANT_TABLES:
        assert await rows(base, f"select * from {table.name}") == []


async def test_a_transaction_leaves_no_tenant_behind_on_its_connection(base: Services) -> None:
    one, _ = await two_tenants(base)
    for _ in range(12):  # More often than the pool has connections.
        assert await rows(base, "select * from github_events", one)
        assert await rows(base, "select * from github_events") == []


@pytest.mark.parametrize(
    "attempt",
    [
        "update github_events set note = 'mine' where delivery_id = 'of-two'",
        "update organizations set settings = '{\"charts\": \"image\"}' where id <> current_setting('app.tenant')::bigint",
    ],
)
async def test_others_rows_cannot_be_changed(base: Services, attempt: str) -> None:
    one, two = await two_tenants(base)
    async with base.database.tenant(one) as tenant:
        result = await tenant.connection.execute(text(attempt))
        assert result.rowcount == 0
    (row,) = await rows(base, "select note from github_events", two)
    assert row.note is None


async def test_rows_cannot_be_planted_with_others(base: Services) -> None:
    one, two = await two_tenants(base)
    with pytest.raises(ProgrammingError, match="row-level security"):
        await rows(
            base,
            "insert into projects (organization_id, repository_node_id, name, named_at) values (:two, 'R', 'r', now())",
            one,
            two=two,
        )


async def test_a_row_cannot_refer_to_a_row_of_others(base: Services) -> None:
    """PostgreSQL's own checks bypass policies; that the key holds the tenant is what stops it."""
    one, two = await two_tenants(base)
    async with base.database.tenant(two) as tenant:
        insert = "insert into projects (organization_id, repository_node_id, name, named_at) values (:t, 'R', 'r', now())"
        project = await tenant.connection.scalar(text(f"{insert} returning id"), {"t": two})
    with pytest.raises(DBAPIError, match="foreign key"):
        await rows(
            base,
            "insert into sprints (organization_id, project_id, github_milestone_id, github_milestone_number) "
            "values (:one, :project, 1, 1)",
            one,
            one=one,
            project=project,
        )


async def test_the_history_can_only_grow(base: Services) -> None:
    one, _ = await two_tenants(base)
    for attempt in ("update timeline set event = 'closed'", "delete from timeline", "truncate timeline"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await rows(base, attempt, one)


async def test_the_application_cannot_call_what_makes_tenants(base: Services) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, "select tenant_of_account_or_new(1, 'x', 'User')")
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, "select assign_tenant(null)")


async def test_the_application_has_no_more_rights_than_listed(base: Services) -> None:
    found = await rows(
        base,
        "select table_name, string_agg(lower(privilege_type), ', ') as rights from information_schema.table_privileges "
        "where grantee = current_user and table_schema = 'public' group by 1",
    )
    assert {row.table_name: set(row.rights.split(", ")) for row in found} == {
        table: set(rights.split(", ")) for table, rights in GRANTS.items()
    }


async def test_look_ups_have_a_fixed_search_path(base: Services) -> None:
    found = await rows(base, "select proname, proconfig from pg_proc where prosecdef")
    assert len(found) >= 6
    for row in found:
        assert row.proconfig == ["search_path=pg_catalog, public, pg_temp"], row.proname


@pytest.mark.parametrize(
    ("role", "reason"), [("postgres", "a superuser"), ("agile_owner", "owner of the tables")]
)
async def test_work_is_refused_to_whom_policies_do_not_bind(
    server: EmbeddedServer, database_name: str, role: str, reason: str
) -> None:
    database = Database(server.address(role, database_name))
    async with database.nobody() as connection:
        with pytest.raises(SchemaError, match=reason):
            await check(connection)
    await database.close()


async def test_counts_are_of_one_tenant(base: Services) -> None:
    one, _ = await two_tenants(base)
    async with base.database.tenant(one) as tenant:
        assert (await Deliveries(tenant).counts())["waiting"] == 1
