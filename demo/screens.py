"""Takes screenshots of comments and checks as GitHub would show them: docs/screens.md and docs/screens/.

Run `python -m demo.screens`; it needs Chromium and what `make setup` installs. It shows what the bot posts to
the stand-in for GitHub. The clock is fixed, so a second run changes nothing unless the posts or the machine's
fonts have changed. With names of screens as arguments, only these are taken again.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import aiohttp

from bot.settings import Settings
from bot.settings.billing import BillingSettings, ListedPlan, MarketplaceSettings, StripeSettings
from bot.settings.secret import Secret
from demo.screen_titles import (
    ALERT,
    BILLING,
    BLOCKED,
    CALM,
    CHANGED,
    CHECK_FAILURE,
    CHECK_LINKED,
    CHECK_SETTINGS,
    CHECK_UNPLANNED,
    ERROR,
    PLAN,
    PLAN_BY_CARD,
    PREVIEW,
    PRIVATE,
    REFUSAL,
    STANDUP,
    STATUS,
    SUMMARY,
    Title,
)
from demo.screens_html import check_html, comment_html, pictures_in, with_pictures
from demo.screenshots import WIDTHS, browser, take_screenshots
from demo.stage import Stage, open_stage
from marketplace.plans import PlanName
from storage.job_types import TellOwnerJob
from storage.jobs import Jobs
from storage.subscriptions import Subscription, Subscriptions

Json = dict[str, Any]
DOCS = Path(__file__).parents[1] / "docs"
# The seventh working day of a sprint that begins on a Monday.
NOW = datetime(2026, 11, 17, 14, 30, tzinfo=UTC)
_SHOP = BillingSettings(
    is_on=True,
    marketplace=MarketplaceSettings(
        (Secret("stand-in"),), (ListedPlan(1313, PlanName.PRO, 3),), "agile-github-suite"
    ),
    stripe=StripeSettings(
        Secret("sk_test_nobody"),
        (Secret("stand-in"),),
        {},
        api_url="http://127.0.0.1:9",  # Nothing is asked of Stripe here.
        portal_login_url="https://billing.stripe.com/p/login/example",
    ),
)
_GOOD_SETTINGS = "checks: {require_sprint_item: true}\n"
_BAD_SETTINGS = """timezone: Berlin
working_days: [mon, tue, wed, thu]
standup: half past nine
alerts: {scope: 30, half_weg: false}
checks: {require_sprint_item: true}
"""
_INTRODUCTION = (
    "_Made by `python -m demo.screens`: the bot's own words and pictures, as it said them to the "
    "stand-in for GitHub._ The page around them follows GitHub's looks; its fonts are those of the machine "
    "that took the pictures, and wider than GitHub's. [What is said when](reports.md), "
    "[checks](checks.md), [commands](commands.md)."
)


@dataclass(frozen=True)
class Screen:
    """A post of the bot as HTML."""

    title: Title
    html: str


def main() -> None:
    """Write docs/screens.md and its pictures."""
    with tempfile.TemporaryDirectory(prefix="screens") as folder:
        asyncio.run(take_all(Path(folder), DOCS, only=sys.argv[1:]))


async def take_all(data: Path, docs: Path, *, only: Iterable[str] = ()) -> list[Screen]:
    """Play the sprint and take the screenshots: all of them, or those named in `only`."""
    wanted = set(only)
    async with open_stage(Settings(data, billing=_SHOP), NOW) as stage, aiohttp.ClientSession() as session:
        camera = Camera(stage, session)
        for act in ACTS:
            await act(stage, camera)
            if wanted and wanted <= {screen.title.name for screen in camera.screens}:
                break
    screens = [screen for screen in camera.screens if not wanted or screen.title.name in wanted]
    folder = docs / "screens"
    if not wanted:
        shutil.rmtree(folder, ignore_errors=True)
        (docs / "screens.md").write_text(index(screens), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    async with browser() as chromium:
        await take_screenshots(chromium, {screen.title.name: screen.html for screen in screens}, folder)
    return screens


class Camera:
    """Collects screens with their pictures."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self.screens = list[Screen]()
        self._stage = stage
        self._session = session

    async def comment(self, title: Title, comment: Json, repo: str = "") -> None:
        """Add a comment."""
        repo = repo or self._stage.thread.repo
        number = int(comment["issue_url"].rpartition("/")[2])
        github = self._stage.github
        issues = await github.call("GET", f"/repos/{repo}/issues?state=all&per_page=100")
        await self._add(title, comment_html(repo, await github.issue(repo, number), comment, issues))

    async def check(self, title: Title, run: Json) -> None:
        """Add a check run as it was sent to GitHub."""
        await self._add(title, check_html(self._stage.thread.repo, run))

    async def _add(self, title: Title, html: str) -> None:
        data = dict[str, str]()
        for address in pictures_in(html):
            async with self._session.get(address) as response:
                response.raise_for_status()
                data[address] = "data:image/png;base64," + base64.b64encode(await response.read()).decode()
        self.screens.append(Screen(title, with_pictures(html, data)))


# The acts


async def _days_one_and_two(stage: Stage, camera: Camera) -> None:
    await stage.until(9, "08:00")
    await stage.measure()
    await stage.create_tracking_issue("Sprint 24: what goes on")
    await stage.configure(summaries="off")
    await stage.until(10, "16:00")
    await stage.update_posts()
    await camera.comment(CALM, await stage.latest_post("living:"))


async def _week_one(stage: Stage, _: Camera) -> None:
    for day, time in ((11, "09:00"), (12, "08:30"), (12, "10:15"), (13, "11:00")):
        await stage.until(day, time)
        await stage.update_posts()
        if (day, time) == (12, "10:15"):
            await stage.comment(
                stage.thread.number, '/blocked reason:"finance has to sign the form"', "carol"
            )
    await stage.configure(standup="09:30")
    await stage.until(16, "15:30")
    await stage.update_posts()


async def _day_seven(stage: Stage, camera: Camera) -> None:
    body = f"Closes #{stage.thread.number}\n\nThe certificate for the live domain."
    linked = await _pull(stage, "Apple Pay on the live domain", body, "apple-pay-certificate", 184, 7)
    await stage.until(17, "09:35")
    await stage.update_posts()
    await camera.comment(STANDUP, await stage.latest_post("standup:"))
    await camera.comment(BLOCKED, await stage.latest_post("alert:"))
    await stage.until(17, "11:50")
    tidy = await _pull(
        stage, "Tidy up the price labels", "They are all over the place.", "price-labels", 37, 2
    )
    await stage.until(17, "14:30")
    await stage.update_posts()
    await camera.check(CHECK_LINKED, _check(stage, linked))
    await camera.check(CHECK_UNPLANNED, _check(stage, tidy))
    stage.pulls = [linked, tidy]


async def _commands(stage: Stage, camera: Camera) -> None:
    number = stage.thread.number
    for title, text, who in (
        (STATUS, "/sprint status", "alice"),
        (ERROR, "/sprint status as-of:someday", "bob"),
        (REFUSAL, "/sprint close", "dave"),
    ):
        (reply,) = await stage.comment(number, text, who)
        await camera.comment(title, reply)
    next_sprint = '/sprint start "Sprint 25" start:2026-11-23 due:2026-12-04 goal:"Returns without paper"'
    await stage.comment(number, next_sprint)
    (reply,) = await stage.comment(number, '/sprint close to:"Sprint 25"')
    await camera.comment(PREVIEW, reply)


async def _settings(stage: Stage, camera: Camera) -> None:
    await stage.github.put_file(stage.thread.repo, ".github/agile.yml", _GOOD_SETTINGS)
    await stage.wait_until_idle()
    await stage.update_posts()
    await camera.check(CHECK_FAILURE, _check(stage, stage.pulls[1]))
    pushed = await stage.github.put_file(stage.thread.repo, ".github/agile.yml", _BAD_SETTINGS)
    await stage.wait_until_idle()
    await camera.check(CHECK_SETTINGS, stage.checks[pushed["commit"]["sha"]])
    # The file's valid settings are in force and would change the days of the story.
    await stage.github.put_file(stage.thread.repo, ".github/agile.yml", _GOOD_SETTINGS)
    await stage.wait_until_idle()


async def _scope_changes(stage: Stage, camera: Camera) -> None:
    await stage.until(17, "16:40")
    made = [
        await stage.github.create_issue(stage.thread.repo, title, labels=[f"points: {points}"], as_user=who)
        for title, points, who in (("Gift cards at the checkout", 8, "alice"), ("Pay by invoice", 5, "dave"))
    ]
    await stage.wait_until_idle()
    await stage.comment(made[0]["number"], "/sprint add")
    await stage.comment(made[1]["number"], "/sprint add")
    await stage.until(17, "16:50")
    await stage.update_posts()
    await camera.comment(CHANGED, await stage.latest_post("living:"))


async def _plan(stage: Stage, camera: Camera) -> None:
    repo = (await stage.github.create_repository(name="back-office", private=True))["full_name"]
    sprint = await stage.github.create_milestone(repo, "Sprint 7", due_on="2026-11-27T07:00:00Z")
    for name, who in (("Print labels", "alice"), ("Refunds", "bob"), ("Stock counts", "carol")):
        issue = await stage.github.create_issue(repo, name, milestone=sprint["number"], as_user=who)
    await stage.wait_until_idle()
    bought = Subscription(
        "marketplace", "active", "pro", NOW, quantity=5, period_end=datetime(2026, 12, 1, tzinfo=UTC)
    )
    async with stage.base.database.tenant(stage.tenant) as tenant:
        await Subscriptions(tenant).store(bought)
    await stage.until(17, "17:00")
    for title, text in ((PLAN, "/agile plan"), (PRIVATE, "/sprint status")):
        (reply,) = await stage.comment(issue["number"], text, repo=repo)
        await camera.comment(title, reply, repo)
    await _by_card(stage, camera, repo, issue["number"])


async def _by_card(stage: Stage, camera: Camera, repo: str, number: int) -> None:
    """Let the account pay by card instead, and then a payment fail."""
    card = Subscription(
        "stripe",
        "active",
        "pro",
        NOW,
        "sub_1",
        3,
        customer="cus_1",
        period_start=datetime(2026, 11, 3, tzinfo=UTC),
        period_end=datetime(2026, 12, 3, tzinfo=UTC),
        unit_amount=600,
        currency="usd",
    )
    async with stage.base.database.tenant(stage.tenant) as tenant:
        await Subscriptions(tenant).store(Subscription("marketplace", "ended", "free", NOW))
        await Subscriptions(tenant).store(card)
    (reply,) = await stage.comment(number, "/agile plan", repo=repo)
    await camera.comment(PLAN_BY_CARD, reply, repo)
    async with stage.base.database.tenant(stage.tenant) as tenant:
        await Subscriptions(tenant).store(replace(card, status="past_due", past_due_since=NOW))
        await Jobs().defer(tenant.connection, TellOwnerJob(organization_id=stage.tenant))
    await stage.wait_until_idle()
    issues = await stage.github.call("GET", f"/repos/{repo}/issues?state=all&per_page=100")
    issue = next(issue for issue in issues if issue["user"]["type"] == "Bot")
    await camera.comment(BILLING, issue | {"issue_url": issue["url"]}, repo)
    # The following screens need no subscription.
    async with stage.base.database.tenant(stage.tenant) as tenant:
        await Subscriptions(tenant).store(replace(card, status="ended", ended_at=NOW))


async def _next_morning(stage: Stage, camera: Camera) -> None:
    await stage.until(18, "09:00")
    await stage.update_posts()
    await camera.comment(ALERT, await stage.latest_post("alert:"))


async def _the_end(stage: Stage, camera: Camera) -> None:
    repo, number = stage.thread.repo, stage.thread.number
    await stage.until(19, "16:20")
    await stage.comment(number, "/unblocked", "carol")
    await stage.github.close_issue(repo, number, as_user="bob")
    await stage.wait_until_idle()
    await stage.until(20, "15:30")
    await stage.comment(stage.tracking_issue, '/sprint close to:"Sprint 25" confirm:yes')
    await stage.comment(stage.tracking_issue, '/sprint goal milestone:"Sprint 24" met')
    await stage.until(23, "09:00")
    await stage.configure(summaries="tracking")
    await stage.measure()
    await stage.update_posts()
    await camera.comment(SUMMARY, await stage.latest_post("summary:"))


ACTS: tuple[Callable[[Stage, Camera], Awaitable[None]], ...] = (
    _days_one_and_two,
    _week_one,
    _day_seven,
    _commands,
    _settings,
    _scope_changes,
    _plan,
    _next_morning,
    _the_end,
)


async def _pull(stage: Stage, title: str, body: str, branch: str, lines: int, files: int) -> Json:
    """Open a pull request and send its size in a second webhook, because emulate has no sizes."""
    repo, github = stage.thread.repo, stage.github
    main = await github.put_file(repo, "README.md", f"# {title}\n")
    ref = {"ref": f"refs/heads/{branch}", "sha": main["commit"]["sha"]}
    await github.call("POST", f"/repos/{repo}/git/refs", ref)
    await github.put_file(repo, f"{branch}.txt", title, branch=branch)
    pull = await github.open_pull_request(repo, title, body=body, head=branch, as_user="bob")
    await stage.wait_until_idle()
    deliveries = reversed(github.deliveries)
    payload = next(delivery for delivery in deliveries if delivery.event == "pull_request").payload
    await stage.move(stage.clock.now + timedelta(minutes=1))
    at = stage.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    size = {"additions": lines - lines // 4, "deletions": lines // 4, "changed_files": files}
    payload |= {
        "action": "edited",
        "changes": {},
        "pull_request": payload["pull_request"] | size | {"updated_at": at},
    }
    await github.send_webhook("pull_request", payload)
    await stage.wait_until_idle()
    return pull


def _check(stage: Stage, pull: Json) -> Json:
    """Find the latest state of a pull request's check."""
    return next(run for run in stage.checks.values() if run["head_sha"] == pull["head"]["sha"])


# The page


def index(screens: Iterable[Screen]) -> str:
    """Build docs/screens.md."""
    parts = ["# What people see", _INTRODUCTION]
    for title in (screen.title for screen in screens):
        parts += [f"## {title.heading}", title.when, _picture(title, "desktop")]
        phone = _picture(title, "phone")
        parts.append(f"<details>\n<summary>On a phone</summary>\n\n{phone}\n\n</details>")
    return "\n\n".join(part for part in parts if part) + "\n"


def _picture(title: Title, device: str) -> str:
    path = f"screens/{title.name}"
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{path}-dark-{device}.png">\n'
        f'  <img src="{path}-light-{device}.png" width="{WIDTHS[device]}" alt="{escape(title.alt)}">\n'
        "</picture>"
    )


if __name__ == "__main__":
    main()
