"""What people write into our comments and issues stays, and so does what they made of title and state."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.github.client import GitHubUnavailableError
from storage.posts import Post, PostKind
from tests.bot.publishing.test_posts import Desk, desk  # noqa: F401 - a fixture
from tests.support.running import as_administrator

TEXT = "### Sprint 12 · summary\n\nprovisional\n\n<sub>As of today</sub>"
CLOSED = {"title": "Summary: Sprint 12", "state": "closed", "state_reason": "not_planned"}


def summary(text: str = TEXT, **data: str) -> Post:
    return Post("summary:1", PostKind.ISSUE, text, data=CLOSED | data)


async def sent_issue(desk: Desk, post: Post) -> dict[str, Any]:  # noqa: F811
    await desk.set_desired(post)
    await desk.send()
    issues = await desk.bot.github.call("GET", f"/repos/{desk.bot.repo}/issues?state=all")
    (issue,) = [issue for issue in issues if issue["user"]["type"] == "Bot"]
    return dict(issue)


async def again(desk: Desk, post: Post, number: int) -> Mapping[str, Any]:  # noqa: F811
    await desk.set_desired(post)
    await desk.send()
    return await desk.bot.github.issue(desk.bot.repo, number)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n\nThe demo was great."),
        ("Thanks, all!\r\n\r\n", ""),
        ("First.\n\n", "\r\n\r\nLast.\r\n"),
    ],
)
async def test_a_paragraph_that_somebody_added_to_an_issue_stays(
    desk: Desk,  # noqa: F811
    before: str,
    after: str,
) -> None:
    issue = await sent_issue(desk, summary())
    body = f"{before}{issue['body']}{after}"
    await desk.bot.github.update_issue(desk.bot.repo, issue["number"], body=body)
    shown = await again(desk, summary(TEXT.replace("provisional", "frozen")), issue["number"])

    assert shown["body"] == body.replace("provisional", "frozen")


async def test_a_paragraph_that_somebody_added_to_a_comment_stays(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    body = f"Look here:\n\n{comment['body']}\n\nThanks!"
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], body)
    for text in ("Two", "Three"):
        await desk.set_desired(desk.comment(text))
        await desk.send()

    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    assert comment["body"] == body.replace("One", "Three")


async def test_a_paragraph_above_the_invisible_marker_stays(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(desk.comment("One\n\nlast line"))
    await desk.send()
    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    body = comment["body"].replace("last line", "last line\r\n\r\nAnd thanks!")
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], body)
    await desk.set_desired(desk.comment("Two"))
    await desk.send()

    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    assert comment["body"].startswith("Two\n\n<!--")
    assert comment["body"].endswith("-->\n\nAnd thanks!")


async def test_where_somebody_wrote_something_else_instead_it_stays(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], "Mine now.")
    for text in ("Two", "Three"):
        await desk.set_desired(desk.comment(text))
        await desk.send()

    comments = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    assert [comment["body"] for comment in comments] == ["Mine now."]


async def test_a_title_that_somebody_chose_stays_and_ours_follows_the_sprint(desk: Desk) -> None:  # noqa: F811
    issue = await sent_issue(desk, summary())
    shown = await again(desk, summary(title="Summary: Sprint 12b"), issue["number"])
    assert shown["title"] == "Summary: Sprint 12b"
    await desk.bot.github.update_issue(desk.bot.repo, issue["number"], title="How we did")
    shown = await again(desk, summary(title="Summary: Sprint 12c"), issue["number"])

    assert shown["title"] == "How we did"


async def test_an_issue_that_somebody_opened_again_is_not_closed_against_them(desk: Desk) -> None:  # noqa: F811
    issue = await sent_issue(desk, summary())
    assert issue["state"] == "closed"
    await desk.bot.github.reopen_issue(desk.bot.repo, issue["number"])
    shown = await again(desk, summary("### Frozen"), issue["number"])

    assert shown["state"] == "open"
    assert shown["body"].startswith("### Frozen")


async def test_an_issue_is_opened_and_closed_as_its_sprint_is(desk: Desk) -> None:  # noqa: F811
    open_one = Post("living:1", PostKind.ISSUE, "Day 1", data={"title": "Sprint 12: progress"})
    issue = await sent_issue(desk, open_one)
    states = list[str]()
    for text, data in (("Ended", CLOSED), ("Goes on", {}), ("Ended again", CLOSED)):
        post = replace(open_one, body=text, data={**data, "title": "Sprint 12: progress"})
        states.append((await again(desk, post, issue["number"]))["state"])

    assert states == ["closed", "open", "closed"]


async def test_what_people_wrote_is_never_cut_ours_is(desk: Desk) -> None:  # noqa: F811
    await desk.set_desired(desk.comment("One"))
    await desk.send()
    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    theirs = f"\n\n{'word ' * 10_000}end"
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], comment["body"] + theirs)
    await desk.set_desired(desk.comment("a line\n" * 5_000))
    await desk.send()

    (comment,) = await desk.bot.github.comments(desk.bot.repo, desk.issue)
    assert comment["body"].endswith(theirs)
    assert comment["body"].startswith("a line\n")
    assert "The rest was cut" in comment["body"]
    assert len(comment["body"]) <= 65_536


async def test_words_added_to_an_answer_stay_when_it_is_asked_for_again(desk: Desk) -> None:  # noqa: F811
    await desk.bot.say(desk.issue, "/sprint status")
    (comment,) = [one for one in await comments(desk) if one["user"]["type"] == "Bot"]
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], f"{comment['body']}\n\nNoted.")
    await desk.bot.say(desk.issue, "/sprint status")

    (comment,) = [one for one in await comments(desk) if one["user"]["type"] == "Bot"]
    assert comment["body"].endswith("-->\n\nNoted.")
    assert comment["body"].count("<!-- agile-github-suite") == 1


async def test_words_stay_once_and_ours_too_where_the_answer_to_an_edit_was_lost_twice(desk: Desk) -> None:  # noqa: F811
    """Each time GitHub has taken the edit, and the text moves on meanwhile."""
    await desk.set_desired(desk.comment("### One\n\nfirst words"))
    await desk.send()
    (comment,) = await comments(desk)
    body = f"Above.\n\n{comment['body']}\n\nBelow."
    await desk.bot.github.edit_comment(desk.bot.repo, comment["id"], body)
    for text in ("Entirely\n\nanother text", "A third\n\n- of items"):
        await desk.set_desired(desk.comment(text))
        desk.bot.github.fail_next("PATCH", "/issues/comments/", 502, after_effect=True)
        with pytest.raises(GitHubUnavailableError):
            await desk.send()
    await desk.set_desired(desk.comment("Last"))
    await desk.send()

    (comment,) = await comments(desk)
    assert comment["body"] == body.replace("### One\n\nfirst words", "Last")


@pytest.mark.parametrize("is_known", [True, False])
async def test_after_an_upgrade_title_and_state_stay_as_people_made_them(
    desk: Desk,  # noqa: F811
    *,
    is_known: bool,
) -> None:
    """Whether GitHub took the last wish of the earlier version or not."""
    issue = await sent_issue(desk, summary())
    body = f"Above.\n\n{issue['body']}"
    await desk.bot.github.update_issue(
        desk.bot.repo, issue["number"], body=body, title="How we did", state="open"
    )
    later = "" if is_known else ", wanted_at = sent_at + interval '1 second'"
    as_administrator(desk.bot.base, f"update posts set sent_as = null, sent = 'another'{later}")
    for text in ("frozen", "judged"):
        shown = await again(desk, summary(TEXT.replace("provisional", text)), issue["number"])
        assert (shown["title"], shown["state"]) == ("How we did", "open")
        assert shown["body"] == body.replace("provisional", text)


async def comments(desk: Desk) -> list[dict[str, Any]]:  # noqa: F811
    return list(await desk.bot.github.comments(desk.bot.repo, desk.issue))
