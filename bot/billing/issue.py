"""The billing issue: tells an account's owner what is about to cost them money or data.

At most one issue for an account, in a private repository, edited in place: opened when there is something to
tell, closed when nothing is left, and opened again, the same one, when something new comes. What is wanted is
written down as posts; `bot/posting.py` brings it to GitHub, as it is to be said at that moment.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import procrastinate
import structlog

from bot.github import GitHub, GitHubRefusedError, GitHubUnavailableError
from commands.cards.notices import (
    ISSUE_TITLE,
    MOVED,
    SETTLED,
    SWITCHED_OFF,
    WITHDRAWN,
    WITHDRAWN_TITLE,
    issue_text,
    news_text,
)
from marketplace.accounts import Billing, Shop, billing_of
from marketplace.notices import Notice, NoticeKind, notices_of
from sprints.quiet import is_paused
from storage.billing_posts import ISSUE, NEWS, BillingPost, BillingPosts
from storage.database import Database, Tenant
from storage.jobs import OTHERS, TELL_OWNER, Jobs
from storage.lookups import all_tenants
from storage.posts import Post, PostKind, Posts
from storage.projects import Project, Projects
from storage.subscriptions import Subscriptions

TELL_OWNERS = "tell_owners"
OFF = "off"
# So many repositories are looked at for one that takes issues.
_MOST_LOOKED_AT = 10
# More owners would be called in vain: one of them is enough.
_MOST_CALLED = 5
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


@dataclass(frozen=True, slots=True)
class Scene:
    """What an owner has to hear, what was said of it so far, and the repositories that may hold the issue.

    `places` begin with the repository that holds the issue already, and are otherwise those in which we were
    last at work. `projects` are these, and all in which something was said.
    """

    billing: Billing
    notices: tuple[Notice, ...]
    posts: tuple[BillingPost, ...]
    places: tuple[Project, ...]
    projects: Mapping[int, Project]
    is_off: bool


class BillingIssue:
    """Keeps one account's billing issue up to date. Each of its jobs can be repeated at any time."""

    def __init__(
        self, database: Database, github: GitHub, shop: Shop, jobs: Jobs, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._github = github
        self._shop = shop
        self._jobs = jobs
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    def register(self, queue: procrastinate.App) -> None:
        """Adds the job that tells one owner, and the daily one that finds all who have something to hear."""
        retry = procrastinate.RetryStrategy(max_attempts=5, exponential_wait=4)
        queue.task(name=TELL_OWNER, queue=OTHERS, retry=retry)(self._tell_job)
        task = queue.task(name=TELL_OWNERS, queue=OTHERS, queueing_lock=TELL_OWNERS)(self.tell_all)
        queue.periodic(cron="10 5 * * *")(task)

    async def tell_all(self, timestamp: int = 0) -> None:  # noqa: ARG002 - the clock's argument
        """Queues a job for each account whose owner has something to hear, or heard something before."""
        async with self._database.nobody() as connection:
            tenants = await all_tenants(connection)
        for organization_id in tenants:
            try:
                async with self._database.tenant(organization_id) as tenant:
                    scene = await read_scene(tenant, self._clock(), self._shop)
                    if scene is not None:
                        await self._jobs.tell_owner(tenant.connection, organization_id=organization_id)
            except Exception:  # noqa: BLE001 - an account that cannot be read stops no other
                self._log.exception("billing not looked at", organization=organization_id)

    async def _tell_job(self, organization_id: int) -> None:
        with structlog.contextvars.bound_contextvars(organization=organization_id):
            try:
                await self.tell(organization_id)
            except GitHubUnavailableError as problem:
                async with self._database.nobody() as connection:
                    await self._jobs.tell_owner(connection, problem.retry_at, organization_id=organization_id)

    async def tell(self, organization_id: int) -> None:
        """Writes down what the billing issue of an account should say now.

        Raises GitHubUnavailableError; then nothing has changed.
        """
        async with self._database.tenant(organization_id) as tenant:
            scene = await read_scene(tenant, self._clock(), self._shop)
        if scene is None:
            return
        place = await self._usable(scene.places) if scene.notices else None
        current = _current(scene.posts, place)
        people: Sequence[str] = ()
        if place is not None:
            people = _called_before(current) or await self._owners(scene.billing, place)
        async with self._database.tenant(organization_id) as tenant:
            # Nobody else changes what is paid for, or says anything of it, while this is written down.
            await Subscriptions(tenant).lock()
            scene = await read_scene(tenant, self._clock(), self._shop)
            if scene is None:
                return
            if await self._write(tenant, scene, place, people):
                await self._jobs.send_posts(tenant.connection, organization_id=organization_id)

    async def as_of_now(self, organization_id: int, project_id: int, post: Post) -> Post | None:
        """A post of ours as it is to be said now. None if it is not to be said any more.

        GitHub is asked whether the repository is still private: of money nothing is said in public.
        """
        async with self._database.tenant(organization_id) as tenant:
            scene = await read_scene(tenant, self._clock(), self._shop)
        known = _post_of(scene, project_id, post.key)
        if scene is None or known is None or (project := scene.projects.get(project_id)) is None:
            return None
        if not await self._is_private(project):
            fresh = _withdrawn(post) if known.external_id is not None else None
        else:
            fresh = _fresh(scene, known, self._links(scene.billing))
        if fresh is None:  # It is withdrawn, or said elsewhere.
            async with self._database.nobody() as connection:
                await self._jobs.tell_owner(connection, organization_id=organization_id)
        return fresh

    async def _write(
        self, tenant: Tenant, scene: Scene, place: Project | None, people: Sequence[str]
    ) -> bool:
        """Whether anything is to be sent."""
        posts, now = Posts(tenant), self._clock()
        current = _current(scene.posts, place)
        wanted = list[tuple[int, Post]]()
        for said in scene.posts:
            project = scene.projects.get(said.project_id)
            if said.is_gone or said.is_withdrawn or project is None:
                continue
            is_current = current is not None and said.post.key == current.post.key
            if not project.is_private:
                replacement = _withdrawn(said.post)
            elif said.is_issue and not (is_current and said.project_id == (place and place.id)):
                replacement = _closed(said.post, _why_closed(scene, place))
            else:
                continue
            if said.external_id is None and said.sent_at is None:
                await posts.withdraw(said.project_id, [said.post.key])
            else:
                wanted.append((said.project_id, replacement))
        if place is not None and scene.notices and not _is_unwanted(scene, current):
            key = current.post.key if current else _next_key(scene.posts, place)
            wanted.append((place.id, _open(scene, key, people, self._links(scene.billing))))
            wanted += [(place.id, comment) for comment in _news(scene, current, now)]
        return any([await posts.want(project_id, post, now) for project_id, post in wanted])

    def _links(self, billing: Billing) -> Any:
        return self._shop.links(billing.account.github_id)

    async def _usable(self, places: Sequence[Project]) -> Project | None:
        """The first repository in which GitHub lets us open an issue that the public cannot read."""
        for project in places[:_MOST_LOOKED_AT]:
            repository = await self._look_at(project)
            if (
                repository.get("private") is True
                and repository.get("has_issues") is True
                and repository.get("archived") is not True
            ):
                return project
        return None

    async def _is_private(self, project: Project) -> bool:
        return project.is_private and (await self._look_at(project)).get("private") is True

    async def _look_at(self, project: Project) -> Mapping[str, Any]:
        """The repository as GitHub has it; empty where it is out of our sight."""
        installation = self._github.installation(project.installation or 0)
        try:
            return dict(await installation.get(f"/repos/{project.full_name}"))
        except GitHubRefusedError as refusal:
            self._log.warning("repository out of sight", project=project.id, status=refusal.status)
            return {}

    async def _owners(self, billing: Billing, place: Project) -> tuple[str, ...]:
        """The logins of those who own the account, those on planned work first; empty if GitHub says none."""
        account = billing.account
        if account.kind != "Organization":
            return (account.name,)
        installation = self._github.installation(place.installation or 0)
        path = f"/orgs/{account.name}/members?role=admin&per_page=100"
        try:
            owners = [str(one["login"]) for one in await installation.get(path)]
        except GitHubRefusedError as refusal:
            self._log.warning("owners not named by GitHub", status=refusal.status)
            return ()
        at_work = {login.lower() for login in billing.people}
        owners = [login for login in owners if _LOGIN.fullmatch(login)]
        return tuple(sorted(owners, key=lambda login: login.lower() not in at_work)[:_MOST_CALLED])


async def read_scene(tenant: Tenant, now: datetime, shop: Shop) -> Scene | None:
    """What an owner has to hear. None if there is nothing, and never was."""
    billing = await billing_of(tenant, now, shop)
    if billing is None:
        return None
    notices, billing_posts = notices_of(billing), BillingPosts(tenant)
    posts = tuple(await billing_posts.all())
    if not notices and not posts:
        return None
    projects, setting = Projects(tenant), await billing_posts.setting()
    ids = [said.project_id for said in reversed(posts) if said.is_issue and _is_open(said.post)]
    chosen = None
    if isinstance(setting, Mapping):
        chosen = await projects.named(f"{billing.account.name}/{setting.get('repository')}")
        ids = [chosen.id] if chosen else []
    elif setting == OFF:
        ids = []
    else:
        ids += (await billing_posts.private_repositories())[: _MOST_LOOKED_AT + len(posts)]
    known = {one: await projects.get(one) for one in {*ids, *(said.project_id for said in posts)}}
    found = {one: project for one, project in known.items() if project is not None}
    refusing = {said.project_id for said in posts if said.refused is not None and not said.is_gone}
    places = (found[one] for one in dict.fromkeys(ids) if one in found and one not in refusing)
    usable = tuple(
        project
        for project in places
        if project.is_private and project.is_open_to_us and not is_paused(project.settings)
    )
    return Scene(billing, notices, posts, usable, found, setting == OFF)


def _current(posts: Sequence[BillingPost], place: Project | None) -> BillingPost | None:
    """The account's issue, if it stands where it belongs."""
    here = [
        said
        for said in posts
        if place is not None
        and said.is_issue
        and said.project_id == place.id
        and not (said.is_gone or said.is_withdrawn)
    ]
    return here[-1] if here else None


def _is_unwanted(scene: Scene, current: BillingPost | None) -> bool:
    """Whether somebody has deleted the issue, and nothing is new since."""
    gone = [said for said in scene.posts if said.is_gone and said.is_issue]
    heard = {key for said in gone for key in said.notices}
    return current is None and bool(gone) and all(notice.key in heard for notice in scene.notices)


def _called_before(current: BillingPost | None) -> tuple[str, ...]:
    """Who was called in the issue that is open; when it is opened again, the owners may be others."""
    if current is None or not _is_open(current.post):
        return ()
    return tuple(map(str, current.post.data.get("people", ())))


def _next_key(posts: Sequence[BillingPost], place: Project) -> str:
    number = sum(1 for said in posts if said.is_issue and said.project_id == place.id) + 1
    return f"{ISSUE}{number}"


def _open(scene: Scene, key: str, people: Sequence[str], links: Any) -> Post:
    data = {
        "title": ISSUE_TITLE,
        "state": "open",
        "notices": [notice.key for notice in scene.notices],
        "people": list(people),
        "deletion": any(notice.kind is NoticeKind.DELETION for notice in scene.notices),
    }
    return Post(key, PostKind.ISSUE, issue_text(scene.billing, links, people), data=data)


def _closed(post: Post, body: str) -> Post:
    data = {"title": ISSUE_TITLE, "state": "closed", "state_reason": "completed", "notices": []}
    return replace(post, body=body, data=data)


def _withdrawn(post: Post) -> Post:
    """Nothing but a neutral sentence: others can read it now."""
    data: dict[str, Any] = {"withdrawn": True}
    if post.kind is PostKind.ISSUE:
        data |= {"title": WITHDRAWN_TITLE, "state": "closed", "state_reason": "not_planned", "notices": []}
    return replace(post, body=WITHDRAWN, data=data)


def _why_closed(scene: Scene, place: Project | None) -> str:
    if not scene.notices:
        return SETTLED
    return SWITCHED_OFF if scene.is_off else MOVED if place else WITHDRAWN


def _news(scene: Scene, current: BillingPost | None, now: datetime) -> list[Post]:
    """A comment for each thing that is new in an issue that is open: an edit of its text notifies nobody."""
    if current is None or current.external_id is None or current.is_pending or not _is_open(current.post):
        return []
    return [
        Post(
            f"{NEWS}{notice.key}:{now:%Y-%m-%d}",
            PostKind.COMMENT,
            news_text(notice),
            current.external_id,
            {"notices": [notice.key]},
        )
        for notice in scene.notices
        if notice.key not in current.sent_notices
    ]


def _fresh(scene: Scene, known: BillingPost, links: Any) -> Post | None:
    post = known.post
    if known.is_withdrawn or (known.is_issue and not _is_open(post)):
        return post
    if not known.is_issue:
        holds = {notice.key for notice in scene.notices}
        return post if known.notices <= holds else None
    if not scene.notices:
        return _closed(post, SETTLED) if known.external_id is not None else None
    return _open(scene, post.key, [str(login) for login in post.data.get("people", ())], links)


def _post_of(scene: Scene | None, project_id: int, key: str) -> BillingPost | None:
    posts = scene.posts if scene else ()
    return next((one for one in posts if (one.project_id, one.post.key) == (project_id, key)), None)


def _is_open(post: Post) -> bool:
    return bool(post.data.get("state", "open") == "open")
