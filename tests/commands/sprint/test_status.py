"""`/sprint status`, from a person's comment to the bot's answer on GitHub."""

import pytest

from tests.support.builders import person
from tests.support.chart_links import find_chart_paths
from tests.support.repository_settings import replace_setting
from tests.support.running import Bot
from tests.support.sprints import day_from_today, make_sprint, use_private_repository


async def test_answers_with_a_card_and_a_picture(bot: Bot) -> None:
    number = await make_sprint(bot)

    comment = await bot.say(number, "/sprint status by:points")

    (answer,) = await bot.answers(number)
    assert "### Sprint 12 · day 5 of 14" in answer
    assert "**Goal:** Pay by card" in answer
    assert "**3 of 8 points done** (38 %)" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    pictures = list[bytes]()
    for path in find_chart_paths(answer):
        async with bot.session.get(f"{bot.url}{path}") as response:
            assert (response.status, response.content_type) == (200, "image/png")
            pictures.append(await response.read())
    assert pictures[0] != pictures[1]


# The chart


async def test_in_a_private_repository_the_chart_is_text_and_nothing_is_linked(bot: Bot) -> None:
    await use_private_repository(bot)
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status")

    (answer,) = await bot.answers(number)
    assert "```mermaid" in answer
    assert "](" not in answer
    assert "http" not in answer


async def test_in_a_private_repository_a_setting_allows_the_picture(bot: Bot) -> None:
    await use_private_repository(bot)
    number = await make_sprint(bot)
    await replace_setting(bot, "charts", "image")
    await bot.say(number, "/sprint status")

    (answer,) = await bot.answers(number)
    assert "```mermaid" not in answer
    assert "/charts/" in answer


# What it says


async def test_the_day_before_the_start_is_said_so(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint status as-of:{day_from_today(-5)} new:yes")

    (answer,) = await bot.answers(number)
    assert "· starts in 1 day · as of " in answer
    assert "Nothing was in it yet on " in answer
    assert "/sprint add" not in answer
    assert "due date" not in answer
    assert "according to today's settings" in answer


async def test_who_asks_for_items_is_not_given_a_reason_for_items(bot: Bot) -> None:
    number = await make_sprint(bot)
    for name in ("One", "Two", "Three"):
        issue = await bot.github.create_issue(bot.repo, name)
        await bot.github.update_issue(bot.repo, issue["number"], milestone=1)
    await bot.rest()
    await bot.say(number, "/sprint status new:yes")
    await bot.say(number, "/sprint status by:count new:yes")

    unasked, asked = await bot.answers(number)
    assert "More than 30 % of its items have no estimate, so this card counts items." in unasked
    assert "this card counts items" not in asked


# Asked again


async def test_asked_again_the_same_comment_is_edited(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status by:points")
    await bot.github.close_issue(bot.repo, number)
    await bot.say(number, "/sprint status by:points", as_user="bob")

    (answer,) = await bot.answers(number)
    assert "**8 of 8 points done, 1 item without an estimate is open**" in answer


async def test_asked_for_a_new_one_the_earlier_stays(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status")
    await bot.say(number, "/sprint status new:yes")
    await bot.say(number, "/sprint status new:yes")

    assert len(await bot.answers(number)) == 3


async def test_an_edited_comment_runs_only_what_it_added(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint status new:yes")
    await bot.github.edit_comment(bot.repo, comment["id"], "Well:\n\n/sprint status new:yes")
    await bot.rest()
    assert len(await bot.answers(number)) == 1

    edited = "/sprint status new:yes\n/sprint status by:count new:yes"
    await bot.github.edit_comment(bot.repo, comment["id"], edited)
    await bot.rest()

    (_, second) = await bot.answers(number)
    assert "items done**" in second


async def test_each_thread_has_its_own_answer(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/sprint status")
    await bot.say(number + 2, "/sprint status")

    assert len(await bot.answers(number)) == len(await bot.answers(number + 2)) == 1


# Who asks


async def test_a_bots_comment_is_ignored(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "Just a word")
    await bot.github.send_webhook(
        "issue_comment",
        {
            "action": "created",
            "issue": await bot.github.issue(bot.repo, number),
            "comment": comment | {"body": "/sprint status"},
            "repository": bot.repository,
            "sender": person("other[bot]", "Bot"),
            "installation": {"id": bot.github.installation_id},
        },
    )
    await bot.rest()

    assert await bot.answers(number) == []
    assert bot.reactions(comment) == []


async def test_a_stranger_on_a_public_repository_is_refused_politely(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint status", as_user="mallory")

    (answer,) = await bot.answers(number)
    assert "`/sprint status` is for collaborators of this repository. Please ask a maintainer" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_who_may_read_may_ask(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint status", as_user="dave")

    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_foreign_words_are_met_with_silence(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/lgtm\n\n> /sprint status\n\n```\n/sprint status\n```")

    assert await bot.answers(number) == []
    assert bot.reactions(comment) == []


# Which sprint


async def test_a_milestone_without_due_date(bot: Bot) -> None:
    number = await make_sprint(bot, start=None, due=None)
    await bot.say(number, "/sprint status by:points")

    (answer,) = await bot.answers(number)
    assert "– no due date" in answer
    assert "Without a due date there is no ideal line" in answer


async def test_a_milestone_that_is_due_before_it_starts(bot: Bot) -> None:
    number = await make_sprint(bot, start=None, due=-2)
    comment = await bot.say(number, "/sprint status")

    (answer,) = await bot.answers(number)
    assert "This milestone is due on" in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_no_sprint_at_all_says_how_to_make_one(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "A lonely card")
    comment = await bot.say(issue["number"], "/sprint status")

    (answer,) = await bot.answers(issue["number"])
    assert "There is no sprint yet" in answer
    assert "/sprint start" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_by_name_in_any_case(bot: Bot) -> None:
    await make_sprint(bot, "Sprint 11", start=-30, due=-20)
    number = await make_sprint(bot, "Sprint 12")
    await bot.say(number, '/sprint status "SPRINT 11"')

    (answer,) = await bot.answers(number)
    assert answer.startswith("### Sprint 11 · ended")


async def test_an_unknown_name_is_answered_with_the_known_ones(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, '/sprint status "Sprint 99"')

    (answer,) = await bot.answers(number)
    assert "There is no milestone called “Sprint 99” here. The latest ones: “Sprint 12”." in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


async def test_names_in_an_error_mention_nobody_and_format_nothing(bot: Bot) -> None:
    number = await make_sprint(bot, "Sprint for @acme/everybody **now**")
    await bot.say(number, '/sprint status "@bob <b>"')

    (answer,) = await bot.answers(number)
    answer, copied, _ = answer.split("```", 2)  # In a block of code, GitHub mentions nobody.
    assert copied == 'text\n/sprint status "Sprint for @acme/everybody **now**"\n'
    assert "@acme" not in answer
    assert "@bob" not in answer
    assert "**now" not in answer
    assert "<b>" not in answer


# As of a day


async def test_as_of_a_day_that_has_passed(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint status by:points as-of:{day_from_today(-1)}")

    (answer,) = await bot.answers(number)
    assert "· day 4 of 14" in answer
    assert "Nothing was in it yet on " in answer


async def test_as_of_today_is_now(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/sprint status by:points as-of:{day_from_today(0)}")

    (answer,) = await bot.answers(number)
    assert "3 of 8 points done" in answer


async def test_as_of_a_day_to_come_is_refused(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, f"/sprint status as-of:{day_from_today(2)}")

    (answer,) = await bot.answers(number)
    assert "is in the future" in answer
    assert bot.reactions(comment) == ["eyes", "confused"]


@pytest.mark.parametrize("long_ago", ["0001-01-01", "1970-01-01"])
async def test_as_of_long_ago_is_answered(bot: Bot, long_ago: str) -> None:
    await make_sprint(bot)
    issue = await bot.github.create_issue(bot.repo, "In no milestone")
    await bot.say(issue["number"], f"/sprint status as-of:{long_ago}")

    (answer,) = await bot.answers(issue["number"])
    assert "Something went wrong" not in answer


# Where it is asked


async def test_on_a_closed_issue(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number + 1, "/sprint status")

    assert len(await bot.answers(number + 1)) == 1
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_several_commands_in_one_comment(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, "/sprint status\n/sprint statsu\n/sprint status by:hours")

    card, trouble = await bot.answers(number)
    assert card.startswith("### Sprint 12")
    assert "Did you mean `/sprint status`" in trouble
    assert "`by` must be `points` or `count`" in trouble
    assert bot.reactions(comment) == ["eyes", "confused"]
