"""Adds titles to the items in the lists of what is published."""

from dataclasses import dataclass

from commands.formatting.listed_items import ItemPages, add_titles, find_listed_items
from storage.database import Tenant
from storage.item_titles import read_titles
from storage.projects import Project


@dataclass(frozen=True, slots=True)
class ItemTitles:
    """Names items by number and title; `web_url` is the address of GitHub's web pages."""

    web_url: str

    async def add(self, tenant: Tenant, project: Project, markdown: str) -> str:
        """Add to a text for a repository the titles of the items that its lists name."""
        numbers = find_listed_items(markdown)
        if not numbers or project.full_name is None:
            return markdown
        titles = await read_titles(tenant, project, numbers)
        return add_titles(markdown, titles, ItemPages(self.web_url, project.full_name))
