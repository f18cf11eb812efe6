"""What may be used, asked in one place for commands, reports and checks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.billing.purchase_links import PurchaseLinks
from commands.formatting.wording import full_day
from commands.messages.billing_notices import SOURCES
from marketplace.entitlements import (
    THE_ACCOUNT,
    AccountPlan,
    Allowed,
    Decision,
    Denied,
    Entitled,
    EntitlementQuestion,
    SprintSpan,
    allow_everything,
    decide,
    resolve_account_plan,
)
from marketplace.notices import has_seats_for
from marketplace.plans import PUBLIC_REPOSITORIES, SEAT_DAYS, Feature
from storage.billing_posts import BillingPosts
from storage.database import Database, Tenant
from storage.deadlines import Deadline, Deadlines
from storage.projects import Project
from storage.seats import Seats
from storage.sprints import Sprints
from storage.subscriptions import AccountAuditEntry, PreviousPlan, Subscriptions

_NOTICE_PAUSE = timedelta(days=7)
_NOTICE = "billing notice"


class Entitlements:
    """Answers whether a feature may be used, from what the database knows of the account."""

    def __init__(self, database: Database, shop: PurchaseLinks, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._shop = shop
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    def of(self, organization_id: int, project: Project) -> Entitled:
        """The question as it is asked in one repository. Asked again, it is answered as it was at first."""
        if not self._shop.is_on:
            return allow_everything
        answered = dict[tuple[str, str], Decision]()

        async def entitled(feature: str, login: str) -> Decision:
            if (feature, login) not in answered:
                answered[feature, login] = await self._decide(organization_id, project, feature, login)
            return answered[feature, login]

        return entitled

    async def notice(
        self,
        organization_id: int,
        *,
        is_public: bool,
        project_id: int | None = None,
        thread: int | None = None,
    ) -> str | None:
        """A line that an owner should read, once a week at most; None if there is nothing to say.

        In public nothing is said of money. In the billing issue itself, and in its repository on the day on
        which it came up, nothing is said twice.
        """
        if not self._shop.is_on:
            return None
        try:
            if project_id is not None and await self._is_said(organization_id, project_id, thread):
                return None
            return await self._notice(organization_id, is_public=is_public)
        except Exception:  # noqa: BLE001 - an answer must not fail for want of a footnote
            self._log.exception("billing could not be read; nothing is said of it")
            return None

    async def _decide(self, organization_id: int, project: Project, feature: str, login: str) -> Decision:
        if feature not in set(Feature):
            self._log.warning("a command needs a feature that no plan knows", feature=feature)
            return Allowed()
        try:
            async with self._database.tenant(organization_id) as tenant:
                return await self._read_and_decide(tenant, project, Feature(feature), login)
        except Exception:  # noqa: BLE001 - who has paid must not suffer from our trouble
            self._log.exception("billing could not be read; everything is allowed", feature=feature)
            return Allowed()

    async def _read_and_decide(
        self, tenant: Tenant, project: Project, feature: Feature, login: str
    ) -> Decision:
        now, books = self._clock(), Subscriptions(tenant)
        account = await books.account()
        if account is None:
            return Allowed()
        standing = resolve_account_plan(await books.all(), now, self._shop.grace)
        if project.is_private and project.private_since is not None:
            had_in_public = PreviousPlan(PUBLIC_REPOSITORIES.value, None, project.private_since)
            standing = replace(standing, previous_plans=(*standing.previous_plans, had_in_public))
        question = EntitlementQuestion(feature, login, account.name, not project.is_private, now)
        links = self._shop.links(account.github_id)
        people = list[str]()
        if standing.seat_limit is not None and project.is_private and login != THE_ACCOUNT:
            people = await Seats(tenant).active_people(now, SEAT_DAYS)
            if len(people) > standing.seat_limit:
                people = await Seats(tenant).by_seniority(people)
        decision = decide(question, standing, people=people, links=links)
        if isinstance(decision, Denied) and standing.previous_plans:
            spans = await self._sprints(tenant, project, now)
            decision = decide(question, standing, people=people, sprints=spans, links=links)
        if isinstance(decision, Denied) and login != THE_ACCOUNT:
            self._log.info("denied", feature=feature.value, reason=decision.reason.value)
        return decision

    async def _sprints(self, tenant: Tenant, project: Project, now: datetime) -> list[SprintSpan]:
        found = await Sprints(tenant, project).all(now)
        return [SprintSpan(one.start, one.end) for one in found if one.end is not None]

    async def _is_said(self, organization_id: int, project_id: int, thread: int | None) -> bool:
        """Whether the billing issue says it already, here and today."""
        async with self._database.tenant(organization_id) as tenant:
            posts = await BillingPosts(tenant).all()
        issues = (post for post in posts if post.is_issue and post.project_id == project_id)
        today = self._clock().date()
        return any(
            issue.external_id is not None
            and issue.notices
            and (issue.external_id == thread or (issue.sent_at is not None and issue.sent_at.date() == today))
            for issue in issues
        )

    async def _notice(self, organization_id: int, *, is_public: bool) -> str | None:
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            books, deadlines = Subscriptions(tenant), Deadlines(tenant)
            last = await books.last_audit_at(_NOTICE)
            if last is not None and now < last + _NOTICE_PAUSE:
                return None
            account, deadline = await books.account(), await deadlines.latest()
            if account is None:
                return None
            standing = resolve_account_plan(await books.all(), now, self._shop.grace)
            text = _deletion(deadline) or (None if is_public else await _money(tenant, standing, now))
            if text is None:
                return None
            if deadline:
                await deadlines.mark_shown(now)
            await books.record_audit_entry(
                AccountAuditEntry("agile-github-suite", _NOTICE, account.name, {"told": text}, now)
            )
            return text


def _deletion(deadline: Deadline | None) -> str | None:
    if deadline is None:
        return None
    return (
        "This account cancelled on GitHub Marketplace, so its data here will be deleted on "
        f"{full_day(deadline.due_at.date())}. `/agile plan` tells how to keep it."
    )


async def _money(tenant: Tenant, standing: AccountPlan, now: datetime) -> str | None:
    other = standing.fallback
    if other is not None and has_seats_for(other, len(await Seats(tenant).active_people(now, SEAT_DAYS))):
        return (
            f"The last payment by card failed, but {standing.terms.title} stays: it is paid "
            f"{SOURCES[other.source]} too. `/agile plan` tells where the subscription by card is cancelled."
        )
    if standing.grace_ends is not None:
        return (
            f"The last payment for {standing.terms.title} failed. Nothing changes before "
            f"{full_day(standing.grace_ends.date())}; `/agile plan` tells where it is paid."
        )
    if standing.is_paid_twice:
        return "This account pays for more than one plan. Nothing is cut off; `/agile plan` tells more."
    return None
