"""Draws pictures in processes of their own, so that the event loop never waits for one."""

from bot.processes import Processes
from charts.locales import ENGLISH, Locale, get_locale
from charts.packing import pack
from charts.render import Chart, compute_content_key, render, warm_up
from storage.chart_files import ChartFiles
from storage.database import Database
from storage.projects import Project


class Drawing:
    """The processes that draw."""

    def __init__(self, *, processes: int = 1) -> None:
        self._processes = Processes(processes)

    async def draw(self, chart: Chart, locale: Locale = ENGLISH) -> bytes:
        """The picture as PNG."""
        return await self._processes.run(render, chart, locale)

    async def warm_up(self) -> None:
        """Starts the processes before anybody waits for them."""
        await self._processes.run(warm_up)

    def close(self) -> None:
        self._processes.close()


class Pictures:
    """Draws a picture once for each repository and links it under its lasting name."""

    def __init__(self, database: Database, drawing: Drawing, public_url: str) -> None:
        self._database = database
        self._drawing = drawing
        self._public_url = public_url

    async def link(self, organization_id: int, project: Project, chart: Chart) -> str:
        """The address of the picture in the locale that holds here, drawn now or before.

        It is that of this repository alone: the link ends when the repository links no pictures any more.
        """
        locale = get_locale()
        key = compute_content_key(chart, locale)
        async with self._database.tenant(organization_id) as tenant:
            token = await ChartFiles(tenant).token_of(project, key)
        if token is None:
            png = await self._drawing.draw(chart, locale)
            async with self._database.tenant(organization_id, durable=False) as tenant:
                token = await ChartFiles(tenant).store(project, key, png, pack(chart, locale))
        return f"{self._public_url}/charts/{token}.png"
