"""Builds the posts of the billing issue: the issue, its comments, and its text once it is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from commands.messages.billing_notices import (
    ISSUE_TITLE,
    MOVED,
    SETTLED,
    SWITCHED_OFF,
    WITHDRAWN,
    WITHDRAWN_TITLE,
    issue_text,
    news_text,
)
from marketplace.accounts import Billing, BillingOffer, load_billing
from marketplace.notices import Notice, NoticeKind, collect_notices
from storage.billing_posts import ISSUE, NEWS, BillingPost, BillingPosts
from storage.database import Tenant
from storage.deadlines import Deadlines
from storage.post_states import Post, PostKind
from storage.projects import Project, Projects
from storage.subscriptions import Subscriptions

OFF = "off"
# The number of repositories in which we look for one that accepts issues.
MAX_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class BillingIssueState:
    """The notices for an owner, the posts so far, and the repositories that may hold the billing issue.

    `candidates` begin with the repository that holds the issue already; then come those with the latest
    activity. `projects` are the candidates and all repositories with posts, by id. `is_off`: the account has
    switched the billing issue off.
    """

    billing: Billing
    notices: tuple[Notice, ...]
    posts: tuple[BillingPost, ...]
    candidates: tuple[Project, ...]
    projects: Mapping[int, Project]
    is_off: bool


async def load_issue_state(tenant: Tenant, now: datetime, offer: BillingOffer) -> BillingIssueState | None:
    """Load the state of an account's billing issue. None if there are neither notices nor posts."""
    billing_posts = BillingPosts(tenant)
    posts = tuple(await billing_posts.all())
    if not posts and not await Subscriptions(tenant).all() and await Deadlines(tenant).latest() is None:
        return None  # Most accounts end here, which costs less than reading the rest.
    billing = await load_billing(tenant, now, offer)
    notices = collect_notices(billing) if billing else ()
    if billing is None or not (notices or posts):
        return None
    projects, setting = Projects(tenant), await billing_posts.setting()
    existing = [
        billing_post
        for billing_post in reversed(posts)
        if billing_post.is_issue and not (billing_post.is_gone or billing_post.is_withdrawn)
    ]
    ids = [
        billing_post.project_id
        for billing_post in sorted(existing, key=lambda billing_post: not _is_open(billing_post.post))
    ]
    if isinstance(setting, Mapping):
        chosen = await projects.by_name(f"{billing.account.name}/{setting.get('repository')}")
        ids = [chosen.id] if chosen else []
    elif setting == OFF:
        ids = []
    else:
        ids += (await billing_posts.private_repositories())[: MAX_CANDIDATES + len(posts)]
    loaded = [
        await projects.get(project_id)
        for project_id in {*ids, *(billing_post.project_id for billing_post in posts)}
    ]
    by_id = {project.id: project for project in loaded if project is not None}
    refusing_ids = {
        billing_post.project_id
        for billing_post in posts
        if billing_post.is_issue and billing_post.refused and not billing_post.is_gone
    }
    allowed = (
        by_id[project_id]
        for project_id in dict.fromkeys(ids)
        if project_id in by_id and project_id not in refusing_ids
    )
    usable = tuple(
        project
        for project in allowed
        if project.is_private and project.is_accessible and not project.settings.is_paused
    )
    return BillingIssueState(billing, notices, posts, usable, by_id, setting == OFF)


def find_current_issue(posts: Sequence[BillingPost], host: Project | None) -> BillingPost | None:
    """Return the account's billing issue in the repository `host`, if there is one."""
    issues = [
        billing_post
        for billing_post in posts
        if host is not None
        and billing_post.is_issue
        and billing_post.project_id == host.id
        and not (billing_post.is_gone or billing_post.is_withdrawn)
    ]
    return issues[-1] if issues else None


def is_deleted_without_news(state: BillingIssueState, current: BillingPost | None) -> bool:
    """Whether the issue was deleted by a person, without any newer notice."""
    deleted = [billing_post for billing_post in state.posts if billing_post.is_gone and billing_post.is_issue]
    announced_keys = {key for billing_post in deleted for key in billing_post.notices}
    return current is None and bool(deleted) and all(notice.key in announced_keys for notice in state.notices)


def list_mentioned_logins(current: BillingPost | None) -> tuple[str, ...]:
    """Return the logins that the open issue mentions. Empty for a closed one: its owners may have changed."""
    if current is None or not _is_open(current.post):
        return ()
    return tuple(map(str, current.post.data.get("people", ())))


def make_next_key(posts: Sequence[BillingPost], host: Project) -> str:
    """Return the key of the next issue in a repository; earlier ones may be deleted or withdrawn."""
    number = (
        sum(1 for billing_post in posts if billing_post.is_issue and billing_post.project_id == host.id) + 1
    )
    return f"{ISSUE}{number}"


def make_open_issue(state: BillingIssueState, key: str, people: Sequence[str], links: Any) -> Post:
    """Build the open issue with all current notices. `people` are the logins that it mentions."""
    data = {
        "title": ISSUE_TITLE,
        "state": "open",
        "notices": [notice.key for notice in state.notices],
        "people": list(people),
        "deletion": any(notice.kind is NoticeKind.DELETION for notice in state.notices),
    }
    return Post(key, PostKind.ISSUE, issue_text(state.billing, links, people), data=data)


def close_issue(post: Post, body: str) -> Post:
    """Build the closed issue; `body` explains the reason for closing."""
    data = {"title": ISSUE_TITLE, "state": "closed", "state_reason": "completed", "notices": []}
    return replace(post, body=body, data=data)


def withdraw_post(post: Post) -> Post:
    """Replace a post by a neutral sentence, because its repository is public now."""
    data: dict[str, Any] = {"withdrawn": True}
    if post.kind is PostKind.ISSUE:
        data |= {"title": WITHDRAWN_TITLE, "state": "closed", "state_reason": "not_planned", "notices": []}
    return replace(post, body=WITHDRAWN, data=data)


def explain_closing(state: BillingIssueState, host: Project | None) -> str:
    """Return the text of a closed issue: settled, switched off, moved or withdrawn."""
    if not state.notices:
        return SETTLED
    return SWITCHED_OFF if state.is_off else MOVED if host else WITHDRAWN


def make_news_comments(state: BillingIssueState, current: BillingPost | None, now: datetime) -> list[Post]:
    """Build a comment for each new notice in the open issue, because an edit of its text notifies nobody."""
    if current is None or current.external_id is None or current.is_pending or not _is_open(current.post):
        return []
    return [
        Post(
            f"{NEWS}{notice.key}:{now:%Y-%m-%d}",
            PostKind.COMMENT,
            news_text(notice),
            current.external_id,
            # The comment is only posted together with the issue.
            {"notices": [notice.key], "beside": current.post.key},
        )
        for notice in state.notices
        if notice.key not in current.sent_notices
    ]


def refresh_post(state: BillingIssueState, billing_post: BillingPost, links: Any) -> Post | None:
    """Rebuild a post in a private repository from the current state. None if it no longer applies."""
    post = billing_post.post
    if billing_post.is_withdrawn or (billing_post.is_issue and not _is_open(post)):
        return post
    if not billing_post.is_issue:
        current_keys = {notice.key for notice in state.notices}
        return post if billing_post.notices <= current_keys else None
    if not state.notices:
        return close_issue(post, SETTLED) if billing_post.external_id is not None else None
    return make_open_issue(state, post.key, [str(login) for login in post.data.get("people", ())], links)


def find_post(state: BillingIssueState | None, project_id: int, key: str) -> BillingPost | None:
    """Return the post with a key in a repository. None if there is none."""
    posts = state.posts if state else ()
    return next((post for post in posts if (post.project_id, post.post.key) == (project_id, key)), None)


def _is_open(post: Post) -> bool:
    return bool(post.data.get("state", "open") == "open")
