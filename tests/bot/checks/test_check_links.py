"""Links between pull requests and issues, from the text and from GitHub's own list, in the check."""

import re
from typing import Any

import pytest

from tests.support.checks import (
    button_identifiers,
    deliver_pull_request_event,
    find_check,
    get_sprint_number,
    open_pull_request,
    press_button,
    run_check_job,
)
from tests.support.repository_settings import push_settings_file, set_setting
from tests.support.running import Bot, wait_until
from tests.support.sprints import day_from_today, make_sprint

Json = dict[str, Any]


def set_links(bot: Bot, pull: Json, *issues: int) -> None:
    """Somebody links issues in the sidebar of a pull request, or takes links away; no webhook tells."""
    repository = bot.github.history.repository(bot.repo)
    assert repository
    repository.items[pull["number"]].linked = set(issues)


async def rerun(bot: Bot, head: str) -> None:
    run = await find_check(bot, head)
    await bot.github.call("POST", f"/repos/{bot.repo}/check-runs/{run['id']}/rerequest")
    await bot.rest()


async def scope(bot: Bot, number: int) -> str:
    """What the sprint holds, as the command tells it."""
    before = await bot.answers(number)
    await bot.say(number, "/sprint status new:yes")
    (answer,) = [answer for answer in await bot.answers(number) if answer not in before]
    return re.sub(r".*\*\*(\d+ of \d+ \w+) done\*\*.*", r"\1", answer, flags=re.DOTALL)


UNFOLLOWED = {
    "HTML comment": "<!-- Closes #{} -->",
    "code": "Write `Closes #{}` into it.",
    "fence": "~~~\nCloses #{}\n~~~",
    "indented": "So:\n\n    Closes #{}",
    "quotation": "> Closes #{}",
    "HTML code": "<pre>\nCloses #{}\n</pre>",
    "long": "A template of many words. " * 60 + "\n\n<!-- Closes #{} -->",
}


@pytest.mark.parametrize("body", UNFOLLOWED.values(), ids=UNFOLLOWED)
async def test_words_that_github_does_not_follow_link_nothing(bot: Bot, body: str) -> None:
    """The pull request is an item of its own right."""
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=body.format(number))
    await bot.github.update_issue(bot.repo, pull["number"], milestone=await get_sprint_number(bot))
    await bot.rest()

    assert (await find_check(bot, pull["head"]["sha"]))["output"]["title"].startswith("Part of the sprint")
    assert await scope(bot, number) == "1 of 4 items"


async def test_words_in_a_long_description_are_followed(bot: Bot) -> None:
    number = await make_sprint(bot)
    await set_setting(bot, "checks", "off")
    pull = await open_pull_request(bot, body="A template of many words. " * 60 + f"\n\n- fixes: #{number}")
    await bot.github.update_issue(bot.repo, pull["number"], milestone=await get_sprint_number(bot))
    await bot.rest()

    assert await scope(bot, number) == "1 of 3 items"


async def test_a_link_that_is_taken_away_in_the_sidebar_is_gone_with_the_next_check(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\n")
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    set_links(bot, pull, number)
    await rerun(bot, head)
    assert (await find_check(bot, head))["conclusion"] == "success"

    set_links(bot, pull)
    await rerun(bot, head)
    run = await find_check(bot, head)
    assert (run["output"]["title"], run["conclusion"]) == (
        "Unplanned: closes no item of Sprint 12",
        "failure",
    )


async def test_the_checks_of_all_follow_links_that_nobody_told_of(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = await open_pull_request(bot)
    head = pull["head"]["sha"]
    set_links(bot, pull, number)
    await run_check_job(bot)
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}")

    await deliver_pull_request_event(bot, "labeled", pull)
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}")

    set_links(bot, pull)
    await run_check_job(bot)
    assert (await find_check(bot, head))["output"]["title"].startswith("Unplanned")


async def test_github_s_list_has_the_last_word_in_the_numbers_too(bot: Bot) -> None:
    """The words name an issue that GitHub does not list, and people linked another one."""
    number = await make_sprint(bot)
    pull = await open_pull_request(bot)
    await bot.github.update_issue(bot.repo, pull["number"], milestone=await get_sprint_number(bot))
    await bot.rest()
    assert await scope(bot, number) == "1 of 4 items"

    set_links(bot, pull, number)
    await rerun(bot, pull["head"]["sha"])
    assert await scope(bot, number) == "1 of 3 items"

    set_links(bot, pull)
    await rerun(bot, pull["head"]["sha"])
    assert await scope(bot, number) == "1 of 4 items"


async def test_words_whose_link_github_does_not_have_link_nothing(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await make_sprint(bot)

    async def graphql(*_: object, **__: object) -> Json:
        return {"repository": {"pullRequest": {"closingIssuesReferences": {"nodes": []}}}}

    monkeypatch.setattr("bot.github.client.Installation.graphql", graphql)
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    title = (await find_check(bot, pull["head"]["sha"]))["output"]["title"]
    assert title == f"Unplanned: mentions #{number} of Sprint 12 but does not close it"


async def test_the_link_button_writes_words_where_github_follows_them(bot: Bot) -> None:
    """Below a comment that is left open they would be part of it."""
    number = await make_sprint(bot)
    pull = await open_pull_request(bot, body=f"See #{number}.\n\n<!-- What did you test?")
    head = pull["head"]["sha"]
    await press_button(bot, head, f"link:{number}")

    body = (await bot.github.issue(bot.repo, pull["number"]))["body"]
    assert body == f"Closes #{number}\n\nSee #{number}.\n\n<!-- What did you test?"
    assert (await find_check(bot, head))["output"]["title"].startswith(f"Finishes #{number}:")


# A rule that can be met


async def test_towards_another_branch_the_text_says_what_it_works_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\n")
    pull = await bot.github.open_pull_request(
        bot.repo, "Card form", body=f"Closes #{number}", head="work", base="release"
    )
    await bot.rest()
    run = await find_check(bot, pull["head"]["sha"])
    assert run["conclusion"] == "success"
    assert run["output"]["title"] == f"Works on #{number} of Sprint 12 without closing it"
    assert (
        "It merges into `release`, and GitHub closes issues only when changes reach the default branch. The table shows the effect of closing it."
        in run["output"]["summary"]
    )
    assert "<sub></sub>" not in run["output"]["summary"]


async def test_towards_another_branch_the_advice_is_what_helps_there(bot: Bot) -> None:
    await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\n")
    pull = await bot.github.open_pull_request(bot.repo, "Card form", head="work", base="release")
    await bot.rest()
    run = await find_check(bot, pull["head"]["sha"])
    assert run["conclusion"] == "failure"
    assert "It merges into `release`, and GitHub closes issues only" in run["output"]["summary"]
    assert "`Closes #12` counts here" in run["output"]["summary"]

    await press_button(bot, pull["head"]["sha"], button_identifiers(run)[0])
    assert (await find_check(bot, pull["head"]["sha"]))["conclusion"] == "success"


async def test_an_item_of_a_sprint_that_has_just_ended_can_be_moved_on(bot: Bot) -> None:
    number = await make_sprint(bot)
    await push_settings_file(bot, "checks: {require_sprint_item: true}\n")
    first = await get_sprint_number(bot)
    following = await bot.github.create_milestone(
        bot.repo,
        "Sprint 13",
        due_on=f"{day_from_today(9)}T07:00:00Z",
        description=f"Start: {day_from_today(0)}",
    )
    await bot.github.update_milestone(bot.repo, first, state="closed")
    await bot.rest()
    pull = await open_pull_request(bot, body=f"Closes #{number}")
    head = pull["head"]["sha"]
    run = await find_check(bot, head)
    assert run["conclusion"] == "neutral"
    assert run["output"]["title"].startswith("Belongs to Sprint 12, which ended on ")
    assert f"#{number} is still in **Sprint 12**, which ended on" in run["output"]["summary"]
    assert "“Add to sprint” moves it to the current sprint" in run["output"]["summary"]
    assert "<sub></sub>" not in run["output"]["summary"]

    await press_button(bot, head, button_identifiers(run)[0])
    assert (await bot.github.issue(bot.repo, number))["milestone"]["number"] == following["number"]

    async def is_met() -> bool:
        # The events of the move may still be on their way from GitHub when the button is done.
        await bot.rest()
        return bool((await find_check(bot, head))["conclusion"] == "success")

    await wait_until(is_met)
