"""What is compared with the application's clock, or shown, is dated by it and by no second one."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import DateTime

from bot.services import Services
from storage.deliveries import ReceivedDelivery, receive_deliveries
from storage.embedded import EmbeddedServer
from storage.tables import metadata
from tests.support.clock import Clock
from tests.support.running import rows

FAR_AWAY = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)

# Functions in which the database's own clock counts, and why.
_OWN_CLOCK = {
    "app_now": "the fallback where nobody has told a moment",
    "is_to_be_deleted": "a deadline of law, which the application's role must not be able to move",
    "restart_notice": "the same deadline",
    "stalled_jobs": "compares what the queue's own functions wrote",
    "delete_ended_jobs": "compares what the queue's own functions wrote",
}
# A column that the database dates by itself, and why.
_OWN_COLUMNS = {("deletion_deadlines", "noted_at"): "the same deadline"}


def delivery(guid: str = "guid-1") -> ReceivedDelivery:
    return ReceivedDelivery(guid, "installation", "created", 1, 1, "acme", "Organization", None, b"{}")


async def test_what_comes_in_is_dated_by_the_application(base: Services, clock: Clock) -> None:
    clock.now = FAR_AWAY
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [delivery()], [b"sealed"], base.database.now())

    (tenant,) = [row[0] for row in await rows(base, "select * from all_tenants()")]
    (event,) = await rows(base, "select created_at, due_at from github_events", tenant)
    (organization,) = await rows(base, "select created_at, updated_at from organizations", tenant)
    assert {*event, *organization} == {FAR_AWAY}


@pytest.mark.parametrize("table", [table.name for table in metadata.sorted_tables])
def test_no_column_is_dated_by_the_database(server: EmbeddedServer, database_name: str, table: str) -> None:
    defaults = {
        column.name: str(column.server_default.arg)  # type: ignore[attr-defined]
        for column in metadata.tables[table].columns
        if column.server_default is not None and isinstance(column.type, DateTime)
    }
    own = {column: default for column, default in defaults.items() if (table, column) in _OWN_COLUMNS}
    assert set(own.values()) <= {"now()"}
    assert {default for column, default in defaults.items() if column not in own} <= {"app_now()"}
    with psycopg.connect(server.address("postgres", database_name)) as connection:
        stored = connection.execute(
            "select column_name, column_default from information_schema.columns"
            " where table_name = %s and data_type like 'timestamp%%' and column_default is not null",
            (table,),
        ).fetchall()
    assert dict(stored) == defaults


def test_no_function_of_ours_asks_the_database_for_the_time(
    server: EmbeddedServer, database_name: str
) -> None:
    with psycopg.connect(server.address("postgres", database_name)) as connection:
        asking = connection.execute(
            "select proname from pg_proc where pronamespace = 'public'::regnamespace"
            r" and prosrc ~ '\y(now\(\)|clock_timestamp|current_timestamp|localtimestamp)'"
            " and proname not like 'procrastinate%'"
        ).fetchall()
    assert {name for (name,) in asking} == set(_OWN_CLOCK)


async def test_a_moment_ends_with_its_transaction(base: Services, clock: Clock) -> None:
    clock.now = FAR_AWAY
    assert (await rows(base, "select app_now()"))[0][0] == FAR_AWAY
    clock.now = FAR_AWAY + timedelta(days=1)
    assert (await rows(base, "select app_now()", 1))[0][0] == FAR_AWAY + timedelta(days=1)
