"""The repositories that a batch of events is about, read once for all of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from storage.database import Tenant
from storage.projects import Projects, RepositoryName

# `file` can name repositories that share sprints; whether this repository is one of them is asked only then.
_READ = text(
    """
    select
        projects.repository_node_id, projects.id, projects.github_repo, projects.is_private,
        projects.named_at, projects.hidden_since,
        (organizations.settings || organizations.file || projects.settings || projects.file || projects.said)
            #> '{sprints,repositories}' is not null
    from projects join organizations on organizations.id = projects.organization_id
    where projects.organization_id = :tenant
        and (projects.repository_node_id = any (:node_ids) or projects.hidden_since is not null)
    """
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A repository as stored. `may_share` is whether its settings name repositories that share sprints."""

    id: int
    full_name: str | None
    is_private: bool
    named_at: datetime
    hidden_since: datetime | None
    may_share: bool

    def needs_change(self, repository: RepositoryName) -> bool:
        """Whether an event tells something new: a later one decides the name and the visibility."""
        is_same = self.full_name == repository.full_name and self.is_private == repository.is_private
        return not is_same and self.named_at < repository.seen_at


class KnownProjects:
    """The repositories of a batch, and those that are hidden, as its transaction sees them."""

    def __init__(self, tenant: Tenant, node_ids: Collection[str]) -> None:
        """`node_ids` are those of all repositories that the batch names."""
        self._tenant = tenant
        self._node_ids = sorted(set(node_ids))
        self._rows: dict[str, _Row] | None = None

    def forget(self) -> None:
        """Read them again at the next question, because the transaction may have changed them."""
        self._rows = None

    async def hidden(self) -> Mapping[str, datetime]:
        """Since when repositories are hidden from the App, by node id."""
        rows = await self._read()
        return {node_id: row.hidden_since for node_id, row in rows.items() if row.hidden_since is not None}

    async def remember(self, repository: RepositoryName) -> int:
        """Store a repository and return its id. The newest event decides its name and visibility."""
        row = (await self._read()).get(repository.node_id)
        if row is not None and not row.needs_change(repository):
            return row.id
        self.forget()
        return await Projects(self._tenant).remember(repository)

    async def may_share(self, project_id: int) -> bool:
        """Whether a repository may share sprints with others, by its settings."""
        rows = (await self._read()).values()
        return next((row.may_share for row in rows if row.id == project_id), True)

    async def _read(self) -> dict[str, _Row]:
        if self._rows is None:
            values = {"tenant": self._tenant.organization_id, "node_ids": self._node_ids}
            rows = await self._tenant.connection.execute(_READ, values)
            self._rows = {node_id: _Row(*columns) for node_id, *columns in rows}
        return self._rows
