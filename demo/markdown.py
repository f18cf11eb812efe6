"""Renders comments as GitHub does: its Markdown, its allowed HTML, and links for references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

import comrak
import nh3

from demo.icons import state_icon

EXTENSIONS = (
    "alerts",
    "autolink",
    "footnotes",
    "strikethrough",
    "table",
    "tagfilter",
    "tasklist",
    "shortcodes",
)

TAGS = nh3.ALLOWED_TAGS | {"details", "summary", "picture", "source", "input", "section"}
ATTRIBUTES = {
    "a": {"href", "id", "title"},
    "code": {"lang"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height", "align"},
    "input": {"type", "checked", "disabled"},
    "li": {"id", "value"},
    "ol": {"start"},
    "pre": {"lang"},
    "source": {"srcset", "media"},
    "sup": {"id"},
    "td": {"align"},
    "th": {"align"},
}
ALERTS = {f"markdown-alert-{kind}" for kind in ("note", "tip", "important", "warning", "caution")}
CLASSES = {
    "a": {"footnote-ref", "footnote-backref", "issue-link", "user-mention"},
    "div": {"markdown-alert", *ALERTS},
    "input": {"task-list-item-checkbox"},
    "li": {"task-list-item"},
    "ol": {"contains-task-list"},
    "p": {"markdown-alert-title"},
    "section": {"footnotes"},
    "sup": {"footnote-ref"},
    "ul": {"contains-task-list"},
}

_PIECES = re.compile(r"""(<(?:[^<>"']|"[^"]*"|'[^']*')*>)""")
_CLOSED_TO_LINKS = re.compile(r"<(/?)(a|code|pre)\b", re.IGNORECASE)
_FOOTNOTE = re.compile(r"fn(ref)?-[\w-]+")
# Links to items of the stand-in for GitHub, whose pages the demo shows itself.
_ITEM_LINK = re.compile(r'href="http://127\.0\.0\.1(?::\d+)?(/[\w.-]+/[\w.-]+/issues/\d+)"')
_LINK = re.compile(r'(<a [^>]*class="issue-link"[^>]*)>#(\d+)</a>')
_LIST_ITEM = re.compile(r"<(/?)li\b")
_REFERENCE = re.compile(r"(?<![\w/&])#(\d+)\b")


def render(markdown: str, repo: str) -> str:
    """Render a comment as safe HTML; references are linked first, so that the links are sanitised, too."""
    extensions = comrak.ExtensionOptions()
    for name in EXTENSIONS:
        setattr(extensions, name, True)
    options = comrak.RenderOptions()
    options.hardbreaks = options.github_pre_lang = options.gfm_quirks = True
    options.unsafe_ = options.tasklist_classes = True
    html = comrak.render_markdown(markdown, extension_options=extensions, render_options=options)
    return nh3.clean(
        _with_references(html, repo),
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_only_footnote_ids,
        allowed_classes=CLASSES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )


def _only_footnote_ids(_tag: str, name: str, value: str) -> str | None:
    """Drop ids other than those of footnotes, which could clash with the page's."""
    return None if name == "id" and not _FOOTNOTE.fullmatch(value) else value


def _with_references(html: str, repo: str) -> str:
    """Link references such as `#12`, except in code and in links; links to items stay on this page's host."""
    html = _ITEM_LINK.sub(r'class="issue-link" href="\1"', html)
    inside = 0
    pieces = []
    link = rf'<a class="issue-link" href="/{repo}/issues/\1">#\1</a>'
    for piece in _PIECES.split(html):
        if tag := _CLOSED_TO_LINKS.match(piece):
            inside += -1 if tag[1] else 1
        is_text = not piece.startswith("<") and not inside
        pieces.append(_REFERENCE.sub(link, piece) if is_text else piece)
    return "".join(pieces)


def unfurled(html: str, issues: Mapping[int, dict[str, Any]]) -> str:
    """Show references in lists with state and title, as GitHub does, for issues in `issues`."""
    pieces, depth, last = list[str](), 0, 0

    def shown(link: re.Match[str]) -> str:
        issue = issues.get(int(link[2]))
        if issue is None:
            return link[0]
        start = link[1].replace('"issue-link"', '"issue-link unfurled"')
        return f"{start}>{state_icon(issue)}{escape(issue['title'])} #{link[2]}</a>"

    for tag in (*_LIST_ITEM.finditer(html), None):
        end = tag.start() if tag else len(html)
        part = html[last:end]
        pieces.append(_LINK.sub(shown, part) if depth else part)
        last = end
        if tag:
            depth += -1 if tag[1] else 1
    return "".join(pieces)
