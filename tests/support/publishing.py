"""A harness that publishes posts without pauses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.publishing.posts import PostPublisher
from bot.services import open_github
from storage.lookups import all_tenants
from storage.post_states import Post, PostKind
from storage.posts import Posts
from storage.projects import Projects
from tests.support.running import Bot


@dataclass
class PublishingHarness:
    """A repository with one issue, and a publisher of posts without pauses."""

    bot: Bot
    posting: PostPublisher
    tenant: int
    project: int
    issue: int

    async def set_desired(self, post: Post) -> bool:
        """Store what a post should hold. Returns whether that changed anything."""
        async with self.bot.base.database.tenant(self.tenant) as tenant:
            return await Posts(tenant).set_desired(self.project, post, self.bot.base.clock())

    async def read_thread(self) -> list[str]:
        """List the bot's texts in the thread, without markers."""
        return [text.partition("\n\n<!--")[0] for text in await self.bot.answers(self.issue)]

    async def send(self) -> None:
        """Send what is due."""
        await self.posting.send(self.tenant)

    async def set_setting(self, key: str, value: Any) -> None:
        """Store one setting of the repository."""
        async with self.bot.base.database.tenant(self.tenant) as tenant:
            await Projects(tenant).set_command_setting(self.project, key, value)

    def comment(self, body: str = "Hello", key: str = "living:1") -> Post:
        """Make a post that is a comment on the issue."""
        return Post(key, PostKind.COMMENT, body, self.issue)

    @property
    def writes(self) -> list[str]:
        """List the methods of the writes that GitHub accepted in this repository."""
        requests = self.bot.github.requests
        return [
            entry[0]
            for entry in requests
            if entry[0] in {"POST", "PATCH"} and f"{self.bot.repo}/" in entry[1]
        ]


@pytest.fixture
async def publishing(bot: Bot) -> AsyncIterator[PublishingHarness]:
    """A publisher of posts for one issue."""
    issue = await bot.github.create_issue(bot.repo, "A card")
    await bot.rest()
    async with bot.base.database.unscoped() as connection:
        (tenant,) = await all_tenants(connection)
    async with bot.base.database.tenant(tenant) as tenant_scope:
        project = await Projects(tenant_scope).by_name(bot.repo)
    assert project is not None
    async with open_github(bot.base) as github:
        posting = PostPublisher(bot.base.database, github, bot.base.clock, pause_seconds=0)
        yield PublishingHarness(bot, posting, tenant, project.id, issue["number"])
