"""Search for a marked comment, issue or check run in GitHub's lists."""

from typing import Any

from bot.github.client import Installation
from bot.github.markers import Mark


async def find_marked(installation: Installation, path: str, mark: Mark) -> Any | None:
    """Find the App's comment or issue that bears a mark in the list at `path`; None if there is none."""
    identity, markers = await installation.identity(), installation.markers
    async for text in installation.pages(path):
        if markers.is_marked(text.get("body"), mark) and identity.has_written(text):
            return text
    return None


async def find_marked_check_run(installation: Installation, path: str, mark: Mark) -> Any | None:
    """Find the App's check run with a mark as its `external_id` in the list at `path`; None without one."""
    identity, markers = await installation.identity(), installation.markers
    async for check_run in installation.pages(path, "check_runs"):
        if markers.is_text(check_run.get("external_id"), mark) and identity.has_made(check_run):
            return check_run
    return None
