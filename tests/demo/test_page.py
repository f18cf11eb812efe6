"""The page shows a thread truly, safely and at once, and lets only itself write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from demo.markdown import render, unfurled
from demo.page import DemoPage
from demo.suggestions import Suggestions
from demo.task_boxes import set_box
from demo.viewers import list_viewers
from github_standin.github import StandInGitHub


class IssuePage(NamedTuple):
    """A page on an issue, and a browser's session."""

    url: str
    number: int
    session: aiohttp.ClientSession


@pytest_asyncio.fixture(loop_scope="session")
async def shown(github: StandInGitHub, repo: str) -> AsyncIterator[IssuePage]:
    """The page of a fresh issue in a sprint."""
    milestone = await github.create_milestone(repo, "Sprint <1>", due_on="2026-03-13T07:00:00Z")
    labels = ["points: 3", "bug"]
    issue = await github.create_issue(repo, "A & B", labels=labels, milestone=milestone["number"])
    await github.create_issue(repo, "Another one", milestone=milestone["number"])
    page = DemoPage(
        github.url,
        list_viewers(),
        repo=repo,
        number=issue["number"],
        suggestions=Suggestions([('/sprint status "Sprint 1"', "How it <stands>")]),
    )
    async with page, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield IssuePage(page.url, issue["number"], session)


async def text(shown: IssuePage, path: str = "/") -> str:
    async with shown.session.get(shown.url + path) as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        return await answer.text()


async def test_comments_are_rendered_and_what_could_harm_is_not(
    github: StandInGitHub, repo: str, shown: IssuePage
) -> None:
    harm = '<script>alert(1)</script><img src="x" onerror="alert(2)"> <a href="javascript:alert(3)">x</a>'
    await github.comment(repo, shown.number, f"**Bold** and #2 but not `#2`\n\n{harm}", "bob")
    html = await text(shown)
    assert "<strong>Bold</strong>" in html
    assert f'<a class="issue-link" href="/{repo}/issues/2" rel="nofollow noopener">#2</a>' in html
    assert "<code>#2</code>" in html
    assert "<script>alert" not in html
    assert "onerror" not in html
    assert "javascript:" not in html
    assert "A &amp; B" in html
    assert "Sprint &lt;1&gt;" in html
    assert 'data-fill="/sprint status &quot;Sprint 1&quot;"' in html


async def test_a_comment_that_is_minimized_is_folded_under_the_reason(
    github: StandInGitHub, repo: str, shown: IssuePage
) -> None:
    comment = await github.comment(repo, shown.number, "The earlier answer")
    await github.comment(repo, shown.number, "The newer answer")
    assert "marked as" not in await text(shown)
    mutation = "mutation ($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    query = {"query": f"{mutation} {{ clientMutationId }} }}", "variables": {"id": comment["node_id"]}}
    headers = {"Authorization": f"Bearer {github.tokens['alice']}"}
    async with shown.session.post(f"{github.url}/graphql", json=query, headers=headers) as answer:
        assert "errors" not in await answer.json()
    html = await text(shown)

    assert html.count("<summary>This comment was marked as outdated.</summary>") == 1
    assert "The earlier answer" in html


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("<details open><summary>More</summary>\n\nText\n\n</details>", "<summary>More</summary>"),
        ('<picture><source srcset="/a.png" media="x"></picture>', '<source srcset="/a.png" media="x">'),
        ('<img src="/b.png" alt="Burndown" width="600">', '<img src="/b.png" alt="Burndown" width="600">'),
        ("H<sub>2</sub>O x<sup>2</sup> <kbd>Ctrl</kbd>", "H<sub>2</sub>O x<sup>2</sup> <kbd>Ctrl</kbd>"),
        ("- [x] done", 'checked=""'),
        ("> [!NOTE]\n> Read me", 'class="markdown-alert markdown-alert-note"'),
        ("```mermaid\nxychart-beta\n```", "<code>xychart-beta"),
        ('<p id="body" class="topbar" style="position:fixed">x</p>', '<p class="">x</p>'),
        ('<img alt="a > #7">', '<img alt="a &gt; #7">'),
        (":tada:", "🎉"),
    ],
)
def test_markdown_is_githubs(markdown: str, expected: str) -> None:
    assert expected in render(markdown, "acme/shop")


def test_references_in_lists_show_state_and_title() -> None:
    issues = {12: {"title": "A <b>", "state": "closed", "state_reason": "completed"}}
    html = unfurled(render("See #12.\n\n- done: #12, #13\n  - `#12`\n\nAnd #12", "acme/shop"), issues)

    assert html.count("A &lt;b&gt; #12</a>") == 1
    assert 'aria-label="Closed"' in html.partition("<ul>")[2].partition("</ul>")[0]
    assert ">#13</a>" in html
    assert "<code>#12</code>" in html
    assert html.count(">#12</a>") == 2


async def test_the_sidebar_counts_the_sprint(repo: str, shown: IssuePage) -> None:
    assert "0 of 2 closed" in await text(shown)
    async with shown.session.post(f"{shown.url}/{repo}/issues/2/state", data={"state": "closed"}) as answer:
        assert (answer.status, answer.url.path) == (200, f"/{repo}/issues/2")
    assert "1 of 2 closed" in await text(shown)
    assert "Reopen issue" in await text(shown, f"/{repo}/issues/2")


async def test_what_happens_is_streamed_at_once(github: StandInGitHub, repo: str, shown: IssuePage) -> None:
    where = f"{shown.url}/{repo}/issues/{shown.number}"
    async with shown.session.get(f"{where}/live") as stream:
        assert len((await _next(stream))["posts"]) == 1
        async with shown.session.post(f"{where}/comments", data={"body": "/help"}) as answer:
            assert answer.status == 200
        assert "/help" in (await _next(stream))["posts"][1]["html"]
        comment = (await github.comments(repo, shown.number))[0]
        assert comment["user"]["login"] == "alice"
        path = f"{github.url}/repos/{repo}/issues/comments/{comment['id']}/reactions"
        headers = {"Authorization": f"Bearer {github.tokens['bob']}"}
        async with shown.session.post(path, json={"content": "eyes"}, headers=headers) as answer:
            assert answer.status == 201
        assert "👀" in (await _next(stream))["posts"][1]["html"]


async def test_other_sites_cannot_write_through_the_page(
    github: StandInGitHub, repo: str, shown: IssuePage
) -> None:
    path = f"{shown.url}/{repo}/issues/{shown.number}/comments"
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        async with shown.session.post(path, data={"body": "/help"}, headers=headers) as answer:
            assert answer.status == 403
    assert await github.comments(repo, shown.number) == []


async def test_an_unknown_issue_is_a_page_too(repo: str, shown: IssuePage) -> None:
    async with shown.session.get(f"{shown.url}/{repo}/issues/4711") as answer:
        assert answer.status == 404
        assert "no such issue" in await answer.text()


async def _next(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    async for line in stream.content:
        if line.startswith(b"data: "):
            value: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
            return value
    raise AssertionError("the stream ended")


PREVIEW = "### Close?\n\n```\n- [ ] not a box\n```\n\n- [ ] Do it\n- [x] Done\n"


async def test_a_box_is_ticked_by_who_may_edit_the_comment(
    github: StandInGitHub, repo: str, shown: IssuePage
) -> None:
    comment = await github.comment(repo, shown.number, PREVIEW, "bob")
    assert 'data-box="1"' in await text(shown)
    where = f"{shown.url}/{repo}/issues/{shown.number}/comments/{comment['id']}/boxes"
    async with shown.session.post(where, data={"position": "0", "ticked": "yes"}) as answer:
        assert answer.status == 200
    (ticked,) = await github.comments(repo, shown.number)
    assert ticked["body"] == PREVIEW.replace("[ ] Do it", "[x] Do it")
    async with shown.session.post(where, data={"position": "7", "ticked": "yes"}) as answer:
        assert (answer.status, "this box is gone" in await answer.text()) == (409, True)


async def test_the_page_is_used_as_other_people(github: StandInGitHub, repo: str, shown: IssuePage) -> None:
    where = f"{shown.url}/{repo}/issues/{shown.number}"
    await github.comment(repo, shown.number, "- [ ] Do it", "bob")
    async with shown.session.post(f"{where}/viewer", data={"viewer": "carol"}) as answer:
        html = await answer.text()
    assert '<option value="carol" selected>carol (triage)</option>' in html
    assert "data-box" not in html, "carol may not edit bob's comment"
    async with shown.session.post(f"{where}/comments", data={"body": "Hello"}) as answer:
        assert answer.status == 200
    _, own = await github.comments(repo, shown.number)
    assert own["user"]["login"] == "carol"
    assert f'action="/{repo}/issues/{shown.number}/comments/{own["id"]}"' in await text(shown)
    async with shown.session.post(f"{where}/comments/{own['id']}", data={"body": "Bye"}) as answer:
        assert answer.status == 200
    assert [comment["body"] for comment in await github.comments(repo, shown.number)][1] == "Bye"
    async with shown.session.post(f"{where}/viewer", data={"viewer": "nobody"}) as answer:
        assert (answer.status, "Choose one of alice, bob" in await answer.text()) == (422, True)


@pytest.mark.parametrize(
    ("markdown", "position", "expected"),
    [
        ("- [ ] a\n- [ ] b", 1, "- [ ] a\n- [x] b"),
        ("1. [ ] a", 0, "1. [x] a"),
        ("> - [ ] a", 0, "> - [x] a"),
        ("  * [ ] a\n~~~\n- [ ] b\n~~~\n+ [ ] c", 1, "  * [ ] a\n~~~\n- [ ] b\n~~~\n+ [x] c"),
        ("- [ ]a", 0, None),
        ("a", 0, None),
    ],
)
def test_boxes_are_those_of_task_lists(markdown: str, position: int, expected: str | None) -> None:
    assert set_box(markdown, position, is_ticked=True) == expected
