"""Draws charts in separate processes, so that the event loop never waits for one, and links them."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from html import escape

import structlog

from bot.metrics.instruments import Instruments
from bot.processes import Processes
from charts.locales import ENGLISH, Locale, get_locale
from charts.packing import pack
from charts.render import Chart, compute_content_key, render, warm_up
from charts.themes import CARD_WIDTH, Theme
from commands.framework.outcome import Picture
from storage.chart_files import ChartFiles
from storage.database import Database
from storage.projects import Project


class ChartRenderer:
    """The processes that draw charts."""

    def __init__(self, *, processes: int = 1, instruments: Instruments | None = None) -> None:
        """With `instruments`, drawings are counted and timed."""
        self._processes = Processes(processes)
        self._instruments = instruments

    async def draw(self, chart: Chart, locale: Locale = ENGLISH, theme: Theme = Theme.LIGHT) -> bytes:
        """Draw a chart as PNG."""
        measured = self._instruments.renders.time() if self._instruments else nullcontext()
        with measured:
            return await self._processes.run(render, chart, locale, theme)

    async def warm_up(self) -> None:
        """Start the processes before anybody waits for them."""
        await self._processes.run(warm_up)

    def close(self) -> None:
        self._processes.close()


class Pictures:
    """Links charts under addresses that stay the same, and draws each chart once for a repository.

    A new chart is linked at once and drawn in the background: a comment does not wait for its picture. If the
    picture is asked for earlier, cannot be drawn now, or this process ends meanwhile,
    bot/webhooks/chart_route.py draws it, or shows that it cannot be drawn. It also draws the dark picture,
    which is not drawn before somebody asks for it.
    """

    def __init__(self, database: Database, renderer: ChartRenderer, public_url: str) -> None:
        self._database = database
        self._renderer = renderer
        self._public_url = public_url
        self._drawings = set[asyncio.Task[None]]()
        self._log = structlog.get_logger(__name__)

    async def link(
        self, organization_id: int, project: Project, chart: Chart, theme: Theme = Theme.LIGHT
    ) -> str:
        """Get the address of a chart's picture in the current locale; a new light one begins to be drawn.

        Each repository has addresses of its own: they end when the repository may link no pictures any more.
        """
        locale = get_locale()
        key = compute_content_key(chart, locale, theme)
        async with self._database.tenant(organization_id, durable=False) as tenant:
            files = ChartFiles(tenant)
            token, is_new = await files.token_of(project, key), False
            if token is None:
                token, is_new = await files.store(project, key, pack(chart, locale, theme)), True
        if is_new and theme is Theme.LIGHT:
            drawing = asyncio.create_task(self._draw(organization_id, token, chart, locale))
            self._drawings.add(drawing)
            drawing.add_done_callback(self._drawings.discard)
        return f"{self._public_url}/charts/{token}.png"

    async def finish(self) -> None:
        """Wait until all charts that were linked are drawn."""
        await asyncio.gather(*self._drawings)

    async def close(self) -> None:
        """Stop drawing. What is not drawn yet is drawn when it is asked for."""
        for drawing in self._drawings:
            drawing.cancel()
        await asyncio.gather(*self._drawings, return_exceptions=True)

    async def _draw(self, organization_id: int, token: str, chart: Chart, locale: Locale) -> None:
        try:
            png = await self._renderer.draw(chart, locale)
            async with self._database.tenant(organization_id, durable=False) as tenant:
                await ChartFiles(tenant).set_image(token, png)
        except Exception:  # noqa: BLE001 - nobody waits for it, and it is drawn again when it is asked for
            self._log.exception("chart not drawn", organization=organization_id, chart=type(chart).__name__)

    async def to_markdown(
        self,
        organization_id: int,
        project: Project,
        parts: Sequence[str | Picture],
        *,
        has_themes: bool = True,
    ) -> str:
        """Join parts to Markdown, with each picture as an image with its alternative text.

        With `has_themes` each picture has a dark variant, as GitHub shows it in comments and issues.
        """
        texts = list[str]()
        for part in parts:
            if not isinstance(part, Picture):
                texts.append(part)
                continue
            light = await self.link(organization_id, project, part.chart)
            if has_themes:
                dark = await self.link(organization_id, project, part.chart, Theme.DARK)
                texts.append(_write_themed_image(part.alt, light, dark))
            else:
                texts.append(f"![{part.alt}]({light})")
        return "\n\n".join(texts)


def _write_themed_image(alt: str, light: str, dark: str) -> str:
    """Write an image that follows the reader's system.

    GitHub keeps these elements and attributes, and narrows an image to the width of the page. Where only
    `<img>` is kept, as in most e-mail programs, the light picture is shown.
    """
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="{escape(alt)}" src="{light}" width="{CARD_WIDTH}"></picture>'
    )
