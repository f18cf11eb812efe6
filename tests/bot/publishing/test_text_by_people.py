"""Texts, titles and states that people changed in the bot's comments and issues stay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.github.client import GitHubUnavailableError
from storage.post_states import Post, PostKind
from tests.support.publishing import PublishingHarness
from tests.support.running import query_as_administrator

TEXT = "### Sprint 12 · summary\n\nprovisional\n\n<sub>As of today</sub>"
CLOSED = {"title": "Summary: Sprint 12", "state": "closed", "state_reason": "not_planned"}


def summary(text: str = TEXT, **data: str) -> Post:
    return Post("summary:1", PostKind.ISSUE, text, data=CLOSED | data)


async def sent_issue(publishing: PublishingHarness, post: Post) -> dict[str, Any]:
    await publishing.set_desired(post)
    await publishing.send()
    issues = await publishing.bot.github.call("GET", f"/repos/{publishing.bot.repo}/issues?state=all")
    (issue,) = [issue for issue in issues if issue["user"]["type"] == "Bot"]
    return dict(issue)


async def again(publishing: PublishingHarness, post: Post, number: int) -> Mapping[str, Any]:
    await publishing.set_desired(post)
    await publishing.send()
    return await publishing.bot.github.issue(publishing.bot.repo, number)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n\nThe demo was great."),
        ("Thanks, all!\r\n\r\n", ""),
        ("First.\n\n", "\r\n\r\nLast.\r\n"),
    ],
)
async def test_a_paragraph_that_somebody_added_to_an_issue_stays(
    publishing: PublishingHarness,
    before: str,
    after: str,
) -> None:
    issue = await sent_issue(publishing, summary())
    body = f"{before}{issue['body']}{after}"
    await publishing.bot.github.update_issue(publishing.bot.repo, issue["number"], body=body)
    shown = await again(publishing, summary(TEXT.replace("provisional", "frozen")), issue["number"])

    assert shown["body"] == body.replace("provisional", "frozen")


async def test_a_paragraph_that_somebody_added_to_a_comment_stays(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    body = f"Look here:\n\n{comment['body']}\n\nThanks!"
    await publishing.bot.github.edit_comment(publishing.bot.repo, comment["id"], body)
    for text in ("Two", "Three"):
        await publishing.set_desired(publishing.comment(text))
        await publishing.send()

    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    assert comment["body"] == body.replace("One", "Three")


async def test_a_paragraph_above_the_invisible_marker_stays(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One\n\nlast line"))
    await publishing.send()
    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    body = comment["body"].replace("last line", "last line\r\n\r\nAnd thanks!")
    await publishing.bot.github.edit_comment(publishing.bot.repo, comment["id"], body)
    await publishing.set_desired(publishing.comment("Two"))
    await publishing.send()

    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    assert comment["body"].startswith("Two\n\n<!--")
    assert comment["body"].endswith("-->\n\nAnd thanks!")


async def test_where_somebody_wrote_something_else_instead_it_stays(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    await publishing.bot.github.edit_comment(publishing.bot.repo, comment["id"], "Mine now.")
    for text in ("Two", "Three"):
        await publishing.set_desired(publishing.comment(text))
        await publishing.send()

    comments = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    assert [comment["body"] for comment in comments] == ["Mine now."]


async def test_a_title_that_somebody_chose_stays_and_ours_follows_the_sprint(
    publishing: PublishingHarness,
) -> None:
    issue = await sent_issue(publishing, summary())
    shown = await again(publishing, summary(title="Summary: Sprint 12b"), issue["number"])
    assert shown["title"] == "Summary: Sprint 12b"
    await publishing.bot.github.update_issue(publishing.bot.repo, issue["number"], title="How we did")
    shown = await again(publishing, summary(title="Summary: Sprint 12c"), issue["number"])

    assert shown["title"] == "How we did"


async def test_an_issue_that_somebody_opened_again_is_not_closed_against_them(
    publishing: PublishingHarness,
) -> None:
    issue = await sent_issue(publishing, summary())
    assert issue["state"] == "closed"
    await publishing.bot.github.reopen_issue(publishing.bot.repo, issue["number"])
    shown = await again(publishing, summary("### Frozen"), issue["number"])

    assert shown["state"] == "open"
    assert shown["body"].startswith("### Frozen")


async def test_an_issue_is_opened_and_closed_as_its_sprint_is(publishing: PublishingHarness) -> None:
    open_one = Post("living:1", PostKind.ISSUE, "Day 1", data={"title": "Sprint 12: progress"})
    issue = await sent_issue(publishing, open_one)
    states = list[str]()
    for text, data in (("Ended", CLOSED), ("Goes on", {}), ("Ended again", CLOSED)):
        post = replace(open_one, body=text, data={**data, "title": "Sprint 12: progress"})
        states.append((await again(publishing, post, issue["number"]))["state"])

    assert states == ["closed", "open", "closed"]


async def test_only_our_part_is_truncated(publishing: PublishingHarness) -> None:
    await publishing.set_desired(publishing.comment("One"))
    await publishing.send()
    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    theirs = f"\n\n{'word ' * 10_000}end"
    await publishing.bot.github.edit_comment(publishing.bot.repo, comment["id"], comment["body"] + theirs)
    await publishing.set_desired(publishing.comment("a line\n" * 5_000))
    await publishing.send()

    (comment,) = await publishing.bot.github.comments(publishing.bot.repo, publishing.issue)
    assert comment["body"].endswith(theirs)
    assert comment["body"].startswith("a line\n")
    assert "The rest was cut" in comment["body"]
    assert len(comment["body"]) <= 65_536


async def test_words_added_to_an_answer_stay_when_it_is_asked_for_again(
    publishing: PublishingHarness,
) -> None:
    await publishing.bot.say(publishing.issue, "/sprint status")
    (comment,) = [comment for comment in await comments(publishing) if comment["user"]["type"] == "Bot"]
    await publishing.bot.github.edit_comment(
        publishing.bot.repo, comment["id"], f"{comment['body']}\n\nNoted."
    )
    await publishing.bot.say(publishing.issue, "/sprint status")

    (comment,) = [comment for comment in await comments(publishing) if comment["user"]["type"] == "Bot"]
    assert comment["body"].endswith("-->\n\nNoted.")
    assert comment["body"].count("<!-- agile-github-suite") == 1


async def test_words_stay_once_and_ours_too_where_the_answer_to_an_edit_was_lost_twice(
    publishing: PublishingHarness,
) -> None:
    """Each time GitHub has taken the edit, and the text moves on meanwhile."""
    await publishing.set_desired(publishing.comment("### One\n\nfirst words"))
    await publishing.send()
    (comment,) = await comments(publishing)
    body = f"Above.\n\n{comment['body']}\n\nBelow."
    await publishing.bot.github.edit_comment(publishing.bot.repo, comment["id"], body)
    for text in ("Entirely\n\nanother text", "A third\n\n- of items"):
        await publishing.set_desired(publishing.comment(text))
        publishing.bot.github.fail_next("PATCH", "/issues/comments/", 502, after_effect=True)
        with pytest.raises(GitHubUnavailableError):
            await publishing.send()
    await publishing.set_desired(publishing.comment("Last"))
    await publishing.send()

    (comment,) = await comments(publishing)
    assert comment["body"] == body.replace("### One\n\nfirst words", "Last")


@pytest.mark.parametrize("is_known", [True, False])
async def test_after_an_upgrade_title_and_state_stay_as_people_made_them(
    publishing: PublishingHarness,
    *,
    is_known: bool,
) -> None:
    """Whether GitHub took the last wish of the earlier version or not."""
    issue = await sent_issue(publishing, summary())
    body = f"Above.\n\n{issue['body']}"
    await publishing.bot.github.update_issue(
        publishing.bot.repo, issue["number"], body=body, title="How we did", state="open"
    )
    later = "" if is_known else ", wanted_at = sent_at + interval '1 second'"
    query_as_administrator(publishing.bot.base, f"update posts set sent_as = null, sent = 'another'{later}")
    for text in ("frozen", "judged"):
        shown = await again(publishing, summary(TEXT.replace("provisional", text)), issue["number"])
        assert (shown["title"], shown["state"]) == ("How we did", "open")
        assert shown["body"] == body.replace("provisional", text)


async def comments(publishing: PublishingHarness) -> list[dict[str, Any]]:
    return list(await publishing.bot.github.comments(publishing.bot.repo, publishing.issue))
