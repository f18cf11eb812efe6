"""Boxes and markers count only in texts that the App wrote."""

from dataclasses import replace
from typing import Any

import pytest

from github_standin.completion.authorship import APP
from storage.post_states import PostKind
from storage.posts import Posts
from tests.support.changes import box_line, have_milestones, query_database
from tests.support.items import list_sub_issues
from tests.support.publishing import PublishingHarness
from tests.support.running import Bot, wait_until
from tests.support.sprints import make_sprint

COMMENTS = r"/issues/\d+/comments$"
OTHER_APP = {**APP, "id": 99, "slug": "other"}


async def previewed(bot: Bot) -> tuple[int, str]:
    """Two items that would be taken out of their sprint, and the box that lets it be done."""
    number = await make_sprint(bot)
    await bot.say(number, f"/evacuate #{number} #{number + 2}")
    (answer,) = await bot.answers(number)
    return number, box_line(answer)


async def tick_in(bot: Bot, number: int, box: str, app: Any, user: dict[str, Any]) -> None:
    """An admin ticks the box in a comment of somebody, as GitHub tells of it."""
    async with bot.github.muted():
        comment = await bot.github.comment(bot.repo, number, box)
    await bot.rest()
    delivery = next(sent for sent in reversed(bot.github.deliveries) if sent.event == "issue_comment")
    ticked = {**comment, "body": box.replace("[ ]", "[x]"), "performed_via_github_app": app}
    payload = {**delivery.payload, "action": "edited", "changes": {"body": {"from": box}}}
    issue = await bot.github.issue(bot.repo, number)
    admin = issue["user"]
    payload |= {"issue": issue, "sender": admin, "comment": {**ticked, "user": admin | user}}
    await bot.deliver("issue_comment", payload)
    await bot.rest()


@pytest.mark.usefixtures("evacuate_command")
@pytest.mark.parametrize(
    ("app", "user"),
    [
        (OTHER_APP, {"login": "other[bot]", "type": "Bot", "id": 901}),
        (None, {"login": "other[bot]", "type": "Bot", "id": 901}),
        (None, {"login": "agile-github-suite-2[bot]", "type": "Bot", "id": 902}),
        (OTHER_APP, {"login": "agile-github-suite[bot]", "type": "Bot", "id": 903}),
        (None, {}),
        (APP, {}),
        (None, {"login": "mallory", "type": "User", "id": 904}),
    ],
    ids=["another App", "another bot", "a name like ours", "by another App", "own", "via ours", "a stranger"],
)
async def test_a_box_in_a_comment_of_anybody_else_is_no_box(
    bot: Bot, app: dict[str, Any] | None, user: dict[str, Any]
) -> None:
    number, box = await previewed(bot)
    await tick_in(bot, number, box, app, user)

    assert await have_milestones(bot, number, number + 2) == [True, True]
    assert len(await bot.answers(number)) == 1


@pytest.mark.usefixtures("evacuate_command")
@pytest.mark.parametrize("app", [APP, None], ids=["named", "unnamed"])
async def test_box_in_the_bots_comment_counts(bot: Bot, app: dict[str, Any] | None) -> None:
    number, box = await previewed(bot)
    await tick_in(bot, number, box, app, {"login": bot.github.bot_login, "type": "Bot", "id": 900})
    assert await have_milestones(bot, number, number + 2) == [False, False]


@pytest.mark.usefixtures("evacuate_command")
async def test_a_box_copied_into_another_thread_is_none(bot: Bot) -> None:
    number, box = await previewed(bot)
    await tick_in(bot, number + 1, box, APP, {"login": bot.github.bot_login, "type": "Bot", "id": 900})
    assert await have_milestones(bot, number, number + 2) == [True, True]
    assert await bot.answers(number + 1) == []


async def test_a_stranger_s_issue_with_our_marker_is_no_part_of_a_split(bot: Bot) -> None:
    number = await make_sprint(bot)
    for change in range(1, 6):
        markers = "\n".join(f"<!-- agile-github-suite:change:{change}/{n} -->" for n in (0, 1))
        await bot.github.create_issue(bot.repo, "Mine", body=markers, as_user="mallory")
    await bot.rest()
    await bot.say(number, '/split into:"Form fields","Check digits" confirm:yes')

    assert [part["title"] for part in await list_sub_issues(bot, number)] == ["Form fields", "Check digits"]
    assert {part["user"]["login"] for part in await list_sub_issues(bot, number)} == {bot.github.bot_login}


async def test_a_part_whose_opening_was_lost_is_not_opened_twice(bot: Bot) -> None:
    number = await make_sprint(bot)
    bot.github.fail_next("POST", f"/repos/{bot.repo}/issues$", 502, after_effect=True)
    await bot.say(number, '/split into:"Form fields","Check digits" confirm:yes')

    async def is_split() -> bool:
        return len(await list_sub_issues(bot, number)) == 2

    await wait_until(is_split)
    await bot.rest()
    issues = await bot.github.call("GET", f"/repos/{bot.repo}/issues?state=all")
    assert sorted(issue["title"] for issue in issues if issue["user"]["type"] == "Bot") == [
        "Check digits",
        "Form fields",
    ]


@pytest.mark.parametrize("is_copied", [False, True], ids=["guessed", "copied from ours"])
async def test_a_person_s_comment_with_our_marker_is_never_edited(bot: Bot, is_copied: bool) -> None:
    """The first attempt to answer fails; meanwhile somebody writes a comment that bears our marker."""
    number = await make_sprint(bot)
    bot.github.fail_next("POST", COMMENTS, 502, times=1, after_effect=is_copied)
    await bot.github.comment(bot.repo, number, "/sprint status")
    await bot.github.wait_for_webhooks()

    async def has_failed() -> bool:
        return any(call.status == 502 and bot.repo in call.path for call in bot.github.requests)

    await wait_until(has_failed)
    (row,) = await query_database(
        bot,
        "select e.delivery_id, o.position from outbox o join github_events e on e.id = o.event_id "
        "where o.kind = 'reply'",
    )
    marker = f"<!-- agile-github-suite:{row.delivery_id}/{row.position} -->"
    if is_copied:
        marker = (await bot.answers(number))[0].rpartition("\n\n")[2]
    await bot.github.comment(bot.repo, number, f"Mine\n\n{marker}", as_user="mallory")
    await bot.rest()

    async def is_answered() -> bool:
        return not await query_database(bot, "select 1 from outbox where sent_at is null")

    await wait_until(is_answered)
    await bot.say(number, "/sprint status")
    comments = await bot.github.comments(bot.repo, number)
    (mine,) = [comment["body"] for comment in comments if comment["user"]["login"] == "mallory"]
    assert mine == f"Mine\n\n{marker}"
    assert len(await bot.answers(number)) == 1


@pytest.mark.parametrize("kind", [PostKind.COMMENT, PostKind.ISSUE])
async def test_a_person_s_text_with_the_marker_of_a_post_is_never_taken_for_it(
    publishing: PublishingHarness,
    kind: PostKind,
) -> None:
    data = {"title": "Summary"} if kind is PostKind.ISSUE else {}
    await publishing.set_desired(replace(publishing.comment("One"), kind=kind, data=data))
    async with publishing.bot.base.database.tenant(publishing.tenant) as tenant:
        (wanted,) = await Posts(tenant).due({publishing.project})
        await Posts(tenant).begin_attempt(wanted)  # An attempt that died before it reached GitHub.
    marker = f"<!-- agile-github-suite:post:{wanted.id} -->"
    if kind is PostKind.COMMENT:
        await publishing.bot.github.comment(
            publishing.bot.repo, publishing.issue, f"Mine\n\n{marker}", as_user="mallory"
        )
    else:
        await publishing.bot.github.create_issue(publishing.bot.repo, "Mine", body=marker, as_user="mallory")
    await publishing.bot.rest()
    await publishing.send()

    if kind is PostKind.COMMENT:
        assert await publishing.read_thread() == ["One"]
    else:
        issues = await publishing.bot.github.call("GET", f"/repos/{publishing.bot.repo}/issues?state=all")
        assert {issue["title"]: issue["user"]["type"] for issue in issues} == {
            "A card": "User", "Mine": "User", "Summary": "Bot"
        }  # fmt: skip
