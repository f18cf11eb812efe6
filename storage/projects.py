"""The repositories of a tenant, identified by node id; the name is the last one seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from sprints.rules import Rules
from sprints.settings_parser import parse_settings, parse_shared_repositories
from sprints.team_settings import TeamSettings
from storage.database import Tenant
from storage.tables import chart_files, organizations, projects
from storage.visibility import VisibilityHistory


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """A repository as an event describes it. `seen_at` is the time of the event."""

    node_id: str
    full_name: str
    is_private: bool
    description: str | None
    seen_at: datetime


@dataclass(frozen=True)
class Project:
    """A repository as stored, with its effective settings.

    `stored_settings` are the settings of all origins as JSON, for what shows or edits them; everything else
    reads `settings`.
    `installation` is None while the App is not installed; `synced_at` is None until the first backfill.
    `private_since` is when a public repository became private.
    `sharing` are the repositories whose milestones of the same title form one sprint, this one included, in
    the order of the organization's file; empty where it shares none. The first one leads: its milestones and
    settings hold for the shared sprints, which are reported there.
    `is_active` until the repository is archived, deleted or hidden from the App. `suspended_at` is since when
    the installation is suspended, and GitHub refuses all of its requests.
    """

    id: int
    full_name: str | None
    is_private: bool
    installation: int | None
    stored_settings: dict[str, object]
    synced_at: datetime | None = None
    node_id: str = ""
    other_bots: tuple[str, ...] = ()
    private_since: datetime | None = None
    sharing: tuple["Project", ...] = ()
    is_active: bool = True
    suspended_at: datetime | None = None

    @property
    def is_accessible(self) -> bool:
        """Whether the App can read from, and write to, the repository on GitHub now."""
        is_named = self.installation is not None and self.full_name is not None
        return is_named and self.is_active and self.suspended_at is None

    @property
    def leader(self) -> "Project":
        """The repository that leads the shared sprints; this one where it shares none."""
        return replace(self.sharing[0], sharing=self.sharing) if self.sharing else self

    @property
    def is_led(self) -> bool:
        """Whether another repository leads the shared sprints."""
        return bool(self.sharing) and self.sharing[0].id != self.id

    @property
    def alone(self) -> "Project":
        """This repository without shared sprints, for its own milestones."""
        return replace(self, sharing=())

    @cached_property
    def settings(self) -> TeamSettings:
        """The settings in force, parsed at their first use."""
        return parse_settings(self.stored_settings)

    @property
    def rules(self) -> Rules:
        """The team's calendar, estimates and start labels."""
        return self.settings.rules

    @property
    def may_link_images(self) -> bool:
        """Whether a chart may be a linked image; in a private repository only if the setting asks for it."""
        charts = self.settings.charts
        return charts == "image" if self.is_private else charts != "mermaid"


# Keys stored beside the settings of a file that are no settings (storage/settings_files.py).
FILE_NOTES = frozenset({"wrong", "out_of_sight"})

# Later ones win.
_SETTINGS = (
    organizations.c.settings.op("||")(organizations.c.file)
    .op("||")(projects.c.settings)
    .op("||")(projects.c.file)
    .op("||")(projects.c.said)
)


class Projects:
    """The repositories of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def remember(self, repository: RepositoryName) -> int:
        """Store a repository and return its id. The newest event decides its name and visibility."""
        if unchanged := await self._unchanged(repository):
            return unchanged
        newer = projects.c.named_at < repository.seen_at
        await self._give_up_name(repository)
        fresh = insert(projects).values(
            organization_id=self._organization_id,
            repository_node_id=repository.node_id,
            github_repo=await self._free_name(repository),
            name=repository.full_name.rpartition("/")[2],
            description=repository.description,
            is_private=repository.is_private,
            named_at=repository.seen_at,
        )
        visibility = VisibilityHistory(self._tenant)
        # Of two changes of visibility the later one holds, in whatever order they were delivered.
        is_outdated = await visibility.has_changed_since(
            repository.node_id, repository.seen_at, is_private=repository.is_private
        )
        is_private = projects.c.is_private if is_outdated else fresh.excluded.is_private
        becomes_private = and_(is_private, ~projects.c.is_private)
        statement = fresh.on_conflict_do_update(
            index_elements=["organization_id", "repository_node_id"],
            set_={name: fresh.excluded[name] for name in ("github_repo", "name", "description", "named_at")}
            | {
                "is_private": is_private,
                "private_since": case(
                    (becomes_private, fresh.excluded.named_at), else_=projects.c.private_since
                ),
            },
            where=newer,
        ).returning(projects.c.id)
        project_id = await self._connection.scalar(statement)
        if project_id is not None:
            await visibility.record_sight(project_id, repository.seen_at, is_private=repository.is_private)
        else:
            project_id = await self._connection.scalar(
                select(projects.c.id).where(
                    self._is_mine, projects.c.repository_node_id == repository.node_id
                )
            )
        return int(project_id or 0)

    async def set_active(self, project_id: int, *, is_active: bool) -> None:
        """Set whether periodic tasks serve a repository. Its history stays in either case."""
        await self._connection.execute(
            update(projects).where(self._is_mine, projects.c.id == project_id).values(is_active=is_active)
        )

    async def rename_owner(self, before: str, after: str) -> None:
        """Rename the owner in the names of repositories, because the account has another login."""
        renamed = literal(f"{after}/").op("||")(func.split_part(projects.c.github_repo, "/", 2))
        other = projects.alias()
        is_taken = exists().where(
            other.c.organization_id == self._organization_id, other.c.github_repo == renamed
        )
        await self._connection.execute(
            update(projects)
            .where(
                self._is_mine, func.lower(func.split_part(projects.c.github_repo, "/", 1)) == before.lower()
            )
            .where(~is_taken)
            .values(github_repo=renamed)
        )

    async def with_charts(self) -> list[Project]:
        """The repositories with linked charts, in the order of their ids."""
        has_charts = exists().where(
            chart_files.c.organization_id == self._organization_id, chart_files.c.project_id == projects.c.id
        )
        query = self._query().where(has_charts).order_by(projects.c.id)
        return [_project(row) for row in await self._connection.execute(query)]

    async def active(self) -> list[Project]:
        """The repositories that periodic tasks serve, in the order of their ids.

        The fixed order keeps transactions that defer a job for each of them from deadlocks.
        """
        query = self._query().where(projects.c.is_active).order_by(projects.c.id)
        rows = await self._connection.execute(query)
        return await self._shared([_project(row) for row in rows])

    async def command_settings(self, project_id: int) -> dict[str, Any]:
        """The settings of a repository that commands set."""
        query = select(projects.c.said).where(self._is_mine, projects.c.id == project_id)
        return dict(await self._connection.scalar(query) or {})

    async def set_command_setting(self, project_id: int, key: str, value: object) -> None:
        """Store a setting that a command sets; None removes it, so that the other sources apply."""
        settings = projects.c.said.op("-")(key)
        if value is not None:
            settings = settings.op("||")(literal({key: value}, JSONB))
        # One statement, so that other settings that are stored meanwhile stay.
        await self._connection.execute(
            update(projects).where(self._is_mine, projects.c.id == project_id).values(said=settings)
        )

    async def apply_setting_change(self, project_id: int, key: str, before: object, after: object) -> None:
        """Store the change that a command makes to a setting.

        Of a mapping only the changed entries are stored, so that entries that others changed since the
        command read it stay as they are.
        """
        is_project = (self._is_mine, projects.c.id == project_id)
        settings = await self._connection.scalar(select(projects.c.said).where(*is_project).with_for_update())
        await self.set_command_setting(
            project_id, key, merge_setting_change((settings or {}).get(key), before, after)
        )

    async def get(self, project_id: int) -> Project | None:
        return await self._find(projects.c.id == project_id)

    async def by_node_id(self, node_id: str) -> Project | None:
        """Return the repository with a node id."""
        return await self._find(projects.c.repository_node_id == node_id)

    async def by_name(self, full_name: str) -> Project | None:
        """Return the repository of a full name, in any case."""
        return await self._find(func.lower(projects.c.github_repo) == full_name.lower())

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return projects.c.organization_id == self._organization_id

    async def _unchanged(self, repository: RepositoryName) -> int | None:
        """Return the id of the repository if its row needs no change (the usual case)."""
        same = and_(
            projects.c.github_repo == repository.full_name,
            projects.c.is_private == repository.is_private,
        )
        project_id = await self._connection.scalar(
            select(projects.c.id)
            .where(self._is_mine, projects.c.repository_node_id == repository.node_id)
            .where(or_(same, projects.c.named_at >= repository.seen_at))
        )
        return None if project_id is None else int(project_id)

    async def _give_up_name(self, repository: RepositoryName) -> None:
        """Clear the name at another repository that had it, because that one must have been renamed since."""
        await self._connection.execute(
            update(projects)
            .where(self._is_mine, projects.c.github_repo == repository.full_name)
            .where(projects.c.repository_node_id != repository.node_id)
            .where(projects.c.named_at < repository.seen_at)
            .values(github_repo=None)
        )

    async def _free_name(self, repository: RepositoryName) -> str | None:
        """The name for the row, or None if a repository seen later has it."""
        is_taken = await self._connection.scalar(
            select(literal(1))
            .where(self._is_mine, projects.c.github_repo == repository.full_name)
            .where(projects.c.repository_node_id != repository.node_id)
        )
        return None if is_taken else repository.full_name

    async def _find(self, condition: ColumnElement[bool]) -> Project | None:
        row = (await self._connection.execute(self._query().where(condition))).first()
        return (await self._shared([_project(row)]))[0] if row else None

    async def _shared(self, loaded: Sequence[Project]) -> list[Project]:
        """Add to repositories the ones that they share sprints with."""
        names = {name for project in loaded for name in names_that_share(project)}
        if not names:
            return list(loaded)
        query = self._query().where(projects.c.is_active, func.lower(projects.c.github_repo).in_(names))
        rows = await self._connection.execute(query)
        by_name = {(project.full_name or "").lower(): project for project in map(_project, rows)}
        return [sharing(project, by_name) for project in loaded]

    def _query(self) -> Select[Any]:
        return (
            select(
                projects.c.id,
                projects.c.github_repo,
                projects.c.is_private,
                organizations.c.github_installation_id,
                _SETTINGS,
                projects.c.synced_at,
                projects.c.repository_node_id,
                projects.c.other_bots,
                projects.c.private_since,
                projects.c.is_active,
                organizations.c.suspended_at,
            )
            .join(organizations, organizations.c.id == projects.c.organization_id)
            .where(self._is_mine)
        )


# The settings that decide the numbers come from the leading repository of shared sprints.
LED_SETTINGS = frozenset(
    {
        "timezone", "working_days", "holidays", "days_off", "sizes", "estimate_labels", "started_labels",
        "done_labels", "teams", "people", "cadence", "wip", "late", "goals", "alerts",
    }
)  # fmt: skip


def names_that_share(project: Project) -> list[str]:
    """The full names, in lower case, of the repositories configured to share sprints with a project."""
    owner, _, own = (project.full_name or "").lower().partition("/")
    names = parse_shared_repositories(project.stored_settings)
    return [f"{owner}/{name}" for name in names] if own in names else []


def sharing(project: Project, by_name: Mapping[str, Project]) -> Project:
    """Add to a repository the ones that it shares sprints with, if they are in `by_name` (lower case).

    Public and private repositories share nothing, because private work would be shown to everybody.
    """
    members = tuple(by_name[name] for name in names_that_share(project) if name in by_name)
    is_listed = project.id in {member.id for member in members}
    if len(members) < 2 or not is_listed or len({member.is_private for member in members}) > 1:
        return project
    led = {key: value for key, value in members[0].stored_settings.items() if key in LED_SETTINGS}
    rest = {key: value for key, value in project.stored_settings.items() if key not in LED_SETTINGS}
    return replace(project, sharing=members, stored_settings=rest | led)


def merge_setting_change(now: object, before: object, after: object) -> object:
    """Merge the change of a setting from `before` to `after` into its present value `now`."""
    if not isinstance(after, dict) or not isinstance(now, dict):
        return after
    old = before if isinstance(before, dict) else {}
    removed = old.keys() - after.keys()
    added = {key: value for key, value in after.items() if key not in old or old[key] != value}
    return {key: value for key, value in now.items() if key not in removed} | added


def _project(row: Any) -> Project:
    *columns, is_active, suspended_at = row
    project = Project(*columns)
    return replace(
        project,
        other_bots=tuple(map(str, project.other_bots)),
        stored_settings={
            key: value for key, value in project.stored_settings.items() if key not in FILE_NOTES
        },
        is_active=is_active,
        suspended_at=suspended_at,
    )
