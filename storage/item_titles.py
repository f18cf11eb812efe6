"""The titles of issues and pull requests, for lists that are read outside GitHub."""

from collections.abc import Collection

from sqlalchemy import text

from sprints.numbering import Number, qualify_number, split_number
from storage.database import Tenant
from storage.projects import Project

# An item that is gone was deleted, or is in a repository that the reader may not be allowed to see.
_TITLES = text(
    "select project_id, number, projection->'flow'->>'title' as title from item_projections"
    " where organization_id = :tenant and project_id = any(:projects) and number = any(:numbers)"
    " and projection is not null and not coalesce((projection->>'is_gone')::boolean, false)"
)


async def read_titles(tenant: Tenant, project: Project, numbers: Collection[Number]) -> dict[Number, str]:
    """Read the titles of items as they are now, as far as everybody who can read `project` may know them.

    Repositories that share sprints are all public or all private (`storage/projects.py`). Who reads one
    private repository need not be allowed to read another one, so items of others have no title there.
    """
    names = {project.id: ""}
    if not project.is_private:
        names |= {
            member.id: member.full_name or ""
            for member in project.sharing
            if member.id != project.id and not member.is_private
        }
    values = {
        "tenant": tenant.organization_id,
        "projects": list(names),
        "numbers": [split_number(number)[1] for number in numbers],
    }
    rows = await tenant.connection.execute(_TITLES, values)
    titles = {qualify_number(names[row.project_id], row.number): str(row.title or "") for row in rows}
    return {number: title for number, title in titles.items() if number in numbers and title}
