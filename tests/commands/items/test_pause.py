"""`/pause`, and `/start` after it."""

from tests.support.items import list_item_commands
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_a_paused_item_is_not_in_progress_until_it_goes_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    await bot.say(number, '/pause reason:"waits for the design."')

    answers = await bot.answers(number)
    assert f"**#{number} is paused**: waits for the design. `/start` resumes it" in answers[1]
    assert "0 items are in progress." in answers[1]

    await bot.say(number, "/start")
    answers = await bot.answers(number)
    assert (
        f"**#{number} is in progress again.** It was paused since today, and its age counts since today."
        in answers[0]
    )
    assert "1 item is in progress." in answers[0]
    assert [(event, after.get("reason")) for event, _, after in await list_item_commands(bot)] == [
        ("started", None),
        ("paused", "waits for the design."),
        ("started", None),
    ]


async def test_what_was_never_started_cannot_rest(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/pause")

    (answer,) = await bot.answers(number)
    assert f"#{number} has not been started, so there is nothing to pause." in answer
    assert await list_item_commands(bot) == []


async def test_said_twice_it_is_reported_once(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    await bot.say(number, "/pause")
    await bot.say(number, "/pause")

    assert f"#{number} is already paused (since today)." in (await bot.answers(number))[1]
    assert len(await list_item_commands(bot)) == 2


async def test_what_a_reason_says_mentions_nobody(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start")
    await bot.say(number, '/pause reason:"ask @bob <!-- "')

    answer = (await bot.answers(number))[1]
    assert "ask @\u200bbob \\<!--" in answer


async def test_readers_may_not_run_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/pause", as_user="dave")
    assert "`/pause` needs the triage role; yours is read." in (await bot.answers(number))[0]


async def test_an_argument_that_it_does_not_know_is_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/pause until:tomorrow")
    assert "This argument does not exist: `/pause 👉until:tomorrow👈`" in (await bot.answers(number))[0]
