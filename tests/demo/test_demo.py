"""`make demo` as a person meets it: one command, one page, an answer within a second, and nothing left behind."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest
from playwright.async_api import Page, async_playwright

from demo.folder import demo_folder

ROOT = Path(__file__).parents[2]
_START_SECONDS = 100


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


@pytest.mark.timeout(300)
async def test_a_second_demo_disturbs_neither_the_first_nor_what_is_beside_it(tmp_path: Path) -> None:
    ours = tmp_path / "ours.txt"
    ours.write_text("kept")
    async with running_demo(tmp_path) as (first, _):
        async with running_demo(tmp_path) as (second, _):
            assert first != second
            assert await read_title(second) == await read_title(first)
        assert "Issue #" in await read_title(first)
    assert list_folder(tmp_path) == [ours]


def list_folder(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def read_title(url: str) -> str:
    """The title of a demo's page."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return (await answer.text()).partition("<title>")[2].partition("</title>")[0]


def test_folders_of_demos_that_were_killed_are_removed(tmp_path: Path) -> None:
    with demo_folder(tmp_path) as running:
        killed = tmp_path / "demo-killed"
        killed.mkdir()
        (killed / "running").touch()
        with demo_folder(tmp_path) as second:
            assert sorted(tmp_path.iterdir()) == sorted([running, second])


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
