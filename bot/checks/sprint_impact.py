"""The check “Sprint impact”: updated when a pull request or its sprint changes, and after its buttons.

Its content is a pure function of the facts (sprints/impact.py, reports/sprint_impact.py). The desired content
is stored (storage/posts.py), and bot/publishing/posts.py sends it to GitHub if it has changed.
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
from bot.publishing.repository_locks import RepositoryLocks
from charts.alt_text import describe_burndown
from commands.formatting.markdown import skim_long_texts
from commands.framework.outcome import Answer
from commands.framework.planning import Planning, write_in_locale
from commands.framework.request import CommandLine
from commands.shared.forecasting import record_forecast
from handlers.check_run import CHECK_NAME, ButtonPress, read_button_press
from handlers.delivery import Delivery
from handlers.lenient import convert_leniently
from handlers.payloads import PullRequestPayload
from handlers.pull_request import head_event
from marketplace.entitlements import EntitledIn
from sprints.forecast import Forecast
from sprints.impact import PullRequestStatus
from sprints.outlook import Outlook
from sprints.pull_requests import (
    RECENT,
    PressedButton,
    PullRequest,
    build_pull_request,
    create_pressed_event,
    group_head_events,
)
from storage.changes import ChangeLog
from storage.cipher import PayloadCipher
from storage.database import Database, Tenant
from storage.deliveries import Deliveries, open_payload
from storage.forecasts import ForecastRecord, Forecasts, post_carrier
from storage.job_types import CheckJob, SendPostsJob
from storage.jobs import Jobs
from storage.post_states import Post, PostKind
from storage.posts import Posts
from storage.projects import Project, Projects
from storage.pull_requests import PullRequests


class Checks:
    """Updates checks, and carries out what their buttons request."""

    def __init__(
        self,
        database: Database,
        cipher: PayloadCipher,
        github: GitHub,
        pictures: Pictures,
        jobs: Jobs,
        clock: Callable[[], datetime],
        entitled_in: EntitledIn,
    ) -> None:
        self._database = database
        self._entitled_in = entitled_in
        self._cipher = cipher
        self._github = github
        self._pictures = pictures
        self._jobs = jobs
        self._clock = clock
        self._changing = ChangeApplier(database, clock, jobs)
        self._locks = RepositoryLocks(database, clock)
        self._log = structlog.get_logger(__name__)

    async def update(
        self,
        organization_id: int,
        project_id: int,
        number: int | None = None,
        head: str | None = None,
        is_rerun: bool = False,
    ) -> None:
        """Update the desired check of one open pull request, or those of all.

        A re-run is sent even if nothing has changed. Raises GitHubUnavailableError if a commit of which no
        event has been recorded cannot be looked up.
        """
        async with self._database.tenant(organization_id) as tenant:
            project = await Projects(tenant).get(project_id)
        if project is None or not _wants_checks(project):
            return
        only = None
        if head is not None or number is not None:
            only = await self._find_pull_request(organization_id, project, number, head)
            if only is None or not only.is_open or (head and only.head != head):
                if head and is_rerun:
                    await self._repeat(organization_id, project, head)
                return
        else:
            await self._update_links(organization_id, project)
        with write_in_locale(project, self._clock()):
            async with self._database.tenant(organization_id) as tenant:
                results = await self._impacts(tenant, project).check_results(only)
            images = [await self._images(organization_id, project, result) for result in results]
        async with self._database.tenant(organization_id) as tenant:
            await self._save(tenant, project, results, images, is_rerun=is_rerun)

    async def as_of_now(self, organization_id: int, project_id: int, post: Post) -> Post | None:
        """Bring a check that waited to be sent up to date.

        None if its content has changed, which another job sends, or if it is obsolete: its commit is
        not the head of an open pull request any more, or the team has switched checks off.
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
            status = await Posts(tenant).status(project_id, post.key)
            is_head = pull is None or (pull.is_open and pull.head == head)
            if status is None or (status.is_unsent and not is_head):
                await Posts(tenant).withdraw(project_id, {post.key})
                return None
        return post if status.post.digest == post.digest else None

    async def _save(
        self,
        tenant: Tenant,
        project: Project,
        results: list[CheckResult],
        images: list[list[Image]],
        *,
        is_rerun: bool,
    ) -> None:
        now, posts, is_new = self._clock(), Posts(tenant), False
        for result, result_images in zip(results, images, strict=True):
            key = f"check:{result.impact.pull.head}"
            before = await posts.desired_post(project.id, key)
            if (
                before is None
                and result.impact.status is PullRequestStatus.NO_SPRINT
                and not is_required(project)
            ):
                continue  # A repository without sprints gets no checks.
            at = now if before is None else _next_completion(before, now)
            data = check_run_fields(CHECK_NAME, result.impact.pull.head, result.card, at, result_images)
            if before is not None and not is_rerun and _is_same_check(data, before.data):
                continue
            post = Post(key, PostKind.CHECK, "", thread=result.impact.pull.number, data=data)
            if await posts.set_desired(project.id, post, now):
                is_new = True
                carrier = post_carrier(project.id, key, post.digest)
                await Forecasts(tenant, project.leader.id).record(carrier, _forecasts(result))
        if is_new:
            job = SendPostsJob(organization_id=tenant.organization_id)
            await self._jobs.defer(tenant.connection, job)

    async def _repeat(self, organization_id: int, project: Project, head: str) -> None:
        """Send the last check of a commit again that is not the head of an open pull request any more."""
        async with self._database.tenant(organization_id) as tenant:
            before, now = await Posts(tenant).desired_post(project.id, f"check:{head}"), self._clock()
            if before is not None:
                data = {**before.data, "completed_at": to_github_time(_next_completion(before, now))}
                await Posts(tenant).set_desired(project.id, replace(before, data=data), now)
                await self._jobs.defer(tenant.connection, SendPostsJob(organization_id=organization_id))

    async def _images(self, organization_id: int, project: Project, result: CheckResult) -> list[Image]:
        if result.shown is None or not project.may_link_images:
            return []
        url = await self._pictures.link(organization_id, project, result.shown.burndown)
        return [Image(describe_burndown(result.shown.burndown), url)]

    # Pull requests

    async def _find_pull_request(
        self, organization_id: int, project: Project, number: int | None, head: str | None
    ) -> PullRequest | None:
        """Find the pull request of a number or a commit, with its links brought up to date."""
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            pull = await pulls.find_by_head(head) if head else await pulls.get(number or 0)
        if pull is None and head:
            pull = await self._fetch_by_head(organization_id, project, head)
        if pull is None or not pull.is_open:
            return pull
        return await self._with_links(organization_id, project, pull)

    async def _with_links(self, organization_id: int, project: Project, pull: PullRequest) -> PullRequest:
        """Record the issues that GitHub lists as linked with a pull request, if GitHub can be asked."""
        try:
            listed = await fetch_links(self._installation(project), project.full_name or "", pull.number)
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            self._log.info("linked issues not fetched", project=project.id, reason=str(problem))
            return pull
        if listed is None:
            return pull
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            head_facts = {pull.number: await pulls.history(pull.number)}
            await record_links(tenant, project, [listed], head_facts, self._clock())
            return await pulls.get(pull.number) or pull

    async def _update_links(self, organization_id: int, project: Project) -> None:
        """Update the linked issues of the open pull requests, with one query for all."""
        since = self._clock() - RECENT
        async with self._database.tenant(organization_id) as tenant:
            head_facts = group_head_events(await PullRequests(tenant, project.id).heads(since))
        if not any(build_pull_request(heads).is_open for heads in head_facts.values()):
            return
        try:
            lists = await fetch_open_links(self._installation(project), project.full_name or "")
        except (GitHubRefusedError, GitHubUnavailableError) as problem:
            self._log.info("linked issues not fetched", project=project.id, reason=str(problem))
            return
        async with self._database.tenant(organization_id) as tenant:
            head_facts = group_head_events(await PullRequests(tenant, project.id).heads(since))
            await record_links(tenant, project, lists, head_facts, self._clock())

    async def _fetch_by_head(self, organization_id: int, project: Project, head: str) -> PullRequest | None:
        """Fetch an open pull request without any recorded event, by the commit at its head.

        The list is searched, because events about a commit from a fork do not name the pull request.
        """
        installation, path = self._installation(project), f"/repos/{project.full_name}/pulls"
        try:
            async for listed in installation.pages(f"{path}?state=open&per_page=100"):
                if listed["head"]["sha"] == head:
                    answer = await installation.get(f"{path}/{listed['number']}")
                    pull_request = convert_leniently(PullRequestPayload, answer)
                    break
            else:
                return None
        except GitHubRefusedError as refusal:
            self._log.warning("pull requests not listed", project=project.id, status=refusal.status)
            return None
        with skim_long_texts():  # Its links are fetched from GitHub anyway, so a long text need not be read.
            fact = head_event(pull_request, "seen", "")
        async with self._database.tenant(organization_id) as tenant:
            pulls = PullRequests(tenant, project.id)
            await pulls.record(fact)
            return await pulls.get(pull_request.number)

    # Buttons

    async def press(self, organization_id: int, event_id: int, project_id: int, *, attempts: int = 0) -> None:
        """Carry out what a button requests, once and if its sender may, and show the outcome in the check.

        `attempts` counts earlier attempts.
        """
        async with self._database.tenant(organization_id) as tenant:
            event = await Deliveries(tenant).get(event_id)
            project = await Projects(tenant).get(project_id)
            if event is None or project is None or not _wants_checks(project):
                return
            body = open_payload(self._cipher, event)
            delivery = Delivery(event.delivery, event.event, event.action, body, event.received_at)
            if await PullRequests(tenant, project.id).is_button_recorded(delivery.id):
                return
            started = await ChangeLog(tenant, project.id).started_by(event_id)
        press = read_button_press(delivery)
        pull = await self._find_pull_request(organization_id, project, None, press.head)
        if pull is None or not pull.is_open or (press.is_bot and not _is_listed_bot(press.sender, project)):
            self._log.info("button without effect", project=project.id, button=press.button)
            return
        repository = GitHubRepository(self._installation(project), project.full_name or "")
        request = to_request(pull, press, delivery.id)
        task = ChangeTask(
            organization_id, event_id, project, request, repository, dict(started), attempts=attempts
        )
        with write_in_locale(project, self._clock()):
            text, is_done = await self._carry_out(task, pull, press)
        async with self._database.tenant(organization_id) as tenant:
            button = PressedButton(
                pull.number, pull.head, button_label(press), press.sender, self._clock(), text, is_done
            )
            await PullRequests(tenant, project.id).record(create_pressed_event(button, delivery.id))
            job = CheckJob(organization_id=organization_id, project_id=project.id, number=pull.number)
            await self._jobs.defer(tenant.connection, job)

    async def _carry_out(self, task: ChangeTask, pull: PullRequest, press: ButtonPress) -> tuple[str, bool]:
        """Carry out a press. Returns the outcome in words, and whether anything was changed."""
        if refusal := await find_refusal(task, pull, press):
            return refusal, False
        for started in task.started.values():  # By an attempt that crashed.
            return read_outcome(await self._changing.carry_out(task, started))
        async with self._locks.acquire(task) as opened:
            impacts = self._impacts(opened.tenant, opened.project)
            impact = await impacts.impact(pull)
            all_sprints = await impacts.planning.sprints.all(impacts.planning.now)
            sprints = {n: sprint for sprint in all_sprints if (n := sprint.number_in()) is not None}
            changes = button_changes(press.button, impact, sprints)
            if changes is None:
                return "Things have changed in the meantime, so nothing was done.", False
            answer = Answer(
                "check",
                None,
                is_success=True,
                changes=changes,
                call=CommandLine(f"button “{button_label(press)}”", 1),
                is_confirmed=True,
            )
            decision = await self._changing.decide(opened.tenant, task, answer)
        return read_outcome(await self._changing.finish(task, decision))

    def _installation(self, project: Project) -> Installation:
        return self._github.installation(project.installation or 0)

    def _impacts(self, tenant: Tenant, project: Project) -> SprintImpacts:
        entitled = self._entitled_in(tenant.organization_id, project)
        return SprintImpacts(Planning(tenant, project, self._clock(), entitled))


def _next_completion(before: Post, now: datetime) -> datetime:
    """Return now, but at least a second after the last completion, by which GitHub distinguishes a re-run."""
    return max(now, datetime.fromisoformat(str(before.data["completed_at"])) + timedelta(seconds=1))


def _is_same_check(data: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether two checks differ only in their time, which alone is no reason to send."""
    return {**data, "completed_at": None} == {**before, "completed_at": None}


def _forecasts(check: CheckResult) -> tuple[ForecastRecord, ...]:
    """The forecast that a check shows, as a record to be graded after the sprint's end."""
    effect, outlook = check.impact.effect, check.shown.outlook if check.shown else None
    if effect is None or effect.chance_before is None or effect.chance_after is None:
        return ()
    forecast = outlook.forecast() if isinstance(outlook, Outlook) else None
    if not isinstance(outlook, Outlook) or not isinstance(forecast, Forecast):
        return ()
    return record_forecast(outlook, forecast, "check")


def _wants_checks(project: Project) -> bool:
    return project.is_accessible and not _has_checks_off(project) and not project.settings.is_paused


def _has_checks_off(project: Project) -> bool:
    return project.settings.checks.is_off


def _is_listed_bot(login: str, project: Project) -> bool:
    return login.lower() in project.settings.commands.bots
