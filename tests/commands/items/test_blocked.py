"""`/blocked`, from the comment to GitHub's own dependencies and the blocked clock."""

import re

import pytest

from tests.support.changes import query_database
from tests.support.items import list_blocking_issues, list_item_commands
from tests.support.running import Bot
from tests.support.sprints import make_sprint


async def test_github_knows_the_dependency_and_we_since_when(bot: Bot) -> None:
    number = await make_sprint(bot)
    comment = await bot.say(number, f"/blocked by:#{number + 2}", as_user="carol")

    (answer,) = await bot.answers(number)
    assert f"**#{number} is blocked** by #{number + 2}." in answer
    assert f"That ends when #{number + 2} is closed, or with `/unblocked`." in answer
    assert bot.reactions(comment) == ["eyes", "+1"]
    assert await list_blocking_issues(bot, number) == [number + 2]
    assert {event for event, _, _ in await list_item_commands(bot)} == {"blocked"}
    assert len({after["named"] for _, _, after in await list_item_commands(bot)}) == 1


async def test_a_reason_is_kept_and_needs_no_second_question(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/blocked by:#{number + 2} reason:"the API comes first"')

    (answer,) = await bot.answers(number)
    assert f"is blocked** by #{number + 2}: the API comes first." in answer
    assert "Do it" not in answer
    assert [after["reason"] for _, _, after in await list_item_commands(bot) if "reason" in after] == [
        "the API comes first"
    ]


async def test_a_reason_is_enough_where_there_is_no_issue(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/blocked reason:"no test account"')

    (answer,) = await bot.answers(number)
    assert f"**#{number} is blocked**: no test account. `/unblocked` ends that." in answer
    assert await list_blocking_issues(bot, number) == []
    assert [(event, after.get("named")) for event, _, after in await list_item_commands(bot)] == [
        ("blocked", None)
    ]


async def test_what_is_so_already_is_stated_and_not_done_again(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    entries = len(await query_database(bot, "select 1 from audit_log"))
    await bot.say(number, f"/blocked by:#{number + 2}")

    (answer,) = await bot.answers(number)
    assert "It has been blocked since today." in answer
    assert len(await query_database(bot, "select 1 from audit_log")) == entries


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/blocked", "What blocks it? Name an issue"),
        ("/blocked by:#{here}", "#{here} cannot be blocked by itself."),
        ("/blocked by:#{done}", "#{done} is closed, so nothing has to wait for it."),
        ("/blocked by:#999", "I have no record of #999 here."),
        ("/blocked by:other/repo#3", "`other/repo#3` is in another repository"),
        ("/blocked by:nine", "`by` must be issues or pull requests"),
    ],
)
async def test_invalid_input_is_refused_with_valid_examples(bot: Bot, text: str, why: str) -> None:
    number = await make_sprint(bot)
    numbers = {"here": number, "done": number + 1}
    comment = await bot.say(number, text.format(**numbers))

    (answer,) = await bot.answers(number)
    assert why.format(**numbers) in answer
    assert bot.reactions(comment) == ["eyes", "confused"]
    assert await list_item_commands(bot) == []


async def test_two_cannot_wait_for_each_other(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}")
    await bot.say(number + 2, f"/blocked by:#{number}")

    (answer,) = await bot.answers(number + 2)
    assert f"#{number} waits for #{number + 2} already, and two issues cannot wait for each other." in answer


async def test_pull_requests_have_no_dependencies_but_may_wait_for_something(bot: Bot) -> None:
    number = await make_sprint(bot)
    pull = (await bot.github.open_pull_request(bot.repo, "Cards"))["number"]
    await bot.rest()
    await bot.say(number, f"/blocked by:#{pull}")
    await bot.say(pull, f"/blocked by:#{number}")
    assert (
        f"#{pull} is a pull request, and GitHub only supports dependencies" in (await bot.answers(number))[0]
    )
    assert "Run the command in the issue that" in (await bot.answers(pull))[0]

    await bot.say(pull, '/blocked reason:"legal must agree"')
    assert any(f"**#{pull} is blocked**: legal must agree." in answer for answer in await bot.answers(pull))


async def test_readers_may_not_run_it(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f"/blocked by:#{number + 2}", as_user="dave")
    assert "`/blocked` needs the triage role; yours is read." in (await bot.answers(number))[0]
    assert await list_blocking_issues(bot, number) == []


async def test_what_was_said_of_an_issue_goes_when_it_is_deleted(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/blocked reason:"waits for a supplier"')
    issue = await bot.github.issue(bot.repo, number)
    deleted = issue | {"updated_at": "2030-01-01T00:00:00Z"}
    payload = {"action": "deleted", "issue": deleted, "repository": bot.repository}
    hook = {"sender": issue["user"], "installation": {"id": bot.github.installation_id}}
    await bot.github.send_webhook("issues", payload | hook)
    await bot.rest()

    kept = await query_database(bot, "select 1 from timeline where after::text like '%supplier%'")
    assert kept == []
    assert await query_database(bot, "select 1 from timeline where event = 'blocked'")


async def test_the_same_reason_said_twice_is_recorded_once(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, '/blocked reason:"no account"')
    await bot.say(number, '/blocked reason:"no account"')

    assert "It has been blocked since today." in (await bot.answers(number))[-1]
    assert len(await list_item_commands(bot)) == 1


async def test_an_issue_within_the_reason_is_said_not_to_be_linked(bot: Bot) -> None:
    number = await make_sprint(bot)
    await bot.say(number, f'/blocked reason:"the bank, see #{number + 2}"')

    (answer,) = await bot.answers(number)
    assert f"I read this as a reason, so #{number + 2} is not linked. To link it: " in answer
    (offered,) = re.findall(r"To link it: `([^`]+)`", answer)
    assert await list_blocking_issues(bot, number) == []
    await bot.say(number, offered)
    assert await list_blocking_issues(bot, number) == [number + 2]
    assert "not linked" not in (await bot.answers(number))[-1]
