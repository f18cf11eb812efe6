"""`make demo` as a person meets it: one command, one page, an answer within a second, and nothing left behind."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from playwright.async_api import Page, async_playwright

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60


@asynccontextmanager
async def running_demo(folder: Path) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """`python -m bot demo` and the address that it prints last."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo"),
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield await _address(process), process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await asyncio.wait_for(process.wait(), 30)


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(_START_SECONDS):
        async for line in process.stdout:
            if match := re.match(r"(http://\S+)\s*$", line.decode()):
                return match[1]
    raise AssertionError("the demo ended without an address")


@asynccontextmanager
async def page_at(chromium: str, url: str, theme: str = "light") -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        try:
            page = await browser.new_page(
                viewport={"width": 1200, "height": 1500}, color_scheme="dark" if theme == "dark" else "light"
            )
            await page.goto(url)
            yield page
        finally:
            await browser.close()


async def test_a_typed_command_is_answered_with_a_picture(chromium: str, tmp_path: Path) -> None:
    async with running_demo(tmp_path) as (url, process):
        assert process.pid
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        async with page_at(chromium, url) as page:
            await page.get_by_role("textbox").first.fill("/sprint status")
            await page.get_by_role("button", name="Comment").click()

            picture = page.locator("img[alt^='Burndown']")
            await picture.wait_for(timeout=10_000)
            loaded = "image => image.complete && image.naturalWidth > 1000"
            await page.wait_for_function(
                f"() => ({loaded})(document.querySelector(\"img[alt^='Burndown']\"))"
            )
            answer = await page.locator("article", has=picture).last.inner_text()
            if folder := os.environ.get("KEEP_SCREENSHOTS"):
                await page.screenshot(path=f"{folder}/thread.png", full_page=True)

            assert "25 of 39 points done" in answer
    assert process.returncode == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
