"""Titles beside numbers in what is published, and whose titles never are."""

from tests.support.builders import at
from tests.support.clock import Clock
from tests.support.flow_cards import FlowCard
from tests.support.past import make_sprint_box, record_past
from tests.support.running import Bot
from tests.support.shared_sprints import plan_sprint, share_sprints
from tests.support.sprints import make_sprint, use_private_repository


async def ask_plan(bot: Bot, number: int) -> str:
    await bot.say(number, "/sprint plan new:yes")
    return (await bot.answers(number, has_titles=True))[-1]


async def test_a_list_names_items_by_number_and_title(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number, title="Card form @all | <b>")
    await bot.rest()

    answer = await ask_plan(bot, number)
    address = f"{bot.github.url}/{bot.repo}/issues/{number}"
    assert f"- [#{number} Card form @\u200ball \\| \\<b\\>]({address}) · 5 points" in answer


async def test_a_deleted_item_has_no_title_any_more(bot: Bot, clock: Clock) -> None:
    gone, number = 1001, 1002
    cards = [
        FlowCard(gone, "Card form").opened("11-01").joined("11-16 10:00", 7024).gone("11-17"),
        FlowCard(number, "Refunds").opened("11-01").joined("11-16 10:00", 7024),
    ]
    thread = await record_past(bot, clock, [make_sprint_box(at("2026-11-16"), 24)], cards)
    await bot.say(thread, "/sprint scope")

    (answer,) = await bot.answers(thread, has_titles=True)
    assert f" · #{gone} dropped" in answer
    assert f" · [#{number} Refunds](" in answer
    assert "Card form" not in answer


async def plan_shared_sprint(bot: Bot, other: str) -> int:
    (number,) = await plan_sprint(bot, bot.repo, "Sprint 12", ("Card form", "points: 5"))
    # Another number than the one here, so that neither passes for the other.
    await bot.github.create_issue(other, "Not in any sprint")
    await plan_sprint(bot, other, "Sprint 12", ("Secret plan", "points: 8"))
    await share_sprints(bot, bot.repo, other)
    return number


async def test_public_repositories_show_each_others_titles(bot: Bot) -> None:
    other = await bot.github.create_repository(name=f"{bot.repository['name']}-api")
    answer = await ask_plan(bot, await plan_shared_sprint(bot, str(other["full_name"])))

    assert f"- [{other['full_name']}#2 Secret plan]({bot.github.url}/{other['full_name']}/issues/2)" in answer
    assert " Card form](" in answer


async def test_a_private_repositorys_titles_stay_in_it(bot: Bot) -> None:
    await use_private_repository(bot)
    other = await bot.github.create_repository(name=f"{bot.repository['name']}-api", private=True)
    answer = await ask_plan(bot, await plan_shared_sprint(bot, str(other["full_name"])))

    assert f"- {other['full_name']}#2 · 8 points" in answer
    assert " Card form](" in answer
    assert "Secret" not in answer


async def test_a_public_thread_shows_nothing_of_a_private_repository(bot: Bot) -> None:
    other = await bot.github.create_repository(name=f"{bot.repository['name']}-secret", private=True)
    answer = await ask_plan(bot, await plan_shared_sprint(bot, str(other["full_name"])))

    assert " Card form](" in answer
    assert "Secret" not in answer
    assert str(other["full_name"]) not in answer
