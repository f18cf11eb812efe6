"""The billing issue: tells an account's owner what is about to cost them money or data.

At most one issue for an account, in a private repository, edited in place: opened when there is something to
tell, closed when nothing is left, and opened again, the same one, when something new comes. What is wanted is
written down as posts; `bot/publishing/posts.py` brings it to GitHub, as it is to be said at that moment.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.billing.issue_posts import (
    MOST_LOOKED_AT,
    Scene,
    called_before,
    closed,
    current_issue,
    fresh_post,
    is_unwanted,
    news,
    next_key,
    open_issue,
    post_of,
    read_scene,
    why_closed,
    withdrawn,
)
from bot.github.client import GitHub, GitHubRefusedError
from marketplace.accounts import Billing, Offer
from storage.database import Database, Tenant
from storage.job_types import SendPostsJob, TellOwnerJob
from storage.jobs import Jobs
from storage.lookups import all_tenants
from storage.posts import Post, Posts
from storage.projects import Project
from storage.subscriptions import Subscriptions

# More owners would be called in vain: one of them is enough.
_MOST_CALLED = 5
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


class BillingIssue:
    """Keeps one account's billing issue up to date. Everything here can be repeated at any time."""

    def __init__(
        self, database: Database, github: GitHub, shop: Offer, jobs: Jobs, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._github = github
        self._shop = shop
        self._jobs = jobs
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def tell_all(self) -> None:
        """Queues a job for each account whose owner has something to hear, or heard something before."""
        async with self._database.unscoped() as connection:
            tenants = await all_tenants(connection)
        for organization_id in tenants:
            try:
                async with self._database.tenant(organization_id) as tenant:
                    scene = await read_scene(tenant, self._clock(), self._shop)
                    if scene is not None:
                        job = TellOwnerJob(organization_id=organization_id)
                        await self._jobs.defer(tenant.connection, job)
            except Exception:  # noqa: BLE001 - an account that cannot be read stops no other
                self._log.exception("billing not looked at", organization=organization_id)

    async def tell(self, organization_id: int) -> None:
        """Writes down what the billing issue of an account should say now.

        Raises GitHubUnavailableError; then nothing has changed.
        """
        async with self._database.tenant(organization_id) as tenant:
            scene = await read_scene(tenant, self._clock(), self._shop)
        if scene is None:
            return
        place = await self._usable(scene.places) if scene.notices else None
        current = current_issue(scene.posts, place)
        people: Sequence[str] = ()
        if place is not None:
            people = called_before(current) or await self._owners(scene.billing, place)
        async with self._database.tenant(organization_id) as tenant:
            # Nobody else changes what is paid for, or says anything of it, while this is written down.
            await Subscriptions(tenant).lock()
            scene = await read_scene(tenant, self._clock(), self._shop)
            if scene is None:
                return
            if await self._write(tenant, scene, place, people):
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))

    async def as_of_now(self, organization_id: int, project_id: int, post: Post) -> Post | None:
        """A post of ours as it is to be said now. None if it is not to be said any more.

        GitHub is asked whether the repository is still private: of money nothing is said in public.
        """
        async with self._database.tenant(organization_id) as tenant:
            scene = await read_scene(tenant, self._clock(), self._shop)
        billing_post = post_of(scene, project_id, post.key)
        if scene is None or billing_post is None or (project := scene.projects.get(project_id)) is None:
            return None
        if not await self._is_private(project):
            fresh = withdrawn(post) if billing_post.external_id is not None else None
        else:
            fresh = fresh_post(scene, billing_post, self._links(scene.billing))
        if fresh is None:  # It is withdrawn, or said elsewhere.
            async with self._database.unscoped() as connection:
                await self._jobs.defer(connection, TellOwnerJob(organization_id=organization_id))
        return fresh

    async def _write(
        self, tenant: Tenant, scene: Scene, place: Project | None, people: Sequence[str]
    ) -> bool:
        """Whether anything is to be sent."""
        posts, now = Posts(tenant), self._clock()
        current = current_issue(scene.posts, place)
        wanted = list[tuple[int, Post]]()
        for billing_post in scene.posts:
            project = scene.projects.get(billing_post.project_id)
            if billing_post.is_gone or billing_post.is_withdrawn or project is None:
                continue
            is_current = current is not None and billing_post.post.key == current.post.key
            if not project.is_private:
                replacement = withdrawn(billing_post.post)
            elif billing_post.is_issue and not (
                is_current and billing_post.project_id == (place and place.id)
            ):
                replacement = closed(billing_post.post, why_closed(scene, place))
            else:
                continue
            if billing_post.external_id is None and billing_post.sent_at is None:
                await posts.withdraw(billing_post.project_id, [billing_post.post.key])
            else:
                wanted.append((billing_post.project_id, replacement))
        if place is not None and scene.notices and not is_unwanted(scene, current):
            key = current.post.key if current else next_key(scene.posts, place)
            wanted.append((place.id, open_issue(scene, key, people, self._links(scene.billing))))
            wanted += [(place.id, comment) for comment in news(scene, current, now)]
        return any([await posts.set_desired(project_id, post, now) for project_id, post in wanted])

    def _links(self, billing: Billing) -> Any:
        return self._shop.links(billing.account.github_id)

    async def _usable(self, places: Sequence[Project]) -> Project | None:
        """The first repository in which GitHub lets us open an issue that the public cannot read."""
        for project in places[:MOST_LOOKED_AT]:
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
            owners = [str(member["login"]) for member in await installation.get(path)]
        except GitHubRefusedError as refusal:
            self._log.warning("owners not named by GitHub", status=refusal.status)
            return ()
        at_work = {login.lower() for login in billing.people}
        owners = [login for login in owners if _LOGIN.fullmatch(login)]
        return tuple(sorted(owners, key=lambda login: login.lower() not in at_work)[:_MOST_CALLED])
