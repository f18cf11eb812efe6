"""`/my`: one's own work and nobody else's."""

from commands.messages.my import my_text
from commands.team.my import select_own_work
from sprints.reviews import list_review_waits
from sprints.work import RepositoryWork
from tests.support.builders import at
from tests.support.changes import query_database, tick_box
from tests.support.flow_cards import FlowCard, calendar, flows
from tests.support.running import Bot
from tests.support.sprints import make_sprint, use_private_repository

NOW = at("11-23 10:30")


def text(login: str, *cards: FlowCard) -> str:
    result = tuple(flows(*cards, as_of="11-23 10:30").values())
    waits = list_review_waits(result, (), NOW)
    return my_text(login, select_own_work(login, result, waits), RepositoryWork(result, NOW, calendar()))


async def test_it_tells_the_work_of_who_asks(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number, assignees=["carol"])
    await bot.github.update_issue(bot.repo, number + 2, assignees=["bob"])
    pull = (await bot.github.open_pull_request(bot.repo, "Cards", as_user="bob"))["number"]
    await bot.rest()
    comment = await bot.say(number, "/my confirm:yes", as_user="carol")

    (answer,) = await bot.answers(number)
    assert "### Open work of `carol`" in answer
    assert f"**In progress (1)**\n\n- #{number} – since today" in answer
    assert f"#{number + 2}" not in answer
    assert f"**Reviews waiting for someone (1)**\n\n- #{pull}" in answer
    assert "bob" not in answer
    assert "Everyone who can read this repository can read this answer." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await bot.answers(number + 2) == []


async def test_who_may_read_may_ask_for_their_own_and_strangers_may_not(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/my confirm:yes", as_user="dave")
    assert "Nothing here is assigned to you" in (await bot.answers(number))[0]
    await bot.say(number, "/my", as_user="mallory")
    assert "`/my` is for collaborators" in (await bot.answers(number))[-1]


async def test_in_public_it_is_posted_once_the_asker_agrees(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number, assignees=["carol"])
    await bot.rest()
    comment = await bot.say(number, "/my", as_user="carol")

    (answer,) = await bot.answers(number)
    assert answer.startswith(
        "### Post your open work here, `carol`?\n\nEveryone who can read this repository will see it"
    )
    assert "In progress" not in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert [row.done for row in await query_database(bot, "select done from changes")] == [""]

    await tick_box(bot, number, as_user="carol")
    (answer,) = await bot.answers(number)
    assert answer.startswith("### Open work of `carol`\n\nEveryone who can read this repository can read")
    assert f"- #{number} – since today" in answer
    assert [row.done for row in await query_database(bot, "select done from changes")] == [""]
    assert await query_database(bot, "select id from audit_log") == []


async def test_nobody_else_can_agree(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.github.update_issue(bot.repo, number + 2, assignees=["bob"])
    await bot.rest()
    await bot.say(number, "/my", as_user="carol")
    await tick_box(bot, number, as_user="bob")

    answers = await bot.answers(number)
    assert answers[0].startswith("### Post your open work here, `carol`?")
    assert any("Only `carol` can tick this box, because it shows their own work." in text for text in answers)
    assert not any("Open work of" in text for text in answers)


async def test_each_person_has_an_answer_of_their_own(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/my confirm:yes", as_user="carol")
    await bot.say(number, "/my confirm:yes", as_user="bob")

    first, second = await bot.answers(number)
    assert first.startswith("### Open work of `carol`")
    assert second.startswith("### Open work of `bob`")


async def test_in_private_it_says_who_can_read_it(bot: Bot) -> None:
    await use_private_repository(bot)
    number = await make_sprint(bot)
    await bot.say(number, "/my", as_user="alice")

    (answer,) = await bot.answers(number)
    assert answer.startswith(
        "### Open work of `alice`\n\nEveryone who can read this repository can read this answer.\n\n"
    )


async def test_it_tells_nobody_of_others(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/my @bob")
    assert "This argument does not exist: `/my 👉@bob👈`" in (await bot.answers(number))[0]


def test_each_item_stands_once_by_its_state_the_oldest_first() -> None:
    other = FlowCard(9).opened("11-01").assigned("11-01", "bob")
    cards = [
        FlowCard(1).opened("11-01").assigned("11-01", "Alice").started("11-20"),
        FlowCard(2)
        .opened("11-01")
        .assigned("11-01", "alice")
        .started("11-19")
        .blocked("11-21", other, "API"),
        FlowCard(3).opened("11-01").assigned("11-01", "alice").paused("11-21", "no *time*"),
        FlowCard(4).opened("11-01").assigned("11-01", "alice").closed("11-02"),
        FlowCard(5).proposed("11-21", author="alice"),
        other,
    ]
    assert text("alice", *cards).split("\n\n")[:8] == [
        "### Open work of `alice`",
        "Everyone who can read this repository can read this answer.",
        "**In progress (2)**",
        "- #2 – 5 days; blocked: by #9 (API)\n- #1 – 4 days",
        "**Paused (1)**",
        "- #3 – no \\*time\\*",
        "**Pull requests (1)**",
        "- #5 – has been waiting for a review for 2 days",
    ]


def test_ones_own_pull_requests_are_no_reviews_that_wait() -> None:
    mine, theirs = FlowCard(1).proposed("11-21", author="alice"), FlowCard(2).proposed("11-20", author="bob")
    data = text("alice", mine, theirs)

    assert "**Reviews waiting for someone (1)**\n\n- #2 – for 3 days" in data


def test_a_parent_that_its_parts_tell_is_left_out() -> None:
    parent = FlowCard(1).opened("11-01").assigned("11-02")
    part = FlowCard(2).opened("11-03").child_of("11-03", parent).assigned("11-04")
    data = text("alice", parent, part)

    assert "- #2 " in data
    assert "- #1" not in data


def test_a_start_without_a_date_is_at_least_so_long_ago() -> None:
    card = FlowCard(1).opened("11-01").assigned("11-02").commented("11-20").first_seen(2)
    assert "- #1 – at least 4 days" in text("alice", card)
