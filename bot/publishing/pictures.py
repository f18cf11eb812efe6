"""Draws charts in separate processes, so that the event loop never waits for one, and links them."""

from collections.abc import Sequence
from contextlib import nullcontext

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
    """Draws each chart once for a repository, and links it under an address that stays the same."""

    def __init__(self, database: Database, renderer: ChartRenderer, public_url: str) -> None:
        self._database = database
        self._renderer = renderer
        self._public_url = public_url

    async def link(self, organization_id: int, project: Project, chart: Chart) -> str:
        """Get the address of a chart in the current locale; draws it if it has not been drawn yet.

        Each repository has addresses of its own: they end when the repository may link no pictures any more.
        """
        locale = get_locale()
        key = compute_content_key(chart, locale)
        async with self._database.tenant(organization_id) as tenant:
            token = await ChartFiles(tenant).token_of(project, key)
        if token is None:
            png = await self._renderer.draw(chart, locale)
            async with self._database.tenant(organization_id, durable=False) as tenant:
                token = await ChartFiles(tenant).store(project, key, png, pack(chart, locale))
        return f"{self._public_url}/charts/{token}.png"

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
