"""Draws charts in separate processes, so that the event loop never waits for one, and links them."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

import structlog

from bot.metrics.instruments import Instruments
from bot.processes import Processes
from charts.locales import ENGLISH, Locale, get_locale
from charts.packing import pack
from charts.render import Chart, compute_content_key, render, warm_up
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

    async def draw(self, chart: Chart, locale: Locale = ENGLISH) -> bytes:
        """Draw a chart as PNG."""
        measured = self._instruments.renders.time() if self._instruments else nullcontext()
        with measured:
            return await self._processes.run(render, chart, locale)

    async def warm_up(self) -> None:
        """Start the processes before anybody waits for them."""
        await self._processes.run(warm_up)

    def close(self) -> None:
        self._processes.close()


class Pictures:
    """Links charts under addresses that stay the same, and draws each chart once for a repository.

    A new chart is linked at once and drawn in the background: a comment does not wait for its picture. If the
    picture is asked for earlier, cannot be drawn now, or this process ends meanwhile,
    bot/webhooks/chart_route.py draws it, or shows that it cannot be drawn.
    """

    def __init__(self, database: Database, renderer: ChartRenderer, public_url: str) -> None:
        self._database = database
        self._renderer = renderer
        self._public_url = public_url
        self._drawings = set[asyncio.Task[None]]()
        self._log = structlog.get_logger(__name__)

    async def link(self, organization_id: int, project: Project, chart: Chart) -> str:
        """Get the address of a chart in the current locale; a new chart begins to be drawn.

        Each repository has addresses of its own: they end when the repository may link no pictures any more.
        """
        locale = get_locale()
        key = compute_content_key(chart, locale)
        async with self._database.tenant(organization_id, durable=False) as tenant:
            files = ChartFiles(tenant)
            token, is_new = await files.token_of(project, key), False
            if token is None:
                token, is_new = await files.store(project, key, pack(chart, locale)), True
        if is_new:
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
        self, organization_id: int, project: Project, parts: Sequence[str | Picture]
    ) -> str:
        """Join parts to Markdown, with each picture as an image with its alternative text."""
        texts = list[str]()
        for part in parts:
            if isinstance(part, Picture):
                url = await self.link(organization_id, project, part.chart)
                texts.append(f"![{part.alt}]({url})")
            else:
                texts.append(part)
        return "\n\n".join(texts)
