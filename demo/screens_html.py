"""A comment or a check alone on a page, as GitHub would show it. Pure functions from values to HTML.

Comments stand as in the demo's thread. The page of a check follows GitHub's tab “Checks”: name and result,
buttons with what they do, title, summary, pictures, and what is said of lines of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from demo.icons import DOT, RING, SLASH, TICK
from demo.markdown import render
from demo.thread import Thread
from demo.views import post_of

Json = dict[str, Any]
_PICTURE = re.compile(r'src="(http[^"]+/charts/[^"]+)"')
_RESULTS = {"neutral": ("completed", DOT), "success": ("succeeded", TICK), "failure": ("failed", SLASH)}


def comment_html(repo: str, issue: Json, said: Json, issues: list[Json]) -> str:
    """A comment. Boxes can be ticked, as by anybody who may write. `issues` are those of the repository."""
    html = post_of(Thread(repo, issue, [], issues), said, "comment").html
    return html.replace(' disabled=""', "")


def check_html(repo: str, run: Json) -> str:
    """A check run, as it was sent to GitHub."""
    output = run["output"]
    images = "".join(
        f'<figure><img src="{escape(one["image_url"])}" alt="{escape(one["alt"])}"></figure>'
        for one in output.get("images", ())
    )
    word, inside = _RESULTS[run["conclusion"]]
    return f"""<section class="check">
<header class="check-head">
<svg class="sign {run["conclusion"]}" width="16" height="16" viewBox="0 0 16 16">{RING}{inside}</svg>
<div><p class="name">{escape(run["name"])}</p><p class="quiet">Agile GitHub Suite · {word}</p></div>
<button type="button" class="button rerun">Re-run</button>
</header>{_actions(run.get("actions", ()))}
<div class="check-body"><h2>{escape(output["title"])}</h2>
<div class="markdown-body">{render(output["summary"], repo)}</div>{images}
{_annotations(output.get("annotations", ()))}</div>
</section>"""


def page_html(body: str, styles: str) -> str:
    """The whole document; it needs nothing from elsewhere."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{styles}</style></head>
<body><main class="alone">{body}</main></body></html>
"""


def pictures_in(html: str) -> list[str]:
    """The addresses of its charts."""
    return _PICTURE.findall(html)


def with_pictures(html: str, data: Mapping[str, str]) -> str:
    """The same with what is behind these addresses."""
    return _PICTURE.sub(lambda found: f'src="{data[found[1]]}"', html)


def _actions(actions: Any) -> str:
    if not actions:
        return ""
    items = "".join(
        f'<li><button type="button" class="button">{escape(one["label"])}</button>'
        f"{escape(one['description'])}</li>"
        for one in actions
    )
    return f'<ul class="actions">{items}</ul>'


def _annotations(annotations: Any) -> str:
    if not annotations:
        return ""
    items = "".join(
        f'<li><p class="where">{escape(one["path"])}, line {one["start_line"]}</p>'
        f"<p>{escape(one['message'])}</p></li>"
        for one in annotations
    )
    return f'<div class="annotations"><h3>ANNOTATIONS</h3><ul>{items}</ul></div>'
