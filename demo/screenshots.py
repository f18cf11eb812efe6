"""Screenshots with Chromium, in GitHub's themes and widths, as small files."""

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
    """Start Chromium. Raises LookupError when it is not installed."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        raise LookupError("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        try:
            yield opened
        finally:
            await opened.close()


async def take_screenshots(chromium: Browser, screens: Mapping[str, str], folder: Path) -> None:
    """Write a picture of each screen, HTML by name, in each theme and width."""
    names = (MARKDOWN_CSS, STATIC / "page.css", STATIC / "screens.css")
    styles = "\n".join(path.read_text(encoding="utf-8") for path in names)
    pages = [(name, page_html(html, styles)) for name, html in screens.items()]
    for theme in THEMES:
        page = await chromium.new_page(color_scheme="dark" if theme == "dark" else "light")
        for device, width in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": 40})
            for name, html in pages:
                await page.set_content(html, wait_until="load")
                png = await page.screenshot(full_page=True, animations="disabled")
                (folder / f"{name}-{theme}-{device}.png").write_bytes(reduce_colours(png))
        await page.close()


def reduce_colours(png: bytes) -> bytes:
    """Reduce a PNG to 256 colours, a third of its size; the colours of small coloured icons are kept."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int32)
    flat = pixels.reshape(-1, 3) @ (1 << 16, 1 << 8, 1)
    values, places, counts = np.unique(flat, return_inverse=True, return_counts=True)
    colours = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1)
    weights = counts * (1 + colours.max(axis=1) - colours.min(axis=1))
    kept = colours[np.argsort(-weights, kind="stable")[:_COLOURS]]
    nearest = np.array([((kept - colour) ** 2).sum(axis=1).argmin() for colour in colours], np.uint8)
    image = Image.fromarray(nearest[places].reshape(pixels.shape[:2]), "P")
    image.putpalette(kept.astype(np.uint8).tobytes())
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
