"""Links to charts in answers."""

import re

from bot.publishing.pictures import Pictures
from charts.render import Chart
from charts.themes import Theme
from storage.projects import Project, Projects
from tests.support.conversations import comment_in_sprint, wait_for_answer
from tests.support.running import Bot

_PATH = r"/charts/[\w-]{32}\.png"
_THEMED_IMAGE = re.compile(
    rf"""<picture><source media="\(prefers-color-scheme: dark\)" srcset="http://[^"/]+(?P<dark>{_PATH})">"""
    rf"""<img alt="[^"<>]+" src="http://[^"/]+(?P<light>{_PATH})" width="760"></picture>"""
)


async def find_project(bot: Bot) -> Project:
    """Find the bot's repository in the database."""
    async with bot.base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
    assert project
    return project


async def request_chart_path(bot: Bot) -> str:
    """Ask for a status and return the path of the light picture in the answer."""
    light, _ = await request_chart_paths(bot)
    return light


async def request_chart_paths(bot: Bot) -> tuple[str, str]:
    """Ask for a status and return the paths of the light and the dark picture in the answer."""
    number, comment = await comment_in_sprint(bot)
    (answer,) = await wait_for_answer(bot, number, comment)
    return find_chart_paths(answer)


def find_chart_paths(text: str) -> tuple[str, str]:
    """Return the paths of the light and the dark picture of the first chart in a comment."""
    link = _THEMED_IMAGE.search(text)
    assert link, text
    return link["light"], link["dark"]


class DrawnPictures(Pictures):
    """Pictures that are drawn when they are linked, for tests without a worker, which would end the drawing."""

    async def link(
        self, organization_id: int, project: Project, chart: Chart, theme: Theme = Theme.LIGHT
    ) -> str:
        url = await super().link(organization_id, project, chart, theme)
        await self.finish()
        return url
