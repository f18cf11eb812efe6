"""Chromium, and the pictures that it takes of pages: in GitHub's themes and widths, and small files."""

import io
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.async_api import Browser, async_playwright

from demo.page import MARKDOWN_CSS, STATIC
from demo.screens_html import page_html

# The column of comments on github.com, and a common phone.
WIDTHS = {"desktop": 900, "phone": 390}
THEMES = ("light", "dark")
_COLOURS = 256


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium. Raises LookupError where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise LookupError("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        try:
            yield opened
        finally:
            await opened.close()


async def shoot(opened: Browser, screens: Mapping[str, str], folder: Path) -> None:
    """Pictures of some HTML by its name, in each theme and width."""
    names = (MARKDOWN_CSS, STATIC / "page.css", STATIC / "screens.css")
    styles = "\n".join(one.read_text(encoding="utf-8") for one in names)
    pages = [(name, page_html(html, styles)) for name, html in screens.items()]
    for theme in THEMES:
        page = await opened.new_page(color_scheme="dark" if theme == "dark" else "light")
        for device, width in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": 40})
            for name, html in pages:
                await page.set_content(html, wait_until="load")
                taken = await page.screenshot(full_page=True, animations="disabled")
                (folder / f"{name}-{theme}-{device}.png").write_bytes(lightened(taken))
        await page.close()


def lightened(png: bytes) -> bytes:
    """The same with few colours, which takes a third of the room. Small coloured signs keep theirs."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int32)
    flat = pixels.reshape(-1, 3) @ (1 << 16, 1 << 8, 1)
    found, places, counts = np.unique(flat, return_inverse=True, return_counts=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1)
    weights = counts * (1 + colours.max(axis=1) - colours.min(axis=1))
    kept = colours[np.argsort(-weights, kind="stable")[:_COLOURS]]
    nearest = np.array([((kept - one) ** 2).sum(axis=1).argmin() for one in colours], np.uint8)
    image = Image.fromarray(nearest[places].reshape(pixels.shape[:2]), "P")
    image.putpalette(kept.astype(np.uint8).tobytes())
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
