"""`/standup`: its words, and its way from the timeline to the thread."""

from commands.messages.standup import standup_text
from sprints.standup import build_standup
from sprints.work import RepositoryWork
from tests.support.builders import at
from tests.support.flow_cards import FlowCard, calendar, flows
from tests.support.repository_settings import replace_settings
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_it_tells_what_happened_and_what_waits(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards", as_user="bob"))["number"]
    await bot.say(number, "/start")
    await bot.say(number + 2, f'/blocked by:#{number} reason:"the form first"')
    comment = await bot.say(number, "/standup", as_user="dave")

    answer = (await bot.answers(number))[-1]
    assert "### Since " in answer
    assert f"**Done (1)**\n\n- #{number + 1} – 3 points" in answer
    assert f"**Started (2)**\n\n- #{number} – 5 points\n- #{pull}" in answer.replace(
        f"- #{pull}\n- #{number} – 5 points", f"- #{number} – 5 points\n- #{pull}"
    )
    assert f"- #{number + 2} – for less than an hour, by #{number} (the form first)" in answer
    assert f"**Waiting for review (1)**\n\n- #{pull} – for less than an hour" in answer
    assert "2 items are in progress." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]


async def test_a_review_by_another_person_ends_the_wait(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards", as_user="bob"))["number"]
    await bot.github.trigger(
        "pull_request_review", "submitted", bot.repo, as_user="bob", number=pull, state="commented"
    )
    await bot.say(number, "/standup")
    assert "Waiting for review (1)" in (await bot.answers(number))[0]

    await bot.github.trigger("pull_request_review", "submitted", bot.repo, number=pull, state="commented")
    await bot.say(number, "/standup")
    assert "Waiting for review" not in (await bot.answers(number))[0]


async def test_a_broken_limit_is_reported(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"wip": {"limit": 1}}')
    await bot.say(number, "/start")
    await bot.say(number + 2, "/start")
    await bot.say(number, "/standup")

    assert "**2 items are in progress, 1 over the limit of 1.**" in (await bot.answers(number))[-1]


async def test_a_quiet_day_is_stated_to_be_one(bot: Bot) -> None:
    issue = await bot.github.create_issue(bot.repo, "Card form")
    await bot.rest()
    await bot.say(issue["number"], "/standup")

    (answer,) = await bot.answers(issue["number"])
    assert "Nothing was done or started.\n\n0 items are in progress." in answer


async def test_strangers_are_refused_and_words_pointed_at(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, "/standup", as_user="mallory")
    assert "`/standup` is for collaborators" in (await bot.answers(number))[0]
    await bot.say(number, "/standup today")
    assert "This argument does not exist: `/standup 👉today👈`" in (await bot.answers(number))[-1]


async def test_it_lists_what_each_person_has_in_progress(bot: Bot) -> None:
    number = await make_sprint(bot)
    github, repo = bot.github, bot.repo
    await github.update_issue(repo, number, assignees=["carol"])
    await github.update_issue(repo, number + 2, assignees=["bob", "carol"])
    loose = (await github.create_issue(repo, "Icons"))["number"]
    pull = (await github.open_pull_request(repo, "Cards", as_user="bob"))["number"]
    await bot.rest()
    await bot.say(loose, "/start")
    await github.trigger("pull_request", "review_requested", repo, number=pull, reviewer="carol")
    await github.trigger("pull_request", "review_requested", repo, number=pull, team="payments")
    await bot.say(number, "/standup", as_user="dave")

    answer = (await bot.answers(number, has_titles=True))[-1]
    block = answer.partition("**In progress**\n\n")[2].partition("\n\n**Waiting")[0]
    web = f"{github.url}/{repo}/issues"
    first, third = f"[#{number} Card form]({web}/{number})", f"[#{number + 2} Refunds]({web}/{number + 2})"
    cards, icons = f"[#{pull} Cards]({web}/{pull})", f"[#{loose} Icons]({web}/{loose})"
    assert block == (
        f"`bob`\n\n- {third} – since today\n- {cards} – since today\n\n"
        f"`carol`\n\n- {first} – since today\n- {third} – since today\n"
        f"- to review: {cards} – asked since today\n\n"
        f"Unassigned\n\n- {icons} – since today"
    )


async def test_who_has_reviewed_is_asked_no_longer(bot: Bot) -> None:
    number = await make_sprint(bot)
    github, repo = bot.github, bot.repo
    pull = (await github.open_pull_request(repo, "Cards", as_user="bob"))["number"]
    await github.trigger("pull_request", "review_requested", repo, number=pull, reviewer="carol")
    await github.trigger("pull_request", "review_requested", repo, number=pull, reviewer="dave")
    await github.trigger("pull_request", "review_request_removed", repo, number=pull, reviewer="dave")
    await bot.say(number, "/standup")
    answer = (await bot.answers(number))[-1]
    assert f"`carol`\n\n- to review: #{pull} – asked since today" in answer
    assert "dave" not in answer

    await github.trigger(
        "pull_request_review", "submitted", repo, as_user="carol", number=pull, state="commented"
    )
    await bot.say(number, "/standup")
    assert "to review" not in (await bot.answers(number))[-1]


async def test_a_team_alone(bot: Bot) -> None:
    number = await make_sprint(bot)
    await replace_settings(bot, '{"teams": {"payments": {"people": ["carol"]}}}')
    await bot.github.update_issue(bot.repo, number, assignees=["carol"])
    await bot.github.update_issue(bot.repo, number + 2, assignees=["bob"])
    await bot.rest()
    await bot.say(number, "/standup team:@acme/Payments")
    answer = (await bot.answers(number))[-1]
    assert answer.startswith("### Since ")
    assert " · payments\n" in answer
    assert f"`carol`\n\n- #{number} – since today" in answer
    assert "bob" not in answer
    assert "1 item of team payments is in progress." in answer

    await bot.say(number, "/standup team:search")
    assert (
        "There is no team `search` in your settings. Your teams: `/standup team:payments`."
        in ((await bot.answers(number))[-1])
    )


def make_text(*cards: FlowCard, when: str = "11-23 10:30") -> str:
    result = flows(*cards, as_of=when).values()
    standup = build_standup(result, (), at(when), calendar())
    return standup_text(standup, (), RepositoryWork(tuple(result), at(when), calendar()))


def test_on_a_monday_it_looks_back_to_friday() -> None:
    assert make_text(FlowCard(1).opened("11-01")).startswith("### Since Fri 20 Nov\n")


def test_people_stand_in_the_order_of_their_names_and_bots_are_folded() -> None:
    text = make_text(
        FlowCard(1).opened("11-01").assigned("11-22", "zoe"),
        FlowCard(2).opened("11-01").assigned("11-19", "Zoe"),
        FlowCard(3).opened("11-01").assigned("11-20", "adam"),
        FlowCard(4).proposed("11-20", author="dependabot[bot]"),
    )

    block = text.partition("**In progress**\n\n")[2]
    assert block.startswith(
        "`adam`\n\n- #3 – 4 days\n\n`Zoe`\n\n- #2 – 5 days\n- #1 – 2 days\n\n"
        "<details>\n<summary>In progress by bots</summary>\n\n- #4 – 4 days\n\n</details>"
    )


def test_a_large_team_is_folded_and_a_very_large_one_bounded() -> None:
    cards = [FlowCard(n).opened("11-01").assigned("11-20", f"dev{n:03}") for n in range(1, 81)]
    text = make_text(
        *cards, *[FlowCard(100 + n).opened("11-01").assigned("11-20", "dev001") for n in range(9)]
    )

    head, _, folded = text.partition("<summary>68 more people</summary>")
    assert "`dev012`" in head
    assert "`dev013`" not in head
    assert "- and more, see `/aging`" in head
    assert "`dev052`" in folded
    assert "`dev053`" not in folded
    assert "and 28 more people" in folded
