"""The billing issue: warns an account's owner of coming charges and losses of data.

Each account has at most one issue, in a private repository. It is edited in place: opened when there are
notices, closed when none is left, and reopened for new ones. This module stores the desired posts;
`bot/publishing/posts.py` brings them to GitHub, rebuilt from the state at that moment.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from bot.billing.isolation import accounts_with_billing
from bot.billing.issue_posts import (
    MAX_CANDIDATES,
    BillingIssueState,
    close_issue,
    explain_closing,
    find_current_issue,
    find_post,
    is_deleted_without_news,
    list_mentioned_logins,
    load_issue_state,
    make_news_comments,
    make_next_key,
    make_open_issue,
    refresh_post,
    withdraw_post,
)
from bot.github.client import GitHub, GitHubRefusedError
from marketplace.accounts import Billing, BillingOffer
from storage.database import Database, Tenant
from storage.job_types import SendPostsJob, TellOwnerJob
from storage.jobs import Jobs
from storage.post_states import Post
from storage.posts import Posts
from storage.projects import Project
from storage.subscriptions import Subscriptions

# Mentioning more owners has no use: one of them is enough.
_MAX_MENTIONED = 5
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")


class BillingIssue:
    """Keeps one account's billing issue up to date. Everything here can be repeated at any time."""

    def __init__(
        self,
        database: Database,
        github: GitHub,
        offer: BillingOffer,
        jobs: Jobs,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._github = github
        self._offer = offer
        self._jobs = jobs
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    async def queue_updates(self) -> None:
        """Queue a job for each account that has notices or posts."""
        async for organization_id in accounts_with_billing(self._database):
            try:
                async with self._database.tenant(organization_id) as tenant:
                    state = await load_issue_state(tenant, self._clock(), self._offer)
                    if state is not None:
                        job = TellOwnerJob(organization_id=organization_id)
                        await self._jobs.defer(tenant.connection, job)
            except Exception:  # noqa: BLE001 - a failure for one account must not stop the others
                self._log.exception("billing issue not checked", organization=organization_id)

    async def update(self, organization_id: int) -> None:
        """Store the desired posts of an account's billing issue.

        Raises GitHubUnavailableError; then nothing has changed.
        """
        async with self._database.tenant(organization_id) as tenant:
            state = await load_issue_state(tenant, self._clock(), self._offer)
        if state is None:
            return
        host = await self._find_host(state.candidates) if state.notices else None
        current = find_current_issue(state.posts, host)
        people: Sequence[str] = ()
        if host is not None:
            people = list_mentioned_logins(current) or await self._list_owners(state.billing, host)
        async with self._database.tenant(organization_id) as tenant:
            # Locked, so that subscriptions and posts do not change until the desired posts are stored.
            await Subscriptions(tenant).lock()
            state = await load_issue_state(tenant, self._clock(), self._offer)
            if state is None:
                return
            if await self._store_posts(tenant, state, host, people):
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))

    async def as_of_now(self, organization_id: int, project_id: int, post: Post) -> Post | None:
        """Rebuild a post from the current state. None if it no longer applies.

        GitHub is asked whether the repository is still private: public posts say nothing about money.
        """
        async with self._database.tenant(organization_id) as tenant:
            state = await load_issue_state(tenant, self._clock(), self._offer)
        billing_post = find_post(state, project_id, post.key)
        if state is None or billing_post is None or (project := state.projects.get(project_id)) is None:
            return None
        if not await self._is_private(project):
            fresh = withdraw_post(post) if billing_post.external_id is not None else None
        else:
            fresh = refresh_post(state, billing_post, self._purchase_pages(state.billing))
        if fresh is None:  # The post no longer applies, or belongs in another repository.
            async with self._database.unscoped() as connection:
                await self._jobs.defer(connection, TellOwnerJob(organization_id=organization_id))
        return fresh

    async def _store_posts(
        self, tenant: Tenant, state: BillingIssueState, host: Project | None, people: Sequence[str]
    ) -> bool:
        """Store the desired posts, and return whether any has to be sent."""
        posts, now = Posts(tenant), self._clock()
        current = find_current_issue(state.posts, host)
        desired = list[tuple[int, Post]]()
        for billing_post in state.posts:
            project = state.projects.get(billing_post.project_id)
            if billing_post.is_gone or billing_post.is_withdrawn or project is None:
                continue
            is_current = current is not None and billing_post.post.key == current.post.key
            if not project.is_private:
                replacement = withdraw_post(billing_post.post)
            elif billing_post.is_issue and not (is_current and billing_post.project_id == (host and host.id)):
                replacement = close_issue(billing_post.post, explain_closing(state, host))
            else:
                continue
            if billing_post.external_id is None and billing_post.sent_at is None:
                await posts.withdraw(billing_post.project_id, [billing_post.post.key])
            else:
                desired.append((billing_post.project_id, replacement))
        if host is not None and state.notices and not is_deleted_without_news(state, current):
            key = current.post.key if current else make_next_key(state.posts, host)
            desired.append(
                (host.id, make_open_issue(state, key, people, self._purchase_pages(state.billing)))
            )
            desired += [(host.id, comment) for comment in make_news_comments(state, current, now)]
        return any([await posts.set_desired(project_id, post, now) for project_id, post in desired])

    def _purchase_pages(self, billing: Billing) -> Any:
        return self._offer.links(billing.account.github_id)

    async def _find_host(self, candidates: Sequence[Project]) -> Project | None:
        """Return the first repository that is private, not archived and accepts issues, or None."""
        for project in candidates[:MAX_CANDIDATES]:
            repository = await self._load_repository(project)
            if (
                repository.get("private") is True
                and repository.get("has_issues") is True
                and repository.get("archived") is not True
            ):
                return project
        return None

    async def _is_private(self, project: Project) -> bool:
        return project.is_private and (await self._load_repository(project)).get("private") is True

    async def _load_repository(self, project: Project) -> Mapping[str, Any]:
        """Load a repository from GitHub; empty if the App cannot see it."""
        installation = self._github.installation(project.installation or 0)
        try:
            return dict(await installation.get(f"/repos/{project.full_name}"))
        except GitHubRefusedError as refusal:
            self._log.warning("repository not visible", project=project.id, status=refusal.status)
            return {}

    async def _list_owners(self, billing: Billing, host: Project) -> tuple[str, ...]:
        """Return the logins of the account's owners, those on planned work first; empty if GitHub refuses."""
        account = billing.account
        if account.kind != "Organization":
            return (account.name,)
        installation = self._github.installation(host.installation or 0)
        path = f"/orgs/{account.name}/members?role=admin&per_page=100"
        try:
            owners = [str(member["login"]) for member in await installation.get(path)]
        except GitHubRefusedError as refusal:
            self._log.warning("owners not listed by GitHub", status=refusal.status)
            return ()
        on_planned_work = {login.lower() for login in billing.people}
        owners = [login for login in owners if _LOGIN.fullmatch(login)]
        return tuple(sorted(owners, key=lambda login: login.lower() not in on_planned_work)[:_MAX_MENTIONED])
