"""Entitlements: which features an account may use, for commands, reports and checks."""

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
    """Decides whether a feature may be used, from the subscriptions that are stored for the account."""

    def __init__(
        self, database: Database, purchase_links: PurchaseLinks, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._purchase_links = purchase_links
        self._clock = clock
        self._log = structlog.get_logger(__name__)

    def for_project(self, organization_id: int, project: Project) -> Entitled:
        """Return the function that decides for one repository, and repeats its first decisions."""
        if not self._purchase_links.is_on:
            return allow_everything
        decisions = dict[tuple[str, str], Decision]()

        async def entitled(feature: str, login: str) -> Decision:
            if (feature, login) not in decisions:
                decisions[feature, login] = await self._decide(organization_id, project, feature, login)
            return decisions[feature, login]

        return entitled

    async def find_notice(
        self,
        organization_id: int,
        *,
        is_public: bool,
        project_id: int | None = None,
        thread: int | None = None,
    ) -> str | None:
        """Return a line that an owner should read, once a week at most; None if there is none.

        In public repositories the line says nothing about money. It is left out in the billing issue itself,
        and in its repository on the day on which that issue was posted.
        """
        if not self._purchase_links.is_on:
            return None
        try:
            if project_id is not None and await self._is_in_billing_issue(
                organization_id, project_id, thread
            ):
                return None
            return await self._make_notice(organization_id, is_public=is_public)
        except Exception:  # noqa: BLE001 - a reply must not fail because of its footnote
            self._log.exception("billing could not be read; the reply has no notice")
            return None

    async def _decide(self, organization_id: int, project: Project, feature: str, login: str) -> Decision:
        if feature not in set(Feature):
            self._log.warning("a command needs a feature that no plan knows", feature=feature)
            return Allowed()
        try:
            async with self._database.tenant(organization_id) as tenant:
                return await self._read_and_decide(tenant, project, Feature(feature), login)
        except Exception:  # noqa: BLE001 - paying accounts must not suffer from our failure
            self._log.exception("billing could not be read; everything is allowed", feature=feature)
            return Allowed()

    async def _read_and_decide(
        self, tenant: Tenant, project: Project, feature: Feature, login: str
    ) -> Decision:
        now, rows = self._clock(), Subscriptions(tenant)
        account = await rows.account()
        if account is None:
            return Allowed()
        plan = resolve_account_plan(await rows.all(), now, self._purchase_links.grace)
        if project.is_private and project.private_since is not None:
            plan_in_public = PreviousPlan(PUBLIC_REPOSITORIES.value, None, project.private_since)
            plan = replace(plan, previous_plans=(*plan.previous_plans, plan_in_public))
        question = EntitlementQuestion(feature, login, account.name, not project.is_private, now)
        links = self._purchase_links.links(account.github_id)
        people = list[str]()
        if plan.seat_limit is not None and project.is_private and login != THE_ACCOUNT:
            people = await Seats(tenant).active_people(now, SEAT_DAYS)
            if len(people) > plan.seat_limit:
                people = await Seats(tenant).by_seniority(people)
        decision = decide(question, plan, people=people, links=links)
        if isinstance(decision, Denied) and plan.previous_plans:
            spans = await self._load_sprint_spans(tenant, project, now)
            decision = decide(question, plan, people=people, sprints=spans, links=links)
        if isinstance(decision, Denied) and login != THE_ACCOUNT:
            self._log.info("denied", feature=feature.value, reason=decision.reason.value)
        return decision

    async def _load_sprint_spans(self, tenant: Tenant, project: Project, now: datetime) -> list[SprintSpan]:
        sprints = await Sprints(tenant, project).all(now)
        return [SprintSpan(sprint.start, sprint.end) for sprint in sprints if sprint.end is not None]

    async def _is_in_billing_issue(self, organization_id: int, project_id: int, thread: int | None) -> bool:
        """Whether the billing issue already has the news: in this thread, or in this repository today."""
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

    async def _make_notice(self, organization_id: int, *, is_public: bool) -> str | None:
        now = self._clock()
        async with self._database.tenant(organization_id) as tenant:
            rows, deadlines = Subscriptions(tenant), Deadlines(tenant)
            last = await rows.last_audit_at(_NOTICE)
            if last is not None and now < last + _NOTICE_PAUSE:
                return None
            account, deadline = await rows.account(), await deadlines.latest()
            if account is None:
                return None
            plan = resolve_account_plan(await rows.all(), now, self._purchase_links.grace)
            text = _describe_deletion(deadline) or (
                None if is_public else await _describe_payment(tenant, plan, now)
            )
            if text is None:
                return None
            if deadline:
                await deadlines.mark_shown(now)
            await rows.record_audit_entry(
                AccountAuditEntry("agile-github-suite", _NOTICE, account.name, {"told": text}, now)
            )
            return text


def _describe_deletion(deadline: Deadline | None) -> str | None:
    if deadline is None:
        return None
    return (
        "This account cancelled on GitHub Marketplace, so its data here will be deleted on "
        f"{full_day(deadline.due_at.date())}. To keep it, see `/agile plan`."
    )


async def _describe_payment(tenant: Tenant, plan: AccountPlan, now: datetime) -> str | None:
    fallback = plan.fallback
    if fallback is not None and has_seats_for(
        fallback, len(await Seats(tenant).active_people(now, SEAT_DAYS))
    ):
        return (
            f"The last card payment failed, but you keep {plan.terms.title}, which is also paid "
            f"{SOURCES[fallback.source]}. To cancel the card subscription, see `/agile plan`."
        )
    if plan.grace_ends is not None:
        return (
            f"The last payment for {plan.terms.title} failed. Nothing changes until "
            f"{full_day(plan.grace_ends.date())}. To pay before then, see `/agile plan`."
        )
    if plan.is_paid_twice:
        return (
            "This account pays for more than one plan. Everything keeps working; for details, see `/agile "
            "plan`."
        )
    return None
