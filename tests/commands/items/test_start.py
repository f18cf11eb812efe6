"""`/start`, from a person's comment to the timeline, and what it says of limits."""

import pytest

from commands.framework.changes import Changes, MoveItem, RecordFact, SetBlocked, Step
from tests.support.changes import box_line, tick_box
from tests.support.conversations import ask_bot
from tests.support.items import list_item_commands
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_sprint


async def test_it_begins_and_the_timeline_knows_who_said_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/start", as_user="carol")

    (answer,) = await bot.answers(number)
    assert f"**#{number} is in progress.**" in answer
    assert "1 item is in progress." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert [(event, actor) for event, actor, _ in await list_item_commands(bot)] == [("started", "carol")]


async def test_the_limit_is_stated_and_how_far_it_is_exceeded(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"wip": {"limit": 1}}')
    await bot.say(number, "/start")
    assert "1 item is in progress; the limit is 1." in (await bot.answers(number))[0]
    await bot.say(number + 2, "/start")

    (answer,) = await bot.answers(number + 2)
    assert "**2 items are in progress, 1 over the limit of 1.**" in answer
    assert "Finish or `/pause` something before you start more." in answer


async def test_the_limit_of_a_team_is_stated_where_it_concerns_the_item(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(
        bot,
        '{"wip": {"teams": {"pay": 3, "ops": 3}}, "teams": {"pay": {"labels": ["points: 5"]},'
        ' "ops": {"labels": ["ops"]}}}',
    )
    await bot.say(number, "/start")

    (answer,) = await bot.answers(number)
    assert "1 item of team pay is in progress; the limit is 3." in answer
    assert "team ops" not in answer


async def test_said_twice_it_says_since_when_and_by_whom_and_records_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start", as_user="carol")
    answer = await ask_bot(bot, number, "/start new:yes")

    assert (
        f"#{number} has been in progress since today, by `/start` (`carol`). To set a different start"
        in answer
    )
    assert f"`/start since:{day_from_today(0)}`" in answer
    assert len(await list_item_commands(bot)) == 1


async def test_an_item_that_another_sign_started_keeps_its_age(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number, assignees=["bob"])
    await bot.rest()
    answer = await ask_bot(bot, number, "/start")

    assert f"#{number} has been in progress since today, by its first assignment (" in answer
    assert await list_item_commands(bot) == []


async def make_old_item(bot: Bot) -> int:
    """An open item that was opened 20 days ago."""
    issue = await bot.github.create_issue(bot.repo, "Old")
    bot.github.backdate(issue, created_at=f"{day_from_today(-20)}T08:00:00Z")
    issue = await bot.github.update_issue(bot.repo, issue["number"], title="Older")
    await bot.rest()
    return int(issue["number"])


async def test_another_start_needs_a_day_and_a_tick(bot: Bot) -> None:
    number = await make_old_item(bot)
    await bot.say(number, "/start")
    answer = await ask_bot(bot, number, f"/start since:{day_from_today(-6)}")
    assert answer.startswith(f"### Count #{number} as started on ")
    assert "has been in progress since today, by `/start` (`alice`). It would be in progress since" in answer
    assert box_line(answer)
    assert len(await list_item_commands(bot)) == 1

    await tick_box(bot, number)
    answer = (await bot.answers(number))[-1]
    assert f"**#{number} has been in progress since " in answer
    assert (
        " working days).** Until now, it counted as in progress since today, by `/start` (`alice`)." in answer
    )
    assert len(await list_item_commands(bot)) == 2
    answer = await ask_bot(bot, number, "/start new:yes")
    assert f"#{number} has been in progress since " in answer
    assert "since today" not in answer

    await bot.say(number, "/agile undo confirm:yes")
    assert "since today, by `/start`" in await ask_bot(bot, number, "/start new:yes")


@pytest.mark.parametrize(
    ("offset", "refusal"), [(3, "is in the future"), (-25, "so its work cannot have started before")]
)
async def test_a_start_that_cannot_be_is_refused(bot: Bot, offset: int, refusal: str) -> None:
    number = await make_old_item(bot)
    assert refusal in await ask_bot(bot, number, f"/start since:{day_from_today(offset)}")
    assert await list_item_commands(bot) == []


async def test_a_pull_request_is_in_progress_since_it_was_opened(bot: Bot) -> None:
    await make_sprint(bot)
    pull = await bot.github.open_pull_request(bot.repo, "Cards")
    await bot.rest()
    await bot.say(pull["number"], "/start")

    (answer,) = await bot.answers(pull["number"])
    assert (
        f"#{pull['number']} is a pull request: it is in progress since today, when it was opened." in answer
    )
    assert await list_item_commands(bot) == []


async def test_what_is_closed_is_not_started(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number + 1, "/start")

    (answer,) = await bot.answers(number + 1)
    assert f"#{number + 1} is closed. Reopen it first" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_readers_may_not_run_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start", as_user="dave")

    (answer,) = await bot.answers(number)
    assert "`/start` needs the triage role; yours is read." in answer
    assert await list_item_commands(bot) == []


async def test_arguments_are_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/start soon")

    (answer,) = await bot.answers(number)
    assert "This argument does not exist: `/start 👉soon👈`" in answer


# What is taken back, and what is shown first


@pytest.mark.parametrize(
    ("step", "undone"),
    [
        (RecordFact(1, "started"), RecordFact(1, "unstarted")),
        (RecordFact(1, "paused", "lunch"), RecordFact(1, "started")),
        (RecordFact(1, "blocked", "the API", 9), RecordFact(1, "unblocked", by=9)),
        (RecordFact(1, "unblocked", by=9), RecordFact(1, "blocked", by=9)),
        (RecordFact(1, "unstarted"), None),
    ],
)
def test_command_is_undone_by_its_opposite(step: RecordFact, undone: RecordFact | None) -> None:
    assert step.invert() == undone


@pytest.mark.parametrize(
    ("steps", "is_previewed"),
    [
        ((SetBlocked(1, 9), RecordFact(1, "blocked", "the API", 9)), False),
        ((SetBlocked(1, 9), RecordFact(2, "blocked")), True),
        ((MoveItem(1, 2, None),), False),
    ],
)
def test_several_steps_on_one_item_are_one_change(steps: tuple[Step, ...], is_previewed: bool) -> None:
    assert Changes("do it", steps, "Done.").is_previewed is is_previewed
