"""One tenant never sees another's data, and it is the database that sees to it."""

import base64
import json
import os
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from procrastinate.jobs import Status
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from bot.billing.signed_links import SignedLinkError, SignedLinks
from bot.services import Services
from bot.settings import encryption_keys
from bot.webhooks.delivery_writer import DeliveryWriter
from storage import schema
from storage.cipher import delivery_place
from storage.database import Database
from storage.deadlines import Deadlines
from storage.deliveries import Deliveries, ReceivedDelivery, StoredEvent, open_payload, receive_deliveries
from storage.embedded import EmbeddedServer
from storage.fair_jobs import FairJobManager, start_job
from storage.installations import Installations, SeenLogin
from storage.job_types import AnswerJob, ReconcileJob
from storage.jobs import Jobs, delete_ended_jobs
from storage.schema import COLUMN_GRANTS, GRANTS, SchemaError, check
from storage.tables import TENANT_TABLES
from tests.support.running import age_deadlines, query_as_administrator, rows

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


def delivery(account: int, guid: str) -> ReceivedDelivery:
    return ReceivedDelivery(
        guid, "issues", "opened", account + 1000, account, f"org-{account}", "Organization", 1, b"sealed"
    )


async def two_tenants(base: Services) -> tuple[int, int]:
    async with base.database.autocommit() as connection:
        await receive_deliveries(connection, [delivery(1, "of-one"), delivery(2, "of-two")], [b"1", b"2"])
    entry, two = await rows(base, "select * from all_tenants()")
    return entry[0], two[0]


async def test_every_table_keeps_tenants_apart(base: Services) -> None:
    result = await rows(
        base,
        "select relname, relrowsecurity, relforcerowsecurity, (select count(*) from pg_policy where polrelid = c.oid "
        "and pg_get_expr(polqual, polrelid) like '%app.tenant%') as policies "
        "from pg_class c where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
    )
    assert {row.relname for row in result} == NOT_OF_TENANTS | {"users"} | {
        table.name for table in TENANT_TABLES
    }
    for row in result:
        if row.relname not in NOT_OF_TENANTS:
            assert row.relrowsecurity, row.relname
            assert row.relforcerowsecurity, row.relname
            assert row.policies == 1, row.relname


async def test_keys_and_foreign_keys_begin_with_the_tenant(base: Services) -> None:
    result = await rows(
        base,
        "select conrelid::regclass::text as name, contype, pg_get_constraintdef(oid) as definition from pg_constraint "
        "where contype in ('p', 'f') and connamespace = 'public'::regnamespace",
    )
    for row in result:
        if (
            row.name not in NOT_OF_TENANTS | {"organizations", "users"}
            and "REFERENCES organizations" not in row.definition
            and "REFERENCES users" not in row.definition
        ):
            assert "KEY (organization_id, " in row.definition, row


async def test_a_forgotten_where_returns_nothing_of_others(base: Services) -> None:
    entry, two = await two_tenants(base)
    assert [row.delivery_id for row in await rows(base, "select * from github_events", entry)] == ["of-one"]
    assert [row.delivery_id for row in await rows(base, "select * from github_events", two)] == ["of-two"]
    assert [row.id for row in await rows(base, "select id from organizations", two)] == [two]


async def test_without_a_tenant_there_is_nothing_at_all(base: Services) -> None:
    await two_tenants(base)
    for table in TENANT_TABLES:
        assert await rows(base, f"select * from {table.name}") == []


async def test_a_transaction_leaves_no_tenant_behind_on_its_connection(base: Services) -> None:
    entry, _ = await two_tenants(base)
    for _ in range(12):  # More often than the pool has connections.
        assert await rows(base, "select * from github_events", entry)
        assert await rows(base, "select * from github_events") == []


@pytest.mark.parametrize(
    "attempt",
    [
        "update github_events set note = 'mine' where delivery_id = 'of-two'",
        "update organizations set settings = '{\"charts\": \"image\"}' where id <> current_setting('app.tenant')::bigint",
    ],
)
async def test_others_rows_cannot_be_changed(base: Services, attempt: str) -> None:
    entry, two = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        result = await tenant.connection.execute(text(attempt))
        assert result.rowcount == 0
    (row,) = await rows(base, "select note from github_events", two)
    assert row.note is None


async def test_rows_cannot_be_planted_with_others(base: Services) -> None:
    entry, two = await two_tenants(base)
    with pytest.raises(ProgrammingError, match="row-level security"):
        await rows(
            base,
            "insert into projects (organization_id, repository_node_id, name, named_at) values (:two, 'R', 'r', now())",
            entry,
            two=two,
        )


async def test_a_row_cannot_refer_to_a_row_of_others(base: Services) -> None:
    """PostgreSQL's own checks bypass policies; that the key holds the tenant is what stops it."""
    entry, two = await two_tenants(base)
    async with base.database.tenant(two) as tenant:
        insert = "insert into projects (organization_id, repository_node_id, name, named_at) values (:t, 'R', 'r', now())"
        project = await tenant.connection.scalar(text(f"{insert} returning id"), {"t": two})
    with pytest.raises(DBAPIError, match="foreign key"):
        await rows(
            base,
            "insert into sprints (organization_id, project_id, github_milestone_id, github_milestone_number) "
            "values (:organization, :project, 1, 1)",
            entry,
            organization=entry,
            project=project,
        )


async def test_the_history_can_only_grow(base: Services) -> None:
    entry, _ = await two_tenants(base)
    for attempt in ("update timeline set event = 'closed'", "delete from timeline", "truncate timeline"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await rows(base, attempt, entry)


async def test_the_application_cannot_call_what_makes_tenants(base: Services) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, "select tenant_of_account_or_new(1, 'x', 'User')")
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, "select assign_tenant(null)")


async def test_the_application_has_no_more_rights_than_listed(base: Services) -> None:
    result = await rows(
        base,
        "select table_name, string_agg(lower(privilege_type), ', ') as rights from information_schema.table_privileges "
        "where grantee = current_user and table_schema = 'public' group by 1",
    )
    assert {row.table_name: set(row.rights.split(", ")) for row in result} == {
        table: set(rights.split(", ")) for table, rights in GRANTS.items()
    }


async def test_rights_on_columns_are_those_listed_and_no_more(base: Services) -> None:
    result = await rows(
        base,
        "select table_name, lower(privilege_type) as right, array_agg(column_name::text) as columns "
        "from information_schema.column_privileges as mine where grantee = current_user "
        "and table_schema = 'public' and not exists (select from information_schema.table_privileges as whole "
        "where whole.grantee = current_user and whole.table_name = mine.table_name "
        "and whole.privilege_type = mine.privilege_type) group by 1, 2",
    )
    assert {(row.table_name, row.right): set(row.columns) for row in result} == {
        (table, right): set(columns.split(", "))
        for table, rights in COLUMN_GRANTS.items()
        for right, columns in rights.items()
    }


async def test_the_application_runs_no_function_of_the_owner_s_but_those_listed(base: Services) -> None:
    result = await rows(
        base,
        "select proname from pg_proc where prosecdef and has_function_privilege(oid, 'execute') "
        "and prorettype <> 'trigger'::regtype",
    )
    listed = {function.partition("(")[0] for function in (*schema._LOOK_UPS, *schema._QUEUE)}
    assert {row.proname for row in result} <= listed


async def _two_jobs(base: Services) -> tuple[int, int]:
    """Two tenants, each with a job that waits."""
    entry, two = await two_tenants(base)
    assert len(query_as_administrator(base, "select 1 from procrastinate_jobs where status = 'todo'")) == 2
    return entry, two


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from procrastinate_jobs",
        "select args from procrastinate_jobs",
        "select lock, queueing_lock from procrastinate_jobs",
        "select * from procrastinate_events",
        "select * from procrastinate_workers",
        "select * from procrastinate_periodic_defers",
        "delete from procrastinate_jobs",
        "delete from procrastinate_jobs where status = 'succeeded'",
        "delete from procrastinate_workers",
        "update procrastinate_jobs set status = 'succeeded'",
        "update procrastinate_jobs set args = '{}'",
        "insert into procrastinate_jobs (queue_name, task_name) values ('default', 'measure')",
        "truncate procrastinate_jobs cascade",
        "select worker_id from procrastinate_jobs",
        "select procrastinate_cancel_job_v1(1, true, true)",
        "select procrastinate_finish_job_v1(id, 'failed', true) from procrastinate_jobs",
        "select procrastinate_finish_job_v1(id, 'succeeded', false) from procrastinate_jobs",
        "select procrastinate_retry_job_v1(id, now(), 0, 'default', 'x') from procrastinate_jobs",
        "select procrastinate_retry_job_v2(id, now(), 0, 'default', 'x') from procrastinate_jobs",
        "select procrastinate_fetch_job_v2(null, 1)",
        "select nextval('procrastinate_jobs_id_seq')",
    ],
)
@pytest.mark.parametrize("is_tenant", [True, False], ids=["tenant", "nobody"])
async def test_jobs_of_others_are_neither_read_nor_changed(
    base: Services, attempt: str, is_tenant: bool
) -> None:
    entry, _ = await _two_jobs(base)
    before = query_as_administrator(base, "select * from procrastinate_jobs order by id")
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, attempt, entry if is_tenant else None)
    assert query_as_administrator(base, "select * from procrastinate_jobs order by id") == before


@pytest.mark.parametrize("status", ["todo", "failed", "succeeded"])
@pytest.mark.parametrize(
    "attempt",
    [
        "finish_running_job(id, 'failed', true)",
        "finish_running_job(id, 'succeeded', false)",
        "finish_running_job(id, 'aborted', false)",
        "retry_running_job(id, now())",
    ],
)
async def test_only_a_job_under_way_is_ended_or_put_back(base: Services, attempt: str, status: str) -> None:
    entry, _ = await _two_jobs(base)
    if status != "todo":
        query_as_administrator(base, "update procrastinate_jobs set status = 'doing'")
        query_as_administrator(base, f"update procrastinate_jobs set status = '{status}'")
    before = query_as_administrator(base, "select * from procrastinate_jobs order by id")
    with pytest.raises(DBAPIError, match="not under way"):
        await rows(base, f"select {attempt} from procrastinate_jobs", entry)
    with pytest.raises(DBAPIError, match="not under way"):
        await rows(base, f"select {attempt.replace('id', '4711', 1)}", entry)
    assert query_as_administrator(base, "select * from procrastinate_jobs order by id") == before


async def test_a_worker_ends_its_jobs_and_puts_them_back_as_they_are(base: Services) -> None:
    await _two_jobs(base)
    manager = FairJobManager(base.queue.connector, 8, base.clock)
    worker = await manager.register_worker()
    first, second = [await manager.fetch_job(None, worker) for _ in range(2)]
    assert first is not None
    assert second is not None
    await manager.finish_job(first, Status.SUCCEEDED, delete_job=False)
    with pytest.raises(ValueError, match="keeps its priority, queue and lock"):
        await manager.retry_job(second, lock="another")
    await manager.retry_job(second)
    jobs = query_as_administrator(
        base, "select status, attempts, lock, queue_name from procrastinate_jobs order by id"
    )
    assert [tuple(job) for job in jobs] == [
        ("succeeded", 1, first.lock, first.queue),
        ("todo", 1, second.lock, second.queue),
    ]


async def test_a_tenant_sees_of_the_queue_which_of_its_own_jobs_run(base: Services) -> None:
    entry, two = await two_tenants(base)
    jobs = Jobs()
    async with base.database.unscoped() as connection:
        await jobs.defer(connection, ReconcileJob(organization_id=two))
    query = "select * from running_tasks(array['reconcile', 'measure'])"
    assert await rows(base, query, entry) == []
    assert [row[0] for row in await rows(base, query, two)] == ["reconcile"]
    assert await rows(base, query) == []


async def test_a_worker_starts_only_jobs_of_the_transaction_s_tenant_whose_lock_is_free(
    base: Services,
) -> None:
    entry, two = await two_tenants(base)
    jobs = Jobs()
    query_as_administrator(base, "insert into procrastinate_workers default values")
    (worker,) = query_as_administrator(base, "select id from procrastinate_workers")
    first, second = (AnswerJob(organization_id=entry, event_id=n, thread="thread:1:1") for n in (1, 2))
    async with base.database.tenant(entry) as tenant:
        ids = await jobs.defer_all(tenant.connection, [(first, None), (second, None)])
    assert ids[0] is not None
    assert ids[1] is not None

    async def start(organization_id: int, job_id: int) -> bool:
        async with base.database.tenant(organization_id) as tenant:
            return await start_job(tenant, job_id, worker.id)

    assert not await start(two, ids[0])
    assert not await start(entry, ids[1])  # It waits behind the first.
    assert await start(entry, ids[0])
    assert not await start(entry, ids[0])
    assert not await start(entry, ids[1])  # The first runs.
    running = query_as_administrator(base, "select id from procrastinate_jobs where status = 'doing'")
    assert [job.id for job in running] == [ids[0]]


async def test_ended_jobs_go_a_few_at_a_time_and_others_stay(base: Services) -> None:
    query_as_administrator(
        base,
        "insert into procrastinate_jobs (queue_name, task_name) "
        "select 'default', 'measure' from generate_series(1, 10)",
    )
    jobs = query_as_administrator(base, "select id from procrastinate_jobs order by id")
    query_as_administrator(base, "update procrastinate_jobs set status = 'doing'")
    for count, status in ((5, "succeeded"), (2, "failed"), (1, "todo")):
        query_as_administrator(
            base,
            f"update procrastinate_jobs set status = '{status}' where id in "
            "(select id from procrastinate_jobs where status = 'doing' order by id limit :count)",
            count=count,
        )

    async def delete() -> list[int]:
        async with base.database.unscoped() as connection:
            await delete_ended_jobs(connection, timedelta(hours=1), 3)
        rest = query_as_administrator(base, "select id from procrastinate_jobs order by id")
        return [jobs.index(row) for row in rest]

    assert await delete() == [3, 4, 5, 6, 7, 8, 9]
    assert await delete() == [5, 6, 7, 8, 9]
    query_as_administrator(base, "update procrastinate_events set at = at - interval '2 hours'")
    assert await delete() == [7, 8, 9]


# People


async def meet(base: Services, tenant: int, people: dict[int, str]) -> None:
    async with base.database.tenant(tenant) as transaction:
        at = datetime.now(UTC)
        await Installations(transaction).record_people([SeenLogin(*person, at) for person in people.items()])


async def known_as(base: Services, tenant: int) -> dict[int, str]:
    query = "select github_id, login from users join organization_members on user_id = users.id"
    return {row.github_id: row.login for row in await rows(base, query, tenant)}


async def test_a_tenant_renames_nobody_for_another(base: Services) -> None:
    entry, two = await two_tenants(base)
    for tenant in (entry, two):
        await meet(base, tenant, {7: "octocat", 8: f"only-{tenant}"})
    await meet(base, entry, {7: "mallory", 9: "ghost"})
    await meet(base, entry, {7: "mallory-again"})

    assert await known_as(base, entry) == {7: "mallory-again", 8: f"only-{entry}", 9: "ghost"}
    assert await known_as(base, two) == {7: "octocat", 8: f"only-{two}"}
    names = query_as_administrator(base, "select github_username from users where github_id = 7")
    assert [row.github_username for row in names] == ["octocat"]


async def test_people_are_met_by_a_tenant_alone(base: Services) -> None:
    with pytest.raises(DBAPIError, match="people are met by a tenant"):
        await rows(base, """select meet_people('[{"github_id": 7, "login": "octocat"}]')""")
    assert query_as_administrator(base, "select 1 from users") == []


@pytest.mark.parametrize(
    "attempt",
    [
        "update users set github_username = 'mallory'",
        "insert into users (github_id, github_username) values (1, 'x')",
        "update organization_members set login = 'mallory'",
        "insert into organization_members (organization_id, user_id, login) values (1, 1, 'x')",
        "update organizations set github_account_id = 1",
        "update organizations set id = 99",
        "delete from organizations",
    ],
)
async def test_people_and_accounts_are_not_rewritten(base: Services, attempt: str) -> None:
    entry, _ = await two_tenants(base)
    await meet(base, entry, {7: "octocat"})
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, attempt, entry)


# Deletion

_LONG_AGO = "insert into deletion_deadlines (organization_id, cancelled_at, due_at, is_told) values (:me, '2020-01-01', '2020-02-01', true)"


async def test_a_tenant_does_not_delete_itself_by_a_deadline_of_its_own(base: Services) -> None:
    entry, _ = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        await tenant.connection.execute(text(_LONG_AGO), {"me": entry})
    with pytest.raises(DBAPIError, match="not to be deleted now"):
        await rows(base, "select delete_tenant()", entry)
    assert await rows(base, "select * from tenants_to_delete()") == []
    assert await rows(base, "select 1 from organizations", entry)


@pytest.mark.parametrize(
    "attempt",
    [
        (
            "insert into deletion_deadlines (organization_id, cancelled_at, due_at, is_told, noted_at) "
            "values (:me, '2020-01-01', '2020-02-01', true, '2020-01-01')"
        ),
        (
            "insert into deletion_deadlines (organization_id, cancelled_at, due_at, is_told, created_at) "
            "values (:me, '2020-01-01', '2020-02-01', true, '2020-01-01')"
        ),
        "update deletion_deadlines set noted_at = '2020-01-01'",
        "update deletion_deadlines set due_at = '2020-01-01'",
        "update deletion_deadlines set cancelled_at = '2020-01-01'",
        "delete from deletion_deadlines",
    ],
)
async def test_a_deadline_is_not_brought_forward(base: Services, attempt: str) -> None:
    entry, _ = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        await tenant.connection.execute(text(_LONG_AGO), {"me": entry})
    values = {"me": entry} if ":me" in attempt else {}
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, attempt, entry, **values)


async def test_a_withdrawn_deadline_that_counts_again_is_to_be_read_again(base: Services) -> None:
    entry, _ = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        await tenant.connection.execute(text(_LONG_AGO), {"me": entry})
        await Deadlines(tenant).withdraw(datetime.now(UTC), "bought again")
    age_deadlines(base)
    async with base.database.tenant(entry) as tenant:
        await tenant.connection.execute(text("update deletion_deadlines set withdrawn_at = null"))
    with pytest.raises(DBAPIError, match="not to be deleted now"):
        await rows(base, "select delete_tenant()", entry)
    age_deadlines(base)
    assert [row[0] for row in await rows(base, "select * from tenants_to_delete()")] == [entry]


async def test_withdrawing_the_later_deadline_brings_no_earlier_one_forward(base: Services) -> None:
    """The earlier one has passed and was noted long ago; what changes is that it counts."""
    entry, _ = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        await tenant.connection.execute(text(_LONG_AGO), {"me": entry})
        later = _LONG_AGO.replace("2020", "2999")
        await tenant.connection.execute(text(later), {"me": entry})
    age_deadlines(base)
    assert await rows(base, "select * from tenants_to_delete()") == []

    withdraw = (
        "update deletion_deadlines set withdrawn_at = '2020-01-01' where due_at > '2900-01-01' returning id"
    )
    await rows(base, withdraw, entry)

    assert await rows(base, "select * from tenants_to_delete()") == []
    with pytest.raises(DBAPIError, match="not to be deleted now"):
        await rows(base, "select delete_tenant()", entry)
    age_deadlines(base)
    assert [row[0] for row in await rows(base, "select * from tenants_to_delete()")] == [entry]


@pytest.mark.parametrize(
    "attempt",
    [
        "update installation_claims set installation = 1",
        "update installation_claims set account = 1, login = 'acme'",
        "update installation_claims set refused = 0",
        "update installation_claims set claimed_at = now()",
        "insert into installation_claims (organization_id, installation, account) values (1, 1, 1)",
        "update chart_files set project_id = 1",
        "update chart_files set shared_with = '{}'",
        "update chart_files set token = 'x'",
        "delete from chart_files",
    ],
)
async def test_whose_an_installation_or_a_picture_is_is_not_rewritten(base: Services, attempt: str) -> None:
    entry, _ = await two_tenants(base)
    with pytest.raises(ProgrammingError, match="permission denied"):
        await rows(base, attempt, entry)


# Payloads


async def _store(base: Services, account: int, guid: str, payload: bytes) -> None:
    received = replace(delivery(account, guid), payload=payload)
    await DeliveryWriter(base.database, base.cipher).store(received)


async def _events(base: Services, tenant: int) -> dict[str, StoredEvent]:
    async with base.database.tenant(tenant) as transaction:
        return {
            event.delivery: event for event in (await Deliveries(transaction).claim(10, base.clock())).events
        }


async def test_a_payload_opens_for_its_tenant_and_its_delivery_alone(base: Services) -> None:
    await _store(base, 1, "first", b"of one")
    await _store(base, 1, "second", b"of one too")
    await _store(base, 2, "first-of-two", b"of two")
    entry, two = [row[0] for row in await rows(base, "select * from all_tenants()")]
    mine, others = await _events(base, entry), await _events(base, two)
    assert open_payload(base.cipher, mine["first"]) == b"of one"
    assert open_payload(base.cipher, others["first-of-two"]) == b"of two"

    for stolen, place in (
        (mine["first"], mine["second"]),
        (mine["first"], others["first-of-two"]),
        (others["first-of-two"], mine["first"]),
    ):
        with pytest.raises(LookupError):
            open_payload(base.cipher, replace(place, payload=stolen.payload))
    with pytest.raises(LookupError):  # A whole row, with its delivery, under another tenant.
        open_payload(base.cipher, replace(mine["first"], account=others["first-of-two"].account))


async def test_a_payload_that_names_no_account_is_bound_to_the_installation_s(base: Services) -> None:
    installed = replace(delivery(1, "installed"), event="installation", action="created", payload=b"x")
    await DeliveryWriter(base.database, base.cipher).store(installed)
    nameless = replace(delivery(1, "nameless"), account=None, login=None, payload=b"nobody's name")
    await DeliveryWriter(base.database, base.cipher).store(nameless)
    ((entry,),) = await rows(base, "select * from all_tenants()")
    event = (await _events(base, entry))["nameless"]
    assert base.cipher.open(event.payload, delivery_place(1, "nameless")) == b"nobody's name"


async def test_secrets_of_earlier_versions_still_decrypt(base: Services) -> None:
    """Bound to nothing, because AES-GCM had no associated data then."""
    await _store(base, 1, "first", b"x")
    ((entry,),) = await rows(base, "select * from all_tenants()")
    event = (await _events(base, entry))["first"]
    nonce = os.urandom(12)
    key = base64.urlsafe_b64decode(encryption_keys(base.settings)[0])
    old = nonce + AESGCM(key).encrypt(nonce, zlib.compress(b"old"), None)
    assert open_payload(base.cipher, replace(event, payload=old)) == b"old"


async def test_a_payload_is_no_link_and_a_link_no_payload(base: Services) -> None:
    now = datetime.now(UTC)
    words = json.dumps({"for": "portal", "until": now.timestamp() + 60, "customer": "cus_1"}).encode()
    tickets = SignedLinks(base.cipher)
    for place in (delivery_place(1, "guid"), b""):
        forged = base64.urlsafe_b64encode(base.cipher.seal(words, place)).decode()
        with pytest.raises(SignedLinkError, match="invalid or incomplete"):
            tickets.read(forged, "portal", now)
    ticket = base64.urlsafe_b64decode(tickets.issue("portal", now, customer="cus_1") + "==")
    with pytest.raises(LookupError):
        base.cipher.open(ticket, delivery_place(1, "guid"), may_be_unbound=True)


# Rights


async def test_look_ups_have_a_fixed_search_path(base: Services) -> None:
    result = await rows(base, "select proname, proconfig from pg_proc where prosecdef")
    assert len(result) >= 6
    for row in result:
        assert "search_path=pg_catalog, public, pg_temp" in row.proconfig, row.proname


@pytest.mark.parametrize(
    ("role", "reason"), [("postgres", "a superuser"), ("agile_owner", "owner of the tables")]
)
async def test_work_is_refused_to_whom_policies_do_not_bind(
    server: EmbeddedServer, database_name: str, role: str, reason: str
) -> None:
    database = Database(server.address(role, database_name))
    async with database.unscoped() as connection:
        with pytest.raises(SchemaError, match=reason):
            await check(connection)
    await database.close()


async def test_counts_are_of_one_tenant(base: Services) -> None:
    entry, _ = await two_tenants(base)
    async with base.database.tenant(entry) as tenant:
        assert (await Deliveries(tenant).counts())["waiting"] == 1
