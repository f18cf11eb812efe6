"""Pages with a single comment or check as GitHub would show it.

Comments look as in the demo's thread. The page of a check follows GitHub's tab “Checks”: name and result,
buttons with descriptions, title, summary, pictures and annotations.
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
# A chart in a comment has a light picture in `src` and a dark one in `srcset`.
_PICTURE = re.compile(r'(src|srcset)="(http[^"]+/charts/[^"]+)"')
_RESULTS = {"neutral": ("completed", DOT), "success": ("succeeded", TICK), "failure": ("failed", SLASH)}


def comment_html(repo: str, issue: Json, comment: Json, issues: list[Json]) -> str:
    """Build a comment with active checkboxes; `issues` are those of the repository."""
    html = post_of(Thread(repo, issue, [], issues), comment, "comment").html
    return html.replace(' disabled=""', "")


def check_html(repo: str, run: Json) -> str:
    """Build a check run from the request to GitHub."""
    output = run["output"]
    images = "".join(
        f'<figure><img src="{escape(image["image_url"])}" alt="{escape(image["alt"])}"></figure>'
        for image in output.get("images", ())
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
    """Build the document, which needs no other files."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{styles}</style></head>
<body><main class="alone">{body}</main></body></html>
"""


def pictures_in(html: str) -> list[str]:
    """Find the addresses of the charts in some HTML."""
    return [address for _, address in _PICTURE.findall(html)]


def with_pictures(html: str, data: Mapping[str, str]) -> str:
    """Replace the addresses of charts by data URLs."""
    return _PICTURE.sub(lambda match: f'{match[1]}="{data[match[2]]}"', html)


def _actions(actions: Any) -> str:
    if not actions:
        return ""
    items = "".join(
        f'<li><button type="button" class="button">{escape(action["label"])}</button>'
        f"{escape(action['description'])}</li>"
        for action in actions
    )
    return f'<ul class="actions">{items}</ul>'


def _annotations(annotations: Any) -> str:
    if not annotations:
        return ""
    items = "".join(
        f'<li><p class="where">{escape(annotation["path"])}, line {annotation["start_line"]}</p>'
        f"<p>{escape(annotation['message'])}</p></li>"
        for annotation in annotations
    )
    return f'<div class="annotations"><h3>ANNOTATIONS</h3><ul>{items}</ul></div>'
