"""What the billing issue says, from values: the issue, the comments in it, and what is left when it moves."""

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
from marketplace.accounts import Billing, Offer, load_billing
from marketplace.notices import Notice, NoticeKind, collect_notices
from sprints.quiet import is_paused
from storage.billing_posts import ISSUE, NEWS, BillingPost, BillingPosts
from storage.database import Tenant
from storage.deadlines import Deadlines
from storage.posts import Post, PostKind
from storage.projects import Project, Projects
from storage.subscriptions import Subscriptions

OFF = "off"
# So many repositories are looked at for one that takes issues.
MOST_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """What an owner has to hear, what was said of it so far, and the repositories that may hold the issue.

    `places` begin with the repository that holds the issue already, and are otherwise those in which we were
    last at work. `projects` are these, and all in which something was said. `is_off`: the account wants none.
    """

    billing: Billing
    notices: tuple[Notice, ...]
    posts: tuple[BillingPost, ...]
    places: tuple[Project, ...]
    projects: Mapping[int, Project]
    is_off: bool


async def read_scene(tenant: Tenant, now: datetime, shop: Offer) -> Scene | None:
    """What an owner has to hear. None if there is nothing, and never was."""
    billing_posts = BillingPosts(tenant)
    posts = tuple(await billing_posts.all())
    if not posts and not await Subscriptions(tenant).all() and await Deadlines(tenant).latest() is None:
        return None  # As most accounts are; that costs less to find out than whatever else is read.
    billing = await load_billing(tenant, now, shop)
    notices = collect_notices(billing) if billing else ()
    if billing is None or not (notices or posts):
        return None
    projects, setting = Projects(tenant), await billing_posts.setting()
    standing = [
        billing_post
        for billing_post in reversed(posts)
        if billing_post.is_issue and not (billing_post.is_gone or billing_post.is_withdrawn)
    ]
    ids = [
        billing_post.project_id
        for billing_post in sorted(standing, key=lambda billing_post: not _is_open(billing_post.post))
    ]
    if isinstance(setting, Mapping):
        chosen = await projects.by_name(f"{billing.account.name}/{setting.get('repository')}")
        ids = [chosen.id] if chosen else []
    elif setting == OFF:
        ids = []
    else:
        ids += (await billing_posts.private_repositories())[: MOST_LOOKED_AT + len(posts)]
    looked_up = [
        await projects.get(project_id)
        for project_id in {*ids, *(billing_post.project_id for billing_post in posts)}
    ]
    by_id = {project.id: project for project in looked_up if project is not None}
    refusing = {
        billing_post.project_id
        for billing_post in posts
        if billing_post.is_issue and billing_post.refused and not billing_post.is_gone
    }
    places = (
        by_id[project_id]
        for project_id in dict.fromkeys(ids)
        if project_id in by_id and project_id not in refusing
    )
    usable = tuple(
        project
        for project in places
        if project.is_private and project.is_accessible and not is_paused(project.settings)
    )
    return Scene(billing, notices, posts, usable, by_id, setting == OFF)


def current_issue(posts: Sequence[BillingPost], place: Project | None) -> BillingPost | None:
    """The account's issue, if it stands where it belongs."""
    here = [
        billing_post
        for billing_post in posts
        if place is not None
        and billing_post.is_issue
        and billing_post.project_id == place.id
        and not (billing_post.is_gone or billing_post.is_withdrawn)
    ]
    return here[-1] if here else None


def is_unwanted(scene: Scene, current: BillingPost | None) -> bool:
    """Whether somebody has deleted the issue, and nothing is new since."""
    gone = [billing_post for billing_post in scene.posts if billing_post.is_gone and billing_post.is_issue]
    heard = {key for billing_post in gone for key in billing_post.notices}
    return current is None and bool(gone) and all(notice.key in heard for notice in scene.notices)


def called_before(current: BillingPost | None) -> tuple[str, ...]:
    """Who was called in the issue that is open; when it is opened again, the owners may be others."""
    if current is None or not _is_open(current.post):
        return ()
    return tuple(map(str, current.post.data.get("people", ())))


def next_key(posts: Sequence[BillingPost], place: Project) -> str:
    """The key of another issue in a repository, where earlier ones were deleted or withdrawn."""
    number = (
        sum(1 for billing_post in posts if billing_post.is_issue and billing_post.project_id == place.id) + 1
    )
    return f"{ISSUE}{number}"


def open_issue(scene: Scene, key: str, people: Sequence[str], links: Any) -> Post:
    """The issue as it says all that holds. `people` are the logins that it calls."""
    data = {
        "title": ISSUE_TITLE,
        "state": "open",
        "notices": [notice.key for notice in scene.notices],
        "people": list(people),
        "deletion": any(notice.kind is NoticeKind.DELETION for notice in scene.notices),
    }
    return Post(key, PostKind.ISSUE, issue_text(scene.billing, links, people), data=data)


def closed(post: Post, body: str) -> Post:
    """The issue closed, because nothing is due or it stands elsewhere; `body` says which."""
    data = {"title": ISSUE_TITLE, "state": "closed", "state_reason": "completed", "notices": []}
    return replace(post, body=body, data=data)


def withdrawn(post: Post) -> Post:
    """Nothing but a neutral sentence: others can read it now."""
    data: dict[str, Any] = {"withdrawn": True}
    if post.kind is PostKind.ISSUE:
        data |= {"title": WITHDRAWN_TITLE, "state": "closed", "state_reason": "not_planned", "notices": []}
    return replace(post, body=WITHDRAWN, data=data)


def why_closed(scene: Scene, place: Project | None) -> str:
    """What is left of an issue that is not open any more."""
    if not scene.notices:
        return SETTLED
    return SWITCHED_OFF if scene.is_off else MOVED if place else WITHDRAWN


def news(scene: Scene, current: BillingPost | None, now: datetime) -> list[Post]:
    """A comment for each thing that is new in an issue that is open: an edit of its text notifies nobody."""
    if current is None or current.external_id is None or current.is_pending or not _is_open(current.post):
        return []
    return [
        Post(
            f"{NEWS}{notice.key}:{now:%Y-%m-%d}",
            PostKind.COMMENT,
            news_text(notice),
            current.external_id,
            # Without the issue it is not said either.
            {"notices": [notice.key], "beside": current.post.key},
        )
        for notice in scene.notices
        if notice.key not in current.sent_notices
    ]


def fresh_post(scene: Scene, billing_post: BillingPost, links: Any) -> Post | None:
    """A post in a private repository as it is to be said now. None if it does not hold any more."""
    post = billing_post.post
    if billing_post.is_withdrawn or (billing_post.is_issue and not _is_open(post)):
        return post
    if not billing_post.is_issue:
        holds = {notice.key for notice in scene.notices}
        return post if billing_post.notices <= holds else None
    if not scene.notices:
        return closed(post, SETTLED) if billing_post.external_id is not None else None
    return open_issue(scene, post.key, [str(login) for login in post.data.get("people", ())], links)


def post_of(scene: Scene | None, project_id: int, key: str) -> BillingPost | None:
    """What was said under a key in a repository."""
    posts = scene.posts if scene else ()
    return next((post for post in posts if (post.project_id, post.post.key) == (project_id, key)), None)


def _is_open(post: Post) -> bool:
    return bool(post.data.get("state", "open") == "open")
