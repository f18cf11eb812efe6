"""How many statements recording and answers need: as many for many deliveries as for few."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.cli.serve import web_server
from bot.jobs.event_processor import EventProcessor
from bot.services import Services
from storage.jobs import Jobs
from tests.support.running import Bot, WebhookClient, rows
from tests.support.sprints import make_sprint
from tests.support.statements import recorded_statements
from tests.support.webhooks import ISSUE_OPENED


@pytest.fixture
async def webhook_client(base: Services) -> AsyncIterator[WebhookClient]:
    """The webhook endpoint without a worker."""
    async with web_server(base, "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        yield WebhookClient(session, f"http://127.0.0.1:{port}")


async def _record(base: Services, webhook_client: WebhookClient, count: int, start: int) -> int:
    """Record that a number of issues were opened. Returns the number of statements."""
    for number in range(start, start + count):
        issue = ISSUE_OPENED["issue"] | {"number": number, "node_id": f"I_{number}", "id": number}
        await webhook_client.deliver("issues", ISSUE_OPENED | {"issue": issue})
    with pytest.MonkeyPatch.context() as patch, recorded_statements(patch) as sent:
        processor = EventProcessor(base.database, base.cipher, Jobs(), base.clock)
        assert (await processor.process_pending(1)).deliveries == count
    return len(sent.statements)


async def test_many_deliveries_take_as_many_statements_as_few(
    base: Services, webhook_client: WebhookClient
) -> None:
    await _record(base, webhook_client, 1, 100)  # The first one stores the repository.
    few = await _record(base, webhook_client, 2, 200)
    assert await _record(base, webhook_client, 20, 300) == few
    # Set the tenant and wait for writers, claim, read repositories, record, queue, mark; as many again keep the
    # projections of the items.
    assert few <= 15


async def test_redraw_and_check_are_queued_by_one_statement(
    base: Services, webhook_client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await webhook_client.deliver("issues", ISSUE_OPENED)
    with recorded_statements(monkeypatch) as sent:
        await EventProcessor(base.database, base.cipher, Jobs(), base.clock).process_pending(1)
    assert len(sent.with_words("procrastinate")) + len(sent.with_words("defer_jobs")) == 1
    waiting = await rows(base, "select from procrastinate_jobs where task_name = 'run_later'")
    assert len(waiting) == 2


@pytest.mark.parametrize("command", ["/sprint status", "/forecast"])
async def test_an_answer_reads_milestones_labels_and_gaps_once(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    number = await make_sprint(bot)
    with recorded_statements(monkeypatch) as sent:
        await bot.say(number, command)
    # Before and after, comments are recorded.
    sent = sent.between("start_job", "INSERT INTO outbox")

    facts = "FROM timeline WHERE", "timeline.before"
    assert len(sent.with_words(*facts, value="label")) == 1
    # Besides, the items of the sprint are those with any fact but the milestone's own.
    milestones = [
        statement
        for statement in sent.with_words(*facts, value="milestone")
        if "timeline.item IN" not in statement.text
    ]
    assert len(milestones) == 1
    assert len(sent.with_words("FROM event_gaps")) == 1
    assert len(sent.with_words("organization_members.former_logins")) == 1


async def test_an_answer_is_stored_and_begun_by_one_transaction(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)
    with recorded_statements(monkeypatch) as sent:
        await bot.say(number, "/help")
    sent = sent.between("INSERT INTO outbox", "update outbox")
    assert sent.with_words("app.tenant") == []
