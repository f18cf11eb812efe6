"""The page's HTML, in parts that are updated separately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from demo.icons import avatar, state_icon
from demo.markdown import render, unfurled
from demo.suggestions import Suggestions
from demo.thread import Json, Thread
from demo.viewers import Viewer

EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "hooray": "🎉",
    "confused": "😕",
    "heart": "❤️",
    "rocket": "🚀",
    "eyes": "👀",
}

_BOX = '<input type="checkbox"'


@dataclass(frozen=True)
class Post:
    """The issue's description or a comment, with its HTML anchor `id`."""

    id: str
    author: str
    is_bot: bool
    html: str


def pieces(thread: Thread, viewer: Viewer) -> dict[str, Any]:
    """Build the parts that may change, for the first page and for each update."""
    return {
        "title": page_title(thread),
        "header": _header(thread),
        "sidebar": _sidebar(thread),
        "state": thread.issue["state"],
        "posts": [vars(post) for post in _posts(thread, viewer)],
    }


def page_title(thread: Thread) -> str:
    """The title in the browser's tab."""
    return f"{thread.issue['title']} · Issue #{thread.issue['number']} · {thread.repo}"


def page(thread: Thread, viewer: Viewer, suggestions: Suggestions, viewers: Sequence[Viewer]) -> str:
    """Build the document; it works without JavaScript, which keeps it up to date and ticks boxes."""
    now = pieces(thread, viewer)
    here = f"/{thread.repo}/issues/{thread.issue['number']}"
    owner, _, name = thread.repo.partition("/")
    posts = "".join(post["html"] for post in now["posts"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(now["title"])}</title>
<link rel="icon" href="/static/icon.svg">
<link rel="stylesheet" href="/static/markdown.css">
<link rel="stylesheet" href="/static/page.css">
<script src="/static/page.js" defer></script>
</head>
<body data-here="{escape(here)}">
<a class="skip" href="#new-comment">Skip to the comment box</a>
<header class="topbar">
<p class="crumbs">{escape(owner)} <span aria-hidden="true">/</span> <strong>{escape(name)}</strong></p>
<p class="demo-note">Local demo: this is not GitHub, and nothing leaves your machine.</p>
{_viewer_form(viewer, viewers, here)}
</header>
<main class="page">
<div id="header">{now["header"]}</div>
<div class="columns">
<section class="thread" aria-label="Conversation">
<div id="posts">{posts}</div>
{_form(thread, viewer, here)}
</section>
<aside class="sidebar" aria-label="About this issue">
<div id="sidebar">{now["sidebar"]}</div>
{_suggestions(suggestions)}
</aside>
</div>
</main>
<p id="news" class="sr-only" aria-live="polite"></p>
</body>
</html>
"""


def error_page(title: str, text: str) -> str:
    """Build an error page from two plain texts."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<link rel="stylesheet" href="/static/page.css"></head>
<body><main class="page"><h1>{escape(title)}</h1><p>{escape(text)}</p>
<p><a href="/">Back to the thread</a></p></main></body></html>
"""


def _header(thread: Thread) -> str:
    issue = thread.issue
    word = {"open": "Open", "closed": "Closed"}[issue["state"]]
    author = _name(issue["user"])
    count, opened = len(thread.comments), _time(issue["created_at"])
    comments = f"{count} comment{'' if count == 1 else 's'}"
    return f"""<h1>{escape(issue["title"])} <span class="number">#{issue["number"]}</span></h1>
<p class="meta"><span class="state {_state_class(issue)}">{state_icon(issue)} {word}</span>
<span><strong>{escape(author)}</strong> opened this issue {opened} · {comments}</span></p>"""


def _state_class(issue: Json) -> str:
    return "not-planned" if issue["state_reason"] == "not_planned" else str(issue["state"])


def _posts(thread: Thread, viewer: Viewer) -> list[Post]:
    first = post_of(thread, thread.issue, f"issue-{thread.issue['number']}", is_first=True)
    rest = [post_of(thread, comment, f"issuecomment-{comment['id']}", viewer) for comment in thread.comments]
    return [first, *rest]


def post_of(
    thread: Thread, post: Json, anchor: str, viewer: Viewer | None = None, *, is_first: bool = False
) -> Post:
    """Build the issue's description or a comment as GitHub shows it.

    A `viewer` who may edit the comment can tick its boxes, and edit the text if it is their own.
    """
    user = post["user"] or {"login": "ghost", "type": "User"}
    is_bot, name = user["type"] == "Bot", _name(user)
    badges = ['<span class="badge">bot</span>'] if is_bot else []
    if not is_bot and post["author_association"] in ("OWNER", "MEMBER", "COLLABORATOR"):
        badges.append(f'<span class="badge">{post["author_association"].capitalize()}</span>')
    if not is_first and not is_bot and user["login"] == thread.issue["user"]["login"]:
        badges.append('<span class="badge">Author</span>')
    edited = " · edited" if not is_first and _was_edited(post) else ""
    verb = "opened" if is_first else "commented"
    issues = {issue["number"]: issue for issue in thread.sprint}
    body = unfurled(render(post["body"] or "*No description provided.*", thread.repo), issues)
    is_own = viewer is not None and viewer.login == user["login"]
    if is_own or (viewer is not None and viewer.may_edit):
        body = _with_active_boxes(body)
    if is_own:
        body += _edit_form(thread, post)
    if reason := post.get("minimized"):
        label = f"This comment was marked as {escape(reason)}."
        body = f'<details class="minimized"><summary>{label}</summary>{body}</details>'
    kind = "post by-bot" if is_bot else "post"
    html = f"""<article class="{kind}" id="{anchor}" aria-label="{escape(name)} {verb}">
<div class="face">{avatar(name, is_bot=is_bot, size=40)}</div>
<div class="box">
<header class="box-head"><strong>{escape(name)}</strong>
<span class="said">{verb} <a href="#{anchor}">{_time(post["created_at"])}</a>{edited}</span>
<span class="badges">{"".join(badges)}</span></header>
<div class="markdown-body">{body}</div>
{_reactions(post["reactions"])}
</div>
</article>"""
    return Post(anchor, name, is_bot, html)


def _with_active_boxes(html: str) -> str:
    """Number the boxes of task lists, for the page's script to let them be ticked."""
    first, *others = html.split(_BOX)
    return first + "".join(f'{_BOX} data-box="{n}"{rest}' for n, rest in enumerate(others))


def _edit_form(thread: Thread, comment: Json) -> str:
    where = f"/{thread.repo}/issues/{thread.issue['number']}/comments/{comment['id']}"
    rows = min(max(comment["body"].count("\n") + 2, 3), 20)
    return f"""<details class="edit"><summary>Edit</summary>
<form method="post" action="{escape(where)}"><label class="sr-only" for="edit-{comment["id"]}">Text</label>
<textarea id="edit-{comment["id"]}" name="body" rows="{rows}" required>{escape(comment["body"])}</textarea>
<div class="buttons"><button type="submit" class="button">Update comment</button></div></form></details>"""


def _was_edited(post: Json) -> bool:
    """Whether a post was edited; emulate writes a new one twice within a few milliseconds."""
    made, last = (datetime.fromisoformat(post[key]) for key in ("created_at", "updated_at"))
    return last - made > timedelta(seconds=1)


def _reactions(summary: Json) -> str:
    shown = [
        f'<li title="{escape(content)}"><span aria-hidden="true">{emoji}</span> '
        f'<span class="sr-only">{escape(content)}</span>{summary[content]}</li>'
        for content, emoji in EMOJI.items()
        if summary.get(content)
    ]
    return f'<ul class="reactions" aria-label="Reactions">{"".join(shown)}</ul>' if shown else ""


def _sidebar(thread: Thread) -> str:
    issue = thread.issue
    assignees = [
        f"<li>{avatar(person['login'], is_bot=False, size=20)} {escape(person['login'])}</li>"
        for person in issue["assignees"]
    ]
    labels = [_label(label) for label in issue["labels"]]
    return (
        _section("Assignees", f'<ul class="people">{"".join(assignees)}</ul>' if assignees else "No one")
        + _section("Labels", f'<p class="labels">{" ".join(labels)}</p>' if labels else "None yet")
        + _section("Milestone", _milestone(thread))
    )


def _section(title: str, content: str) -> str:
    return f'<section class="side"><h2>{title}</h2>{content}</section>'


def _label(label: Json) -> str:
    """Build a label, with dark text on light colours and light text on dark ones, as on GitHub."""
    color = label["color"]
    red, green, blue = (int(color[start : start + 2], 16) for start in (0, 2, 4))
    ink = "dark" if (red * 299 + green * 587 + blue * 114) / 1000 > 140 else "light"
    hint = escape(label["description"] or "")
    name = escape(label["name"])
    return f'<span class="label ink-{ink}" style="--label:#{color}" title="{hint}">{name}</span>'


def _milestone(thread: Thread) -> str:
    milestone = thread.issue["milestone"]
    if not milestone:
        return "No milestone"
    closed = sum(issue["state"] == "closed" for issue in thread.sprint)
    total = len(thread.sprint)
    share = round(100 * closed / total) if total else 0
    items = "".join(_sprint_item(thread, issue) for issue in thread.sprint)
    due = f" · due {_time(milestone['due_on'], is_day=True)}" if milestone["due_on"] else ""
    return f"""<progress class="bar" value="{share}" max="100" aria-label="{share} % closed"></progress>
<p class="milestone"><strong>{escape(milestone["title"])}</strong>
<span class="quiet">{closed} of {total} closed{due}</span></p>
<ul class="sprint" aria-label="Issues of {escape(milestone["title"])}">{items}</ul>"""


def _sprint_item(thread: Thread, issue: Json) -> str:
    points = [
        label["name"].partition(":")[2].strip() for label in issue["labels"] if "points" in label["name"]
    ]
    here = ' aria-current="page"' if issue["number"] == thread.issue["number"] else ""
    badge = f'<span class="points" title="points">{escape(points[0])}</span>' if points else ""
    return (
        f'<li class="{_state_class(issue)}"><a href="/{thread.repo}/issues/{issue["number"]}"{here}>'
        f"{state_icon(issue)}<span>{escape(issue['title'])}</span></a>{badge}</li>"
    )


def _viewer_form(viewer: Viewer, viewers: Sequence[Viewer], here: str) -> str:
    options = "".join(
        f'<option value="{escape(each.login)}"{" selected" if each == viewer else ""}>'
        f"{escape(each.description)}</option>"
        for each in viewers
    )
    return f"""<form class="viewer" id="viewer-form" method="post" action="{escape(here)}/viewer">
{avatar(viewer.login, is_bot=False, size=24)} <label for="viewer" class="sr-only">Use the demo as</label>
<select id="viewer" name="viewer">{options}</select>
<noscript><button type="submit" class="button">Switch</button></noscript></form>"""


def _form(thread: Thread, viewer: Viewer, here: str) -> str:
    is_open = thread.issue["state"] == "open"
    state_button = "Close issue" if is_open else "Reopen issue"
    return f"""<div class="post write">
<div class="face">{avatar(viewer.login, is_bot=False, size=40)}</div>
<form class="box" id="new-comment" method="post" action="{escape(here)}/comments">
<div class="box-head"><label for="body"><strong>Add a comment</strong></label>
<span class="said">as {escape(viewer.login)}</span></div>
<textarea id="body" name="body" rows="5" required placeholder="Type a command such as /sprint status"
 aria-describedby="hint" spellcheck="false" autocomplete="off"></textarea>
<div class="buttons">
<p id="hint" class="quiet">Markdown is supported · <kbd>Ctrl</kbd> <kbd>Enter</kbd> sends</p>
<button type="submit" form="state-form" class="button" id="state-button">{state_button}</button>
<button type="submit" class="button primary" id="send">Comment</button></div>
<p id="trouble" class="trouble" role="alert" hidden></p>
</form>
<form id="state-form" method="post" action="{escape(here)}/state" hidden>
<input type="hidden" id="state-value" name="state" value="{"closed" if is_open else "open"}"></form>
</div>"""


def _suggestions(suggestions: Suggestions) -> str:
    if not suggestions.story and not suggestions.others:
        return ""
    others = ""
    if suggestions.others:
        summary = f"All {len(suggestions.others)} other examples"
        others = f"<details><summary>{summary}</summary>{_lines_to_try(suggestions.others)}</details>"
    story = _lines_to_try(suggestions.story)
    return f'<section class="side suggestions"><h2>Try one of these</h2>{story}{others}</section>'


def _lines_to_try(lines: Sequence[tuple[str, str]]) -> str:
    items = "".join(
        f'<li><button type="button" class="try" data-fill="{escape(syntax)}">'
        f"<code>{escape(syntax)}</code><span>{escape(summary)}</span></button></li>"
        for syntax, summary in lines
    )
    return f"<ul>{items}</ul>"


def _time(stamp: str, *, is_day: bool = False) -> str:
    """Build a time as its date, which the script replaces by a relative time except for due dates."""
    kind = ' class="day"' if is_day else ""
    return f'<time datetime="{escape(stamp)}"{kind}>{escape(stamp[:10])}</time>'


def _name(user: Json) -> str:
    return str(user["login"]).removesuffix("[bot]")
