"""The page's HTML, in parts that are updated separately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any

from demo.icons import avatar, state_icon
from demo.markdown import render, unfurled
from demo.thread import Json, Thread

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


@dataclass(frozen=True)
class Post:
    """The issue's description or a comment, with its HTML anchor `id`."""

    id: str
    author: str
    is_bot: bool
    html: str


def pieces(thread: Thread) -> dict[str, Any]:
    """Build the parts that may change, for the first page and for each update."""
    return {
        "title": page_title(thread),
        "header": _header(thread),
        "sidebar": _sidebar(thread),
        "state": thread.issue["state"],
        "posts": [vars(post) for post in _posts(thread)],
    }


def page_title(thread: Thread) -> str:
    """The title in the browser's tab."""
    return f"{thread.issue['title']} · Issue #{thread.issue['number']} · {thread.repo}"


def page(thread: Thread, viewer: str, suggestions: Sequence[tuple[str, str]]) -> str:
    """Build the document; it works without JavaScript, which only keeps it up to date."""
    now = pieces(thread)
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
<p class="viewer">{avatar(viewer, is_bot=False, size=24)} {escape(viewer)}</p>
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


def _posts(thread: Thread) -> list[Post]:
    first = post_of(thread, thread.issue, f"issue-{thread.issue['number']}", is_first=True)
    rest = [post_of(thread, comment, f"issuecomment-{comment['id']}") for comment in thread.comments]
    return [first, *rest]


def post_of(thread: Thread, post: Json, anchor: str, *, is_first: bool = False) -> Post:
    """Build the issue's description or a comment as GitHub shows it."""
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


def _form(thread: Thread, viewer: str, here: str) -> str:
    is_open = thread.issue["state"] == "open"
    state_button = "Close issue" if is_open else "Reopen issue"
    return f"""<div class="post write">
<div class="face">{avatar(viewer, is_bot=False, size=40)}</div>
<form class="box" id="new-comment" method="post" action="{escape(here)}/comments">
<div class="box-head"><label for="body"><strong>Add a comment</strong></label>
<span class="said">as {escape(viewer)}</span></div>
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


def _suggestions(suggestions: Sequence[tuple[str, str]]) -> str:
    if not suggestions:
        return ""
    items = "".join(
        f'<li><button type="button" class="try" data-fill="{escape(syntax)}">'
        f"<code>{escape(syntax)}</code><span>{escape(summary)}</span></button></li>"
        for syntax, summary in suggestions
    )
    return f'<section class="side suggestions"><h2>Try one of these</h2><ul>{items}</ul></section>'


def _time(stamp: str, *, is_day: bool = False) -> str:
    """Build a time as its date, which the script replaces by a relative time except for due dates."""
    kind = ' class="day"' if is_day else ""
    return f'<time datetime="{escape(stamp)}"{kind}>{escape(stamp[:10])}</time>'


def _name(user: Json) -> str:
    return str(user["login"]).removesuffix("[bot]")
