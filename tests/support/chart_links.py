"""Links to charts in answers."""

import re

from bot.publishing.pictures import Pictures
from charts.render import Chart
from storage.projects import Project, Projects
from tests.support.conversations import comment_in_sprint, wait_for_answer
from tests.support.running import Bot


async def find_project(bot: Bot) -> Project:
    """Find the bot's repository in the database."""
    async with bot.base.database.tenant(1) as tenant:
        project = await Projects(tenant).by_name(bot.repo)
    assert project
    return project


async def request_chart_path(bot: Bot) -> str:
    """Ask for a status and return the path of the chart in the answer."""
    number, comment = await comment_in_sprint(bot)
    (answer,) = await wait_for_answer(bot, number, comment)
    link = re.search(r"!\[Burndown: [^]]+]\(http://127\.0\.0\.1:8080(/charts/[\w-]{32}\.png)\)", answer)
    assert link, answer
    return link[1]


class DrawnPictures(Pictures):
    """Pictures that are drawn when they are linked, for tests without a worker, which would end the drawing."""

    async def link(self, organization_id: int, project: Project, chart: Chart) -> str:
        url = await super().link(organization_id, project, chart)
        await self.finish()
        return url
