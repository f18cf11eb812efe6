"""The check “Sprint impact”: worked out when a pull request or its sprint changes, and done by its buttons.

What it says is a pure function of the facts (sprints/impact.py, reports/sprint_impact.py). It is kept as it
should be (storage/posts.py), and bot/publishing/posts.py brings it to GitHub; if nothing has changed,
nothing is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.checks.buttons import button_changes, button_label, find_refusal, read_outcome, to_request
from bot.checks.impacts import CheckResult, SprintImpacts, is_required
from bot.github.check_runs import Image, check_run_fields, to_github_time
from bot.github.client import GitHub, GitHubRefusedError, GitHubUnavailableError, Installation
from bot.github.linked_issues import fetch_links, fetch_open_links, record_links
from bot.github.repositories import GitHubRepository
from bot.publishing.change_applier import ChangeApplier, ChangeTask
from bot.publishing.pictures import Pictures
from charts.alt_text import burndown_alt
from commands.formatting.markdown import skimming
from commands.framework.outcome import Answer
from commands.framework.planning import Planning, writing_for
from commands.framework.request import CommandLine
from commands.shared.forecasting import foretold
from handlers.check_run import CHECK_NAME, ButtonPress, read_button_press
from handlers.delivery import Delivery
from handlers.lenient import convert_leniently
from handlers.payloads import PullRequestPayload as Shown
from handlers.pull_request import head_event
from marketplace.entitlements import EntitledIn, allow_everywhere
from sprints.forecast import Forecast
from sprints.impact import PullRequestStatus
from sprints.outlook import Outlook
from sprints.pull_requests import RECENT, Button, PullRequest, lives_of, pressed, pull_request_of
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import Deliveries, open_payload
from storage.forecasts import ForecastRecord, Forecasts, post_carrier
from storage.job_types import CheckJob, SendPostsJob
from storage.jobs import Jobs
from storage.posts import Post, PostKind, Posts
from storage.projects import Project, Projects
from storage.pull_requests import PullRequests


class Checks:
    """Works checks out, and does what their buttons say."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        github: GitHub,
        pictures: Pictures,
        jobs: Jobs,
        clock: Callable[[], datetime],
        entitled_in: EntitledIn = allow_everywhere,
    ) -> None:
        self._database = database
        self._entitled_in = entitled_in
        self._cipher = cipher
        self._github = github
        self._pictures = pictures
        self._jobs = jobs
        self._clock = clock
        self._changing = ChangeApplier(database, clock, jobs)
        self._log = structlog.get_logger(__name__)

    async def update(
        self,
        organization_id: int,
        project_id: int,
        number: int | None = None,
        head: str | None = None,
        is_rerun: bool = False,
    ) -> None:
        """Keeps the check of one open pull request as it should be now, or those of all.

        A re-run is sent even if it says the same. Raises GitHubUnavailableError where a commit that nobody
        has told of cannot be asked for.
        """
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
        if project is None or not _wants_checks(project):
            return
        only = None
        if head is not None or number is not None:
            only = await self._one(organization_id, project, number, head)
            if only is None or not only.is_open or (head and only.head != head):
                if head and is_rerun:
                    await self._repeat(organization_id, project, head)
                return
        else:
            await self._ask_for_links(organization_id, project)
        with writing_for(project, self._clock()):
            async with self._database.tenant(organization_id) as tenant:
                said = await self._working(tenant, project).all(only)
            images = [await self._images(organization_id, project, one) for one in said]
        async with self._database.tenant(organization_id) as tenant:
            await self._keep(tenant, project, said, images, is_rerun=is_rerun)

    async def as_of_now(self, organization_id: int, project_id: int, post: Post) -> Post | None:
        """A check that waited to be sent, as it is to be sent now.

        None if it is wanted otherwise now, which is sent by a job of its own, or if nobody needs it: its
        commit is not the head of an open pull request any more, or the team wants no checks any more.
        """
        head = str(post.data["head_sha"])
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
            if project is None or not _wants_checks(project):
                if project is not None and _has_checks_off(project):
                    await Posts(tenant).withdraw(project_id, {post.key})
                return None
        await self.update(organization_id, project_id, head=head)
        async with self._database.tenant(organization_id) as tenant:
            pull = await PullRequests(tenant, project_id).find_by_head(head)
            fate = await Posts(tenant).status(project_id, post.key)
            is_head = pull is None or (pull.is_open and pull.head == head)
            if fate is None or (fate.is_unsent and not is_head):
                await Posts(tenant).withdraw(project_id, {post.key})
                return None
        return post if fate.post.digest == post.digest else None

    async def _keep(
        self,
        tenant: Tenant,
        project: Project,
        said: list[CheckResult],
        images: list[list[Image]],
        *,
        is_rerun: bool,
    ) -> None:
        now, posts, is_new = self._clock(), Posts(tenant), False
        for one, shown in zip(said, images, strict=True):
            key = f"check:{one.impact.pull.head}"
            before = await posts.desired_post(project.id, key)
            if (
                before is None
                and one.impact.standing is PullRequestStatus.NO_SPRINT
                and not is_required(project)
            ):
                continue  # A repository without sprints is left in peace.
            at = now if before is None else _next_completion(before, now)
            data = check_run_fields(CHECK_NAME, one.impact.pull.head, one.card, at, shown)
            if before is not None and not is_rerun and _is_same_check(data, before.data):
                continue
            post = Post(key, PostKind.CHECK, "", thread=one.impact.pull.number, data=data)
            if await posts.set_desired(project.id, post, now):
                is_new = True
                carrier = post_carrier(project.id, key, post.digest)
                await Forecasts(tenant, project.leader.id).record(carrier, _forecasts(one))
        if is_new:
            job = SendPostsJob(organization_id=tenant.organization_id)
            await self._jobs.defer(tenant.connection, job)

    async def _repeat(self, organization_id: int, project: Project, head: str) -> None:
        """A commit that is no open head any more: its check says what it said last."""
        async with self._database.tenant(organization_id) as tenant:
            before, now = await Posts(tenant).desired_post(project.id, f"check:{head}"), self._clock()
            if before is not None:
                data = {**before.data, "completed_at": to_github_time(_next_completion(before, now))}
                await Posts(tenant).set_desired(project.id, replace(before, data=data), now)
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))

    async def _images(self, organization_id: int, project: Project, one: CheckResult) -> list[Image]:
        if one.shown is None or not project.may_link_images:
            return []
        url = await self._pictures.link(organization_id, project, one.shown.burndown)
        return [Image(burndown_alt(one.shown.burndown), url)]

    # Which pull request

    async def _one(
        self, organization_id: int, project: Project, number: int | None, head: str | None
    ) -> PullRequest | None:
        """The pull request of a number or a commit, with the issues that people linked it with."""
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            pull = await pulls.find_by_head(head) if head else await pulls.get(number or 0)
        if pull is None and head:
            pull = await self._learn(organization_id, project, head)
        if pull is None or not pull.is_open:
            return pull
        return await self._as_linked(organization_id, project, pull)

    async def _as_linked(self, organization_id: int, project: Project, pull: PullRequest) -> PullRequest:
        """A pull request with the issues that GitHub lists as linked with it, if it can be asked."""
        try:
            listed = await fetch_links(self._installation(project), project.full_name or "", pull.number)
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            self._log.info("linked issues not known", project=project.id, reason=str(problem))
            return pull
        if listed is None:
            return pull
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            lives = {pull.number: await pulls.history(pull.number)}
            await record_links(tenant, project, [listed], lives, self._clock())
            return await pulls.get(pull.number) or pull

    async def _ask_for_links(self, organization_id: int, project: Project) -> None:
        """Brings up to date which issues the open pull requests are linked with: one question for all."""
        since = self._clock() - RECENT
        async with self._database.tenant(organization_id) as tenant:
            lives = lives_of(await PullRequests(tenant, project.id).heads(since))
        if not any(pull_request_of(life).is_open for life in lives.values()):
            return
        try:
            lists = await fetch_open_links(self._installation(project), project.full_name or "")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            self._log.info("linked issues not known", project=project.id, reason=str(problem))
            return
        async with self._database.tenant(organization_id) as tenant:
            lives = lives_of(await PullRequests(tenant, project.id).heads(since))
            await record_links(tenant, project, lists, lives, self._clock())

    async def _learn(self, organization_id: int, project: Project, head: str) -> PullRequest | None:
        """An open pull request of which no webhook has told, by the commit at its head.

        GitHub does not name it where it comes from a fork.
        """
        installation, path = self._installation(project), f"/repos/{project.full_name}/pulls"
        try:
            async for one in installation.pages(f"{path}?state=open&per_page=100"):
                if one["head"]["sha"] == head:
                    shown = convert_leniently(Shown, await installation.get(f"{path}/{one['number']}"))
                    break
            else:
                return None
        except GitHubRefusedError as refusal:
            self._log.warning("pull requests not seen", project=project.id, status=refusal.status)
            return None
        with skimming():  # GitHub is asked for its links anyway, so a long text need not be read.
            fact = head_event(shown, "seen", "")
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            await pulls.record(fact)
            return await pulls.get(shown.number)

    # Buttons

    async def press(self, organization_id: int, event_id: int, project_id: int) -> None:
        """Does what a button says, once, if who pressed it may, and lets the check tell what came of it."""
        async with self._database.tenant(organization_id) as tenant:
            event = await Deliveries(tenant).get(event_id)
            project = await Projects(tenant).get(project_id)
            if event is None or project is None or not _wants_checks(project):
                return
            body = open_payload(self._cipher, event)
            delivery = Delivery(event.delivery, event.event, event.action, body, event.received_at)
            if await PullRequests(tenant, project.id).is_button_recorded(delivery.id):
                return
        press = read_button_press(delivery)
        pull = await self._one(organization_id, project, None, press.head)
        if pull is None or not pull.is_open or (press.is_bot and not _is_listed_bot(press.sender, project)):
            self._log.info("button without effect", project=project.id, button=press.button)
            return
        there = GitHubRepository(self._installation(project), project.full_name or "")
        task = ChangeTask(organization_id, event_id, project, to_request(pull, press, delivery.id), there)
        with writing_for(project, self._clock()):
            said, is_done = await self._do(task, pull, press)
        async with self._database.tenant(organization_id) as tenant:
            button = Button(
                pull.number, pull.head, button_label(press), press.sender, self._clock(), said, is_done
            )
            await PullRequests(tenant, project.id).record(pressed(button, delivery.id))
            job = CheckJob(organization_id=organization_id, project_id=project.id, number=pull.number)
            await self._jobs.defer(tenant.connection, job)

    async def _do(self, task: ChangeTask, pull: PullRequest, press: ButtonPress) -> tuple[str, bool]:
        """What came of it, in words, and whether it was done."""
        if refusal := await find_refusal(task, pull, press):
            return refusal, False
        begun = await self._changing.find_started(task)
        if begun:  # By a try that died.
            return read_outcome(await self._changing.carry_out(task, begun[0][1]))
        async with self._database.tenant(task.organization_id) as tenant:
            working = self._working(tenant, task.project)
            impact = await working.impact(pull)
            every = await working.planning.sprints.all(working.planning.now)
            sprints = {here: one for one in every if (here := one.number_in()) is not None}
        changes = button_changes(press.button, impact, sprints)
        if changes is None:
            return "Things have moved since, so nothing was changed.", False
        answer = Answer(
            "check",
            None,
            is_success=True,
            changes=changes,
            call=CommandLine(f"button “{button_label(press)}”", 1),
            is_confirmed=True,
        )
        return read_outcome(await self._changing.carry_out_changes(task, answer))

    def _installation(self, project: Project) -> Installation:
        return self._github.installation(project.installation or 0)

    def _working(self, tenant: Tenant, project: Project) -> SprintImpacts:
        entitled = self._entitled_in(tenant.organization_id, project)
        return SprintImpacts(Planning(tenant, project, self._clock(), entitled))


def _next_completion(before: Post, now: datetime) -> datetime:
    """Now, but not within the second of the last time: by the time alone a re-run is told from it."""
    return max(now, datetime.fromisoformat(str(before.data["completed_at"])) + timedelta(seconds=1))


def _is_same_check(data: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """But for when it was worked out, which alone is no reason to write."""
    return {**data, "completed_at": None} == {**before, "completed_at": None}


def _forecasts(check: CheckResult) -> tuple[ForecastRecord, ...]:
    """The forecast that a check shows, to be graded when the sprint is over."""
    effect, outlook = check.impact.effect, check.shown.outlook if check.shown else None
    if effect is None or effect.chance_before is None or effect.chance_after is None:
        return ()
    forecast = outlook.forecast() if isinstance(outlook, Outlook) else None
    if not isinstance(outlook, Outlook) or not isinstance(forecast, Forecast):
        return ()
    return foretold(outlook, forecast, "check")


def _wants_checks(project: Project) -> bool:
    return project.is_accessible and not _has_checks_off(project) and not project.settings.is_paused


def _has_checks_off(project: Project) -> bool:
    return project.settings.checks.is_off


def _is_listed_bot(login: str, project: Project) -> bool:
    return login.lower() in project.settings.commands.bots
