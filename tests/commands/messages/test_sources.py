"""Sources that replies name: pages of these docs that exist, with the heading that is linked."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_ROOMS = ("commands", "reports", "bot/checks", "bot/publishing", "charts")
_LINK = re.compile(r"docs/([\w-]+\.md)(?:#([\w-]+))?")


def list_links() -> Iterator[tuple[str, str]]:
    """List the pages and anchors that texts name; comments and docstrings count too."""
    for room in _ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            yield from _LINK.findall(file.read_text())


def list_anchors(page: str) -> set[str]:
    """List the anchors that GitHub makes of a page's headings."""
    text = (ROOT / "docs" / page).read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = sorted(set(list_links()))


def test_explanations_name_sections_and_no_whole_page() -> None:
    assert ("metrics.md", "the-numbers") in LINKS
    assert ("metrics.md", "flow") in LINKS


@pytest.mark.parametrize(("page", "anchor"), LINKS)
def test_what_a_text_names_exists(page: str, anchor: str) -> None:
    assert (ROOT / "docs" / page).exists()
    assert not anchor or anchor in list_anchors(page)
