"""A tenant's repositories. They are known by node id; a name is what a repository was last called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from sprints.rules import Rules, rules_of
from storage.database import Tenant
from storage.tables import chart_files, organizations, projects
from storage.visibility import VisibilityHistory


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """A repository as a delivery showed it. `seen_at` is the time of that event."""

    node_id: str
    full_name: str
    is_private: bool
    description: str | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Project:
    """A repository as we know it, with the settings that hold for it.

    `installation` is None while the App is not installed; `synced_at` until its past was asked for.
    `private_since` is when one that had been public became private.
    `sharing` are the repositories whose milestones of one title are one sprint, this one included, in the
    order of the organization's file; empty where it shares none. The first of them leads: it is where such a
    sprint is settled and followed.
    `is_active` until it is archived, deleted or out of our sight; `suspended_at` is since when GitHub has
    refused everything of the installation.
    """

    id: int
    full_name: str | None
    is_private: bool
    installation: int | None
    settings: dict[str, object]
    synced_at: datetime | None = None
    node_id: str = ""
    other_bots: tuple[str, ...] = ()
    private_since: datetime | None = None
    sharing: tuple["Project", ...] = ()
    is_active: bool = True
    suspended_at: datetime | None = None

    @property
    def is_open_to_us(self) -> bool:
        """Whether something can be asked of GitHub, or said there, in this repository."""
        is_named = self.installation is not None and self.full_name is not None
        return is_named and self.is_active and self.suspended_at is None

    @property
    def leader(self) -> "Project":
        """The repository that leads in shared sprints; itself where it shares none."""
        return replace(self.sharing[0], sharing=self.sharing) if self.sharing else self

    @property
    def is_led(self) -> bool:
        """Whether another repository leads."""
        return bool(self.sharing) and self.sharing[0].id != self.id

    @property
    def alone(self) -> "Project":
        """The same as if it shared nothing, for what concerns its own milestones."""
        return replace(self, sharing=())

    @property
    def rules(self) -> Rules:
        """The team's days and estimates."""
        return rules_of(self.settings)

    @property
    def links_pictures(self) -> bool:
        """Whether a chart may be a linked picture. In a private repository nothing leaves GitHub unasked."""
        told = self.settings.get("charts")
        return told == "image" if self.is_private else told != "mermaid"


@dataclass(frozen=True, slots=True)
class Presence:
    """How a repository stands with us.

    `hidden_since` is when it went out of our sight, `synced_at` when its past was read last.
    """

    id: int
    is_active: bool
    hidden_since: datetime | None
    synced_at: datetime | None
    synced_from: datetime | None


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """A repository under the name that we know; whether it gets work by the clock, or is out of sight."""

    id: int
    node_id: str
    full_name: str | None
    is_active: bool
    is_hidden: bool


# What is kept beside the settings of a file and is none (storage/settings_files.py).
FILE_NOTES = frozenset({"wrong", "out_of_sight"})

# Later ones win.
_SETTINGS = (
    organizations.c.settings.op("||")(organizations.c.file)
    .op("||")(projects.c.settings)
    .op("||")(projects.c.file)
    .op("||")(projects.c.said)
)


class Projects:
    """One tenant's repositories."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._connection = tenant.connection
        self._organization_id = tenant.organization_id

    async def remember(self, repository: RepositoryName) -> int:
        """The project's id. Name and visibility follow the newest event, in whatever order events come."""
        if known := await self._known(repository):
            return known
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
        # Of two changes the later one holds, whichever of them was delivered first.
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
                select(projects.c.id).where(self._mine, projects.c.repository_node_id == repository.node_id)
            )
        return int(project_id or 0)

    async def set_active(self, project_id: int, *, is_active: bool) -> None:
        """Whether it gets work by the clock. Its history stays in either case."""
        await self._connection.execute(
            update(projects).where(self._mine, projects.c.id == project_id).values(is_active=is_active)
        )

    async def set_hidden(self, node_id: str, since: datetime | None) -> None:
        """Since when the App cannot see it; None if it can. What is known already is not written again."""
        await self._connection.execute(
            update(projects)
            .where(self._mine, projects.c.repository_node_id == node_id)
            .where(
                projects.c.hidden_since.is_not(None) if since is None else projects.c.hidden_since.is_(None)
            )
            .values(hidden_since=since)
        )

    async def presence(self, node_id: str) -> "Presence | None":
        """How a repository stands with us; None if it was never heard of."""
        columns = (projects.c[name] for name in Presence.__dataclass_fields__)
        query = select(*columns).where(self._mine, projects.c.repository_node_id == node_id)
        row = (await self._connection.execute(query)).first()
        return Presence(*row) if row else None

    async def leave(self, node_id: str, at: datetime) -> None:
        """It is out of our sight from now on. Its history stays."""
        await self._connection.execute(
            update(projects)
            .where(self._mine, projects.c.repository_node_id == node_id)
            .values(is_active=False, hidden_since=func.coalesce(projects.c.hidden_since, at))
        )

    async def hidden(self) -> Mapping[str, datetime]:
        """Since when repositories are out of our sight, by node id."""
        query = select(projects.c.repository_node_id, projects.c.hidden_since).where(
            self._mine, projects.c.hidden_since.is_not(None)
        )
        rows = await self._connection.execute(query)
        return {row.repository_node_id: row.hidden_since for row in rows}

    async def never_read(self, before: datetime) -> list[int]:
        """The ids of the repositories known since before a moment of which the past was never asked for."""
        query = select(projects.c.id).where(
            self._mine, projects.c.is_active, projects.c.synced_at.is_(None), projects.c.created_at < before
        )
        return list(await self._connection.scalars(query.order_by(projects.c.id)))

    async def all_known(self) -> list[KnownRepository]:
        """Every repository that the tenant ever had."""
        query = select(
            projects.c.id,
            projects.c.repository_node_id,
            projects.c.github_repo,
            projects.c.is_active,
            projects.c.hidden_since.is_not(None),
        ).where(self._mine)
        return [
            KnownRepository(*row) for row in await self._connection.execute(query.order_by(projects.c.id))
        ]

    async def rename_owner(self, before: str, after: str) -> None:
        """The account has another login, and so have its repositories that were known under the old one."""
        renamed = literal(f"{after}/").op("||")(func.split_part(projects.c.github_repo, "/", 2))
        other = projects.alias()
        is_taken = exists().where(
            other.c.organization_id == self._organization_id, other.c.github_repo == renamed
        )
        await self._connection.execute(
            update(projects)
            .where(self._mine, func.lower(func.split_part(projects.c.github_repo, "/", 1)) == before.lower())
            .where(~is_taken)
            .values(github_repo=renamed)
        )

    async def with_pictures(self) -> list[Project]:
        """The repositories that pictures were linked in, in the order of their ids."""
        has_pictures = exists().where(
            chart_files.c.organization_id == self._organization_id, chart_files.c.project_id == projects.c.id
        )
        query = self._query().where(has_pictures).order_by(projects.c.id)
        return [_project(row) for row in await self._connection.execute(query)]

    async def active(self) -> list[Project]:
        """The repositories that get work by the clock, in the order of their ids.

        Who defers a job for each of them does so in the same order as everybody else.
        """
        query = self._query().where(projects.c.is_active).order_by(projects.c.id)
        rows = await self._connection.execute(query)
        return await self._shared([_project(row) for row in rows])

    async def said(self, project_id: int) -> dict[str, Any]:
        """The settings that commands gave."""
        query = select(projects.c.said).where(self._mine, projects.c.id == project_id)
        return dict(await self._connection.scalar(query) or {})

    async def say(self, project_id: int, key: str, value: object) -> None:
        """Keeps a setting that a command gave; with None, it is what the other origins say."""
        said = projects.c.said.op("-")(key)
        if value is not None:
            said = said.op("||")(literal({key: value}, JSONB))
        # In the one statement: other settings that are given meanwhile stay.
        await self._connection.execute(
            update(projects).where(self._mine, projects.c.id == project_id).values(said=said)
        )

    async def settle(self, project_id: int, key: str, before: object, after: object) -> None:
        """Keeps what a command changed of a setting. Of a mapping only the entries that it changed, so that
        others, changed since the command looked, stay as they are."""
        mine = (self._mine, projects.c.id == project_id)
        said = await self._connection.scalar(select(projects.c.said).where(*mine).with_for_update())
        await self.say(project_id, key, merge_setting_change((said or {}).get(key), before, after))

    async def get(self, project_id: int) -> Project | None:
        return await self._find(projects.c.id == project_id)

    async def of_repository(self, node_id: str) -> Project | None:
        """The repository with this node id."""
        return await self._find(projects.c.repository_node_id == node_id)

    async def named(self, full_name: str) -> Project | None:
        """The repository of this name, in any case."""
        return await self._find(func.lower(projects.c.github_repo) == full_name.lower())

    @property
    def _mine(self) -> ColumnElement[bool]:
        return projects.c.organization_id == self._organization_id

    async def _known(self, repository: RepositoryName) -> int | None:
        """The id, if the row needs no change: the usual case, and one that writes nothing."""
        same = and_(
            projects.c.github_repo == repository.full_name,
            projects.c.is_private == repository.is_private,
        )
        found = await self._connection.scalar(
            select(projects.c.id)
            .where(self._mine, projects.c.repository_node_id == repository.node_id)
            .where(or_(same, projects.c.named_at >= repository.seen_at))
        )
        return None if found is None else int(found)

    async def _give_up_name(self, repository: RepositoryName) -> None:
        """Another repository that had this name must have another one by now, not yet known to us."""
        await self._connection.execute(
            update(projects)
            .where(self._mine, projects.c.github_repo == repository.full_name)
            .where(projects.c.repository_node_id != repository.node_id)
            .where(projects.c.named_at < repository.seen_at)
            .values(github_repo=None)
        )

    async def _free_name(self, repository: RepositoryName) -> str | None:
        """The name, unless a repository seen later has it."""
        taken = await self._connection.scalar(
            select(literal(1))
            .where(self._mine, projects.c.github_repo == repository.full_name)
            .where(projects.c.repository_node_id != repository.node_id)
        )
        return None if taken else repository.full_name

    async def _find(self, condition: ColumnElement[bool]) -> Project | None:
        row = (await self._connection.execute(self._query().where(condition))).first()
        return (await self._shared([_project(row)]))[0] if row else None

    async def _shared(self, found: Sequence[Project]) -> list[Project]:
        """With those that they share sprints with."""
        wanted = {name for project in found for name in names_that_share(project)}
        if not wanted:
            return list(found)
        query = self._query().where(projects.c.is_active, func.lower(projects.c.github_repo).in_(wanted))
        rows = await self._connection.execute(query)
        known = {(project.full_name or "").lower(): project for project in map(_project, rows)}
        return [sharing(project, known) for project in found]

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
            .where(self._mine)
        )


# What settles the numbers is one for all that share a sprint.
LED_SETTINGS = frozenset(
    {
        "timezone", "working_days", "holidays", "days_off", "sizes", "estimate_labels", "started_labels",
        "done_labels", "teams", "wip", "late", "goals", "alerts",
    }
)  # fmt: skip


def names_that_share(project: Project) -> list[str]:
    """The repositories, by their full names in lower case, that shall share the sprints of this one."""
    told = project.settings.get("sprints")
    listed = told.get("repositories") if isinstance(told, Mapping) else None
    owner, _, own = (project.full_name or "").lower().partition("/")
    names = [str(one).lower() for one in listed] if isinstance(listed, list) else []
    return [f"{owner}/{name}" for name in names] if own in names else []


def sharing(project: Project, known: Mapping[str, Project]) -> Project:
    """The repository with those that it shares sprints with, of the `known` ones by name in lower case.

    Public and private ones share nothing: what is private would be shown to everybody.
    """
    members = tuple(known[name] for name in names_that_share(project) if name in known)
    is_one_of_them = project.id in {one.id for one in members}
    if len(members) < 2 or not is_one_of_them or len({one.is_private for one in members}) > 1:
        return project
    led = {key: value for key, value in members[0].settings.items() if key in LED_SETTINGS}
    rest = {key: value for key, value in project.settings.items() if key not in LED_SETTINGS}
    return replace(project, sharing=members, settings=rest | led)


def merge_setting_change(now: object, before: object, after: object) -> object:
    """A setting that a command changed from `before` to `after`, while it has become `now`."""
    if not isinstance(after, dict) or not isinstance(now, dict):
        return after
    was = before if isinstance(before, dict) else {}
    gone = was.keys() - after.keys()
    new = {key: value for key, value in after.items() if key not in was or was[key] != value}
    return {key: value for key, value in now.items() if key not in gone} | new


def _project(row: Any) -> Project:
    *known, is_active, suspended_at = row
    project = Project(*known)
    return replace(
        project,
        other_bots=tuple(map(str, project.other_bots)),
        settings={key: value for key, value in project.settings.items() if key not in FILE_NOTES},
        is_active=is_active,
        suspended_at=suspended_at,
    )
