"""Commands run with the permissions of their author, wherever they are typed."""

from typing import Any

import pytest

from tests.support.changes import query_database
from tests.support.running import Bot
from tests.support.sprints import make_sprint

STATUS = "/sprint status"
CLOSING = "/sprint close to:backlog confirm:yes"


async def review(bot: Bot, number: int, action: str = "submitted", **details: Any) -> None:
    await bot.github.trigger("pull_request_review", action, bot.repo, number=number, **details)
    await bot.rest()


async def pull_request(bot: Bot, body: str = "Mine", as_user: str = "carol") -> int:
    pull = await bot.github.open_pull_request(bot.repo, "A change", body=body, as_user=as_user)
    await bot.rest()
    return int(pull["number"])


async def is_silent(bot: Bot, number: int) -> bool:
    """Whether nothing came of it: no answer, no reaction, no change."""
    reactions = bot.github.reactions_to(bot.repo, f"issues/{number}")
    reactions += [
        reaction for comment in await bot.github.comments(bot.repo, number)
        for reaction in bot.github.reactions(bot.repo, comment["id"])
    ]  # fmt: skip
    milestones = await bot.github.call("GET", f"/repos/{bot.repo}/milestones?state=all")
    is_open = all(milestone["state"] == "open" for milestone in milestones)
    audited = await query_database(bot, "select 1 from audit_log")
    return is_open and not audited and not reactions and not await bot.answers(number)


# Somebody else's


@pytest.mark.parametrize("text", [CLOSING, "/agile roles grant @mallory admin", STATUS])
async def test_a_transfer_runs_nothing_of_what_a_stranger_wrote(bot: Bot, text: str) -> None:
    await make_sprint(bot)
    other = await bot.github.create_repository(name=f"{bot.repo.partition('/')[2]}-inbox")
    issue = await bot.github.create_issue(other["full_name"], "Help", body=text, as_user="mallory")
    await bot.rest()
    deliveries = await bot.github.trigger(
        "issues", "transferred", other["full_name"], number=issue["number"], to=bot.repo
    )
    await bot.rest()

    arrived = deliveries[-1].payload
    assert (arrived["action"], arrived["issue"]["user"]["login"]) == ("opened", "mallory")
    assert arrived["sender"]["login"] == "alice"
    assert await is_silent(bot, arrived["issue"]["number"])


@pytest.mark.parametrize("editor", ["alice", "bob"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("Well.", CLOSING), (CLOSING, CLOSING.replace(" ", "  ")), (CLOSING, f"{CLOSING}\n\n{CLOSING} ")],
    ids=["added", "blanks", "doubled"],
)
async def test_an_edit_of_another_s_comment_runs_nothing(
    bot: Bot, editor: str, before: str, after: str
) -> None:
    number = await make_sprint(bot)
    async with bot.github.muted():
        comment = await bot.github.comment(bot.repo, number, before, as_user="mallory")
    await bot.github.edit_comment(bot.repo, comment["id"], after, as_user=editor)
    await bot.rest()

    assert await is_silent(bot, number)


async def test_an_edit_of_another_s_issue_or_review_runs_nothing(bot: Bot) -> None:
    await make_sprint(bot)
    issue = await bot.github.create_issue(bot.repo, "Help", body="Please", as_user="mallory")
    pull = await pull_request(bot, as_user="mallory")
    for number in (issue["number"], pull):
        await bot.github.call("PATCH", f"/repos/{bot.repo}/issues/{number}", {"body": CLOSING})
    await review(bot, pull, "edited", body=CLOSING, before="Well.", author="mallory")

    assert await is_silent(bot, issue["number"])
    assert await is_silent(bot, pull)


# Where people type


async def test_the_summary_of_a_review_is_heard_and_answered_in_the_conversation(bot: Bot) -> None:
    await make_sprint(bot)
    number = await pull_request(bot)
    await review(bot, number, state="commented", body=None)
    await review(bot, number, state="approved", body="LGTM")
    assert await is_silent(bot, number)
    await review(bot, number, state="approved", body=f"LGTM\n\n{STATUS}", as_user="bob")

    (answer,) = await bot.answers(number)
    assert "### Sprint 12" in answer
    assert bot.github.reactions_to(bot.repo, f"issues/{number}") == []


async def test_a_command_added_to_a_review_is_heard_once(bot: Bot) -> None:
    await make_sprint(bot)
    number = await pull_request(bot)
    await review(bot, number, "edited", body=f"LGTM!\n\n{STATUS}", before=f"LGTM\n\n{STATUS}")
    assert await is_silent(bot, number)
    await review(bot, number, "edited", body=f"LGTM\n\n{STATUS}", before="LGTM")
    assert len(await bot.answers(number)) == 1


async def test_what_a_reviewer_may_not_is_refused_in_words(bot: Bot) -> None:
    await make_sprint(bot)
    number = await pull_request(bot)
    await review(bot, number, body=CLOSING, as_user="dave")

    (answer,) = await bot.answers(number)
    assert "`/sprint close` needs the maintain role; yours is read." in answer


async def test_a_command_added_to_the_text_of_an_issue_is_heard(bot: Bot) -> None:
    number = await make_sprint(bot)
    issue = await bot.github.create_issue(bot.repo, "Help", body="Please", as_user="carol")
    await bot.rest()
    path = f"/repos/{bot.repo}/issues/{issue['number']}"
    await bot.github.call("PATCH", path, {"body": f"Please\n\n{STATUS}"}, as_user="carol")
    await bot.rest()
    assert len(await bot.answers(issue["number"])) == 1
    reactions = bot.github.reactions_to(bot.repo, f"issues/{issue['number']}")
    assert [reaction["content"] for reaction in reactions] == ["eyes", "+1"]

    # Neither a new title nor other words of the text give it again.
    await bot.github.call("PATCH", path, {"title": "Help!"}, as_user="carol")
    await bot.github.call("PATCH", path, {"body": f"Oh please\n\n{STATUS} \n"}, as_user="carol")
    await bot.say(number, "/sprint status new:yes")
    assert len(await bot.answers(issue["number"])) == 1
    replies = await query_database(bot, "select count(*) as times from outbox where kind = 'reply'")
    assert replies[0].times == 2


async def test_a_command_added_to_the_text_of_a_pull_request_is_heard(bot: Bot) -> None:
    await make_sprint(bot)
    number = await pull_request(bot)
    path = f"/repos/{bot.repo}/pulls/{number}"
    await bot.github.call("PATCH", path, {"body": f"Mine\n\n{STATUS}"}, as_user="carol")
    await bot.rest()

    assert len(await bot.answers(number)) == 1
    reactions = bot.github.reactions_to(bot.repo, f"issues/{number}")
    assert [reaction["content"] for reaction in reactions] == ["eyes", "+1"]
