"""`/agile quiet`, `/agile pause` and `/agile resume`."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.projects import merge_setting_change
from tests.support.changes import tick_box
from tests.support.conversations import ask_bot, create_thread
from tests.support.repository_settings import load_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_a_thread_is_quiet_until_it_is_not(bot: Bot) -> None:
    number, other = await create_thread(bot), await create_thread(bot)
    assert "This thread is not quiet" in await ask_bot(bot, number, "/agile quiet", as_user="carol")
    answer = await ask_bot(bot, number, "/agile quiet on", as_user="carol")
    assert answer.startswith("This thread is **quiet**: I post here only to answer commands.")
    await bot.say(other, "/agile quiet on")
    assert (await load_settings(bot))["quiet"] == {str(number): "on", str(other): "on"}

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    answer = await ask_bot(bot, number, f"/agile quiet until:{tomorrow}")
    assert (
        "This thread is **quiet**: I post here only to answer commands. Automatic posts begin again" in answer
    )
    assert (await load_settings(bot))["quiet"] == {str(number): tomorrow, str(other): "on"}
    assert "This thread is not quiet" in await ask_bot(bot, number, "/agile quiet off")
    assert (await load_settings(bot))["quiet"] == {str(other): "on"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("until:2020-01-01", "`until:2020-01-01` is not in the future"),
        ("off until:2099-01-01", "`off` takes effect now"),
        ("loud", "`state` must be `on` or `off`"),
    ],
)
async def test_invalid_value_is_refused_with_a_reason(bot: Bot, typed: str, expected: str) -> None:
    number = await create_thread(bot)
    assert expected in await ask_bot(bot, number, f"/agile quiet {typed}")


async def test_who_may_not_make_it_quiet(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile quiet on", as_user="dave")
    assert "`/agile quiet` needs the triage role; yours is read." in answer


# Everywhere


async def test_paused_we_say_and_change_nothing_and_record_all(bot: Bot) -> None:
    number = await make_sprint(bot)
    assert (await ask_bot(bot, number, "/agile pause confirm:yes")).startswith("**Paused.**")
    before = await bot.answers(number)

    for typed in ("/sprint status", "/estimate 8", "/agile", "/agile nonsense", "/help"):
        comment = await bot.say(number, typed)
        assert bot.reactions(comment) == ["eyes"], typed
    assert await bot.answers(number) == before
    labels = [label["name"] for label in (await bot.github.issue(bot.repo, number))["labels"]]
    assert labels == ["points: 5"]
    await bot.github.close_issue(bot.repo, number)
    await bot.rest()

    refused = await bot.say(number, "/agile resume", as_user="bob")
    assert bot.reactions(refused) == ["eyes", "confused"]
    comment = await bot.say(number, "/estimate 13\n/agile resume")
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert (await bot.answers(number))[-1].startswith("**Resumed.**")
    status = await ask_bot(bot, number, "/sprint status by:points new:yes")
    assert "8 of 8 points done" in status


async def test_a_box_that_is_ticked_while_paused_does_nothing(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint close")
    await bot.say(number, "/agile pause confirm:yes")
    await tick_box(bot, number)

    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    assert [milestone["state"] for milestone in milestones] == ["open"]


async def test_resuming_what_runs_is_stated(bot: Bot) -> None:
    assert "I was not paused here." in await ask_bot(bot, await create_thread(bot), "/agile resume")


async def test_pausing_is_for_maintainers(bot: Bot) -> None:
    answer = await ask_bot(bot, await create_thread(bot), "/agile pause", as_user="bob")
    assert "`/agile pause` needs the maintain role; yours is write." in answer


# What several settle at once


@pytest.mark.parametrize(
    ("now", "before", "after", "expected"),
    [
        (None, None, {"7": "on"}, {"7": "on"}),
        ({"8": "on"}, None, {"7": "on"}, {"7": "on", "8": "on"}),
        ({"7": "on", "8": "on"}, {"7": "on"}, {}, {"8": "on"}),
        ({"7": "on", "8": "on"}, {"7": "on"}, {"7": "2026-12-01"}, {"7": "2026-12-01", "8": "on"}),
        ({"7": "off"}, {"7": "on", "9": "on"}, {"7": "on"}, {"7": "off"}),
        ({"7": "on"}, {"7": "on"}, None, None),
        ("UTC", None, "Asia/Tokyo", "Asia/Tokyo"),
        ([1], [1], [1, 2], [1, 2]),
    ],
)
def test_only_what_a_command_changed_is_changed(
    now: object, before: object, after: object, expected: object
) -> None:
    assert merge_setting_change(now, before, after) == expected


async def test_a_pause_of_the_whole_repository_is_shown_first(bot: Bot) -> None:
    number = await create_thread(bot)
    preview = await ask_bot(bot, number, "/agile pause")

    assert "I will no longer answer, post, or change anything in this repository" in preview
    assert "run `/agile resume`" in preview
    assert "- [ ]" in preview
    assert "**Paused.**" not in preview
    assert "not paused" in await ask_bot(bot, number, "/agile resume")  # It still answers.
