"""The pictures of docs/screens.md: one screen from the bot's words to the four files, and the pages around them."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from demo.screen_titles import CALM
from demo.screens import Screen, index, take_all
from demo.screens_html import check_html, comment_html, page_html, pictures_in, with_pictures
from demo.screenshots import reduce_colours

ADDRESS = "http://127.0.0.1:1/charts/abc.png"
ISSUE = {"number": 7, "user": {"login": "alice"}, "title": "Card form"}


def run(**more: Any) -> dict[str, Any]:
    output = {"title": "Unplanned: <b>", "summary": "Closes **#12**."} | more.pop("output", {})
    return {"name": "Sprint impact", "conclusion": "neutral", "output": output} | more


def test_a_check_has_its_title_summary_buttons_pictures_and_lines() -> None:
    html = check_html(
        "acme/shop",
        run(
            actions=[{"label": "Link #12", "description": "Adds “Closes #12”", "identifier": "link:12"}],
            output={
                "images": [{"alt": "Burndown", "image_url": ADDRESS}],
                "annotations": [{"path": ".github/agile.yml", "start_line": 3, "message": "not a zone"}],
            },
        ),
    )

    assert "<h2>Unplanned: &lt;b&gt;</h2>" in html
    assert '<strong><a class="issue-link" href="/acme/shop/issues/12"' in html
    assert ">Link #12</button>Adds “Closes #12”" in html
    assert ".github/agile.yml, line 3" in html
    assert pictures_in(html) == [ADDRESS]
    assert "charts" not in with_pictures(html, {ADDRESS: "data:image/png;base64,AAAA"})


def test_a_comment_has_its_chart_for_both_themes() -> None:
    dark = ADDRESS.replace("abc", "def")
    html = (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="Burndown" src="{ADDRESS}" width="760"></picture>'
    )
    answer = {
        "user": {"login": "agile-github-suite[bot]", "type": "Bot"},
        "body": f"### Sprint 7\n\n{html}\n\nAs of today",
        "created_at": "2026-11-17T14:30:00Z",
        "updated_at": "2026-11-17T14:30:00Z",
        "reactions": {},
    }
    shown = comment_html("acme/shop", ISSUE, answer, [])
    assert sorted(pictures_in(shown)) == [ADDRESS, dark]
    embedded = with_pictures(shown, {ADDRESS: "data:image/png;base64,AA", dark: "data:image/png;base64,BB"})
    assert 'srcset="data:image/png;base64,BB"' in embedded
    assert ' src="data:image/png;base64,AA"' in embedded


def test_a_check_without_buttons_and_lines_shows_none() -> None:
    html = check_html("acme/shop", run(conclusion="failure"))
    assert "failed" in html
    assert "annotations" not in html
    assert 'class="actions"' not in html


def test_boxes_of_a_comment_can_be_ticked() -> None:
    answer = {
        "user": {"login": "agile-github-suite[bot]", "type": "Bot"},
        "body": "- [ ] Do it\n\n<!-- agile-github-suite:1/0 -->",
        "created_at": "2026-11-17T14:30:00Z",
        "updated_at": "2026-11-17T14:30:00Z",
        "reactions": {},
    }
    html = comment_html("acme/shop", ISSUE, answer, [])
    assert 'type="checkbox"' in html
    assert "disabled" not in html
    assert "suite:1" not in html


def test_the_index_shows_each_screen_in_both_themes_and_widths() -> None:
    text = index([Screen(CALM, "")])
    for theme in ("light", "dark"):
        for device in ("desktop", "phone"):
            assert f'"screens/living-calm-{theme}-{device}.png"' in text
    assert f'alt="{CALM.alt}"' in text


def test_a_page_needs_nothing_from_elsewhere() -> None:
    html = page_html("<p>x</p>", "p { color: red }")
    assert "http" not in html
    assert "<link" not in html


def test_with_few_colours_the_ground_and_a_small_sign_keep_theirs() -> None:
    image = Image.new("RGB", (100, 100), "white")
    for n in range(2000):
        image.putpixel((n % 100, n // 100), (n % 256, n % 256, (n * 7) % 256))
    image.paste((31, 136, 61), (50, 50, 54, 54))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    with Image.open(io.BytesIO(reduce_colours(buffer.getvalue()))) as light:
        assert light.mode == "P"
        shown = light.convert("RGB")
    assert shown.getpixel((99, 99)) == (255, 255, 255)
    assert shown.getpixel((52, 52)) == (31, 136, 61)


@pytest.mark.timeout(300)
async def test_the_sticky_comment_becomes_four_pictures(chromium: str, tmp_path: Path) -> None:
    (screen,) = await take_all(tmp_path / "data", tmp_path / "docs", only=["living-calm"])

    assert "Sprint 24 · day 2" in screen.html
    assert "6 of 40 points done" in screen.html
    assert "data:image/png;base64," in screen.html
    corners = {}
    for path in (tmp_path / "docs/screens").iterdir():
        with Image.open(path) as image:
            corners[path.stem] = (image.width, image.convert("RGB").getpixel((0, 0)))
    # Wider than the window would mean that something sticks out.
    assert corners == {
        "living-calm-light-desktop": (900, (255, 255, 255)),
        "living-calm-light-phone": (390, (255, 255, 255)),
        "living-calm-dark-desktop": (900, (13, 17, 23)),
        "living-calm-dark-phone": (390, (13, 17, 23)),
    }
