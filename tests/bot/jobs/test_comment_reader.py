"""Comments are parsed within a time limit, in a separate process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.jobs.comment_reader import CommentReader, read_request_within
from commands.dispatch import MOST_LINE
from commands.framework.parser import MOST_AT_ONCE, find_added_lines, find_command_lines, skim_long_texts
from handlers import ROUTES
from handlers.comment_commands import read_request
from handlers.delivery import CommandsFound, Delivery
from tests.support.hostile_comments import HOSTILE_COMMENTS, LONGEST_COMMENT
from tests.support.running import Bot, rows, wait_until
from tests.support.sprints import make_sprint
from tests.support.webhooks import ISSUE_OPENED

# What took longest: 3.2 s of CPU.
SLOWEST = "\n\n" + ">" * 20 + "|\n" * 32_500


def delivery_of(text: str, before: str | None = None) -> Delivery:
    comment = {"id": 9, "body": text, "user": {"id": 1, "login": "alice"}}
    payload = ISSUE_OPENED | {"action": "created", "comment": comment}
    if before is not None:
        payload |= {"action": "edited", "changes": {"body": {"from": before}}}
    body = json.dumps(payload).encode()
    return Delivery("d1", "issue_comment", payload["action"], body, datetime.now(UTC))


@pytest.fixture
async def reading() -> AsyncIterator[CommentReader]:
    reading = CommentReader()
    yield reading
    reading.close()


# The same answer, wherever it is read

PROSE = "Some *text* with `code` and a [link](x).\n" * 60
TEXTS = {
    "short": "/go",
    "long": f"{PROSE}\n/go\n\n> /quoted\n\n```\n/code\n```\n\n/stop",
    "long without any": PROSE,
    "long, all of it quoted": f"> {PROSE}/go",
    "long code": f"```\n{PROSE}/go\n```",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_the_same_commands_are_found_wherever_a_text_is_read(reading: CommentReader, text: str) -> None:
    request = await reading.read_request(1, delivery_of(text))

    assert request == read_request(delivery_of(text))
    assert list(request.lines) == find_command_lines(text)


async def test_a_long_edit_asks_only_for_what_it_added(reading: CommentReader) -> None:
    before = f"{PROSE}\n/go"

    request = await reading.read_request(1, delivery_of(f"{before}\n/stop", before))

    assert [line.text for line in request.lines] == ["/stop"]
    assert (await reading.read_request(1, delivery_of(before, before))).lines == ()


async def test_slow_comment_is_unreadable_and_the_next_is_parsed(reading: CommentReader) -> None:
    slow = await reading.read_request(1, delivery_of(f"/go{SLOWEST}"[:LONGEST_COMMENT]))

    assert (slow.is_unreadable, [line.text for line in slow.lines]) == (True, ["/go"])
    text = f"{PROSE}\n/go"
    assert await reading.read_request(1, delivery_of(text)) == read_request(delivery_of(text))


def test_the_limit_is_of_cpu_time() -> None:
    begun = time.process_time()

    assert read_request_within(0.2, delivery_of(f"/go{SLOWEST}"[:LONGEST_COMMENT])) is None
    assert time.process_time() - begun < 0.6
    # Nothing of the limit stays: what is read afterwards has all the time that it needs.
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert read_request_within(5, delivery_of("/go")) == read_request(delivery_of("/go"))


async def test_a_tenant_has_one_text_read_at_a_time(reading: CommentReader) -> None:
    """So another tenant waits for one of theirs, however many they have sent."""
    slow, quick = delivery_of(f"/go{SLOWEST}"[:LONGEST_COMMENT]), delivery_of(f"{PROSE}\n/go")
    order = list[int]()

    async def read(tenant: int, delivery: Delivery) -> None:
        await reading.read_request(tenant, delivery)
        order.append(tenant)

    await reading.read_request(1, quick)  # The process runs.
    six = [asyncio.create_task(read(1, slow)) for _ in range(4)]
    await asyncio.sleep(0)
    await asyncio.gather(read(2, quick), *six)

    assert order.index(2) <= 1


# What the loop does itself

_PATTERNS = {
    **HOSTILE_COMMENTS,
    "slowest": SLOWEST,
    "slashes": "/a b\n" * LONGEST_COMMENT,
    "ours": "/sprint status\n" * LONGEST_COMMENT,
    "misspelt": "/sprnt sttus\n" * LONGEST_COMMENT,
    "blanks in a command": "/estimate" + " " * 64_000 + "5",
    "tags that do not close": "<b>" * 10_000 + "</x>" * 8_000,
    "divs in paragraphs": "a<div>\n\n" * LONGEST_COMMENT,
}


@pytest.mark.parametrize("text", _PATTERNS.values(), ids=_PATTERNS)
def test_no_text_holds_who_records_it(text: str) -> None:
    """Half of what a callback may use, for the longest text that there can be."""
    delivery = delivery_of(f"/go\n\n{text}"[:LONGEST_COMMENT])
    begun = time.thread_time()

    with skim_long_texts():
        outcomes = [
            outcome for handler in ROUTES["issue_comment", "created"] for outcome in handler(delivery)
        ]

    assert time.thread_time() - begun < 0.1
    assert CommandsFound(7) in outcomes


@pytest.mark.parametrize("text", HOSTILE_COMMENTS.values(), ids=HOSTILE_COMMENTS)
def test_the_longest_text_that_is_read_at_once_takes_no_time(text: str) -> None:
    text = f"/go\n\n{text}"[:MOST_AT_ONCE]
    begun = time.thread_time()

    with skim_long_texts() as skim:
        result = find_added_lines(text, "")

    assert time.thread_time() - begun < 0.1
    assert not skim.is_inexact
    assert result[0].text == "/go"


def test_long_text_without_a_line_that_looks_like_a_command_asks_for_nothing() -> None:
    with skim_long_texts() as skim:
        assert find_added_lines(PROSE, "") == []
        assert find_added_lines(f"{PROSE}/go"[:-1], f"{PROSE}/go"[:-1]) == []
    assert not skim.is_inexact


# By the front door


ELSEWHERE = ISSUE_OPENED | {
    "repository": ISSUE_OPENED["repository"]
    | {"id": 600, "node_id": "R_600", "full_name": "globex/quick", "owner": {"id": 601, "login": "globex"}},
    "installation": {"id": 602},
}


async def test_six_comments_of_a_stranger_keep_nobody_waiting(bot: Bot) -> None:
    """Another tenant's event is recorded while the six comments wait for each other.

    That none of them holds a callback of the loop is what the watchdog of all tests checks.
    """
    number = await make_sprint(bot)
    installation = {"id": 602, "account": {"id": 601, "login": "globex", "type": "Organization"}}
    data = {"action": "created", "installation": installation, "sender": ISSUE_OPENED["sender"]}
    assert (await bot.deliver("installation", data))[0] == 202
    for _ in range(6):
        await bot.github.comment(
            bot.repo, number, f"/sprint status{SLOWEST}"[:LONGEST_COMMENT], as_user="mallory"
        )
    await bot.github.wait_for_webhooks()

    assert (await bot.deliver("issues", ELSEWHERE))[0] == 202
    (tenant,) = [row[0] for row in await rows(bot.base, "select * from all_tenants()")][-1:]
    query = "select 1 from timeline where item = 'I_7'"

    async def is_recorded() -> bool:
        return bool(await rows(bot.base, query, tenant))

    await wait_until(is_recorded)
    waiting = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"
    assert (await rows(bot.base, waiting))[0][0] > 0  # Six seconds of CPU time lie before them.
    await bot.rest()
    assert not await rows(bot.base, "select 1 from procrastinate_jobs where status = 'failed'")


async def test_slow_comment_with_a_command_gets_one_sentence(bot: Bot) -> None:
    number = await make_sprint(bot)

    comment = await bot.say(number, f"/sprint status{SLOWEST}"[:LONGEST_COMMENT])

    (answer,) = await bot.answers(number)
    assert answer.startswith("@alice: This comment's Markdown is too complex to read, so I ran nothing.")
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_slow_comment_without_commands_gets_no_answer(bot: Bot) -> None:
    number = await make_sprint(bot)

    comment = await bot.say(number, f"/usr/bin/python3 failed{SLOWEST}"[:LONGEST_COMMENT])

    assert await bot.answers(number) == []
    assert bot.reactions(comment) == []


async def test_a_long_comment_is_answered_as_ever(bot: Bot) -> None:
    number = await make_sprint(bot)

    await bot.say(number, f"{PROSE}\n/sprint status")

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 12")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/estimate" + " " * 64_000 + "5", "This line has 64,010 characters. A command can have up to 8,000."),
        ("/estimate" + " " * (MOST_LINE - 10) + "5", "5 points"),
        ("/sprint status\n" * 4_000, "This comment has 4,000 commands, so I ran none of them. Use up to 10 per comment."),
        # What is no command is compared with the names of all of them.
        ("/sprint x\n" * 6_500, "This comment has 6,500 commands, so I ran none of them. Use up to 10 per comment."),
        ("/agile abcd\n" * 5_400, "This comment has 5,400 commands, so I ran none of them. Use up to 10 per comment."),
        ("/sprint close x:1\n" * 3_600, "This comment has 3,600 commands, so I ran none of them. Use up to 10 per comment."),
        ("/sprint status nothing:" + "x" * 5_000, "…👈"),
        ('/sprint start "' + "x" * 5_000, "The closing quotation mark is missing"),
    ],
)  # fmt: skip
async def test_long_lines_and_many_lines_are_answered_in_few_words(bot: Bot, text: str, words: str) -> None:
    number = await make_sprint(bot)

    await bot.say(number, text)

    (answer,) = await bot.answers(number)
    assert words in answer
    assert len(answer) < 3_000
