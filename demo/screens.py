"""Takes pictures of each comment and check as GitHub would show them: docs/screens.md and docs/screens/.

Run `python -m demo.screens`; it needs Chromium and what `make setup` installs. What is shown is what
the bot said to the stand-in for GitHub just then. The clock stands, so a second run changes nothing unless
what is said has changed, or how the machine's fonts look. With names of screens it takes only these anew.
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
from demo.screens_html import check_html, comment_html, pictures_in, with_pictures
from demo.screenshots import WIDTHS, browser, shoot
from demo.stage import Stage, stage
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
class Title:
    """What a picture is called. `alt` is what it shows, for who does not see it."""

    name: str
    heading: str
    when: str
    alt: str


@dataclass(frozen=True)
class Screen:
    """Something that the bot said."""

    title: Title
    html: str


CALM = Title(
    "living-calm",
    "The tracking comment on a calm day",
    "One for each sprint, edited in place.",
    "Sprint 24 on its second day: what is done, the chance to finish, and the burndown.",
)
STATUS = Title(
    "status",
    "An answer: `/sprint status`",
    "Asked on the seventh of ten working days.",
    "The status of Sprint 24 with its burndown and the table from committed to remaining.",
)
CHANGED = Title(
    "living-changes",
    "The tracking comment after changes of scope",
    "Each change is a line, with what it did to the chance at that time.",
    "Sprint 24 on its seventh working day, with changes of scope and the burndown.",
)
BLOCKED = Title(
    "alert-blocked",
    "An alert: something is blocked",
    "A new comment, which notifies; of each item once a sprint.",
    "Half of the days are over, and item 68 has been blocked for three working days.",
)
ALERT = Title(
    "alert-scope",
    "An alert: the scope has grown",
    "Told again at each further 20 %.",
    "The scope has grown by 30 percent, with the latest changes, the days left, and what is expected now.",
)
STANDUP = Title(
    "standup",
    "The standup",
    "On working days at the hour that a team has set.",
    "What was done and started since the last working day, and what waits.",
)
ERROR = Title(
    "error",
    "A command that could not be read",
    "What was wrong, and what would be right.",
    "The command with the wrong word marked, and an example.",
)
REFUSAL = Title(
    "refusal",
    "A command that somebody may not use",
    "",
    "One sentence that says which role is needed.",
)
PREVIEW = Title(
    "preview",
    "A preview with a box",
    "What changes several things is shown first; a tick agrees to it.",
    "What closing Sprint 24 would do, and an empty box to agree.",
)
CHECK_LINKED = Title(
    "check-linked",
    "The check of a pull request that finishes an item",
    "Under “Checks” of the pull request.",
    "The check Sprint impact: what is left and the chance, now and once merged, and the burndown.",
)
CHECK_UNPLANNED = Title(
    "check-unplanned",
    "The check of unplanned work",
    "Neutral, with buttons.",
    "The check Sprint impact says that nothing of the sprint moves, and offers to add it.",
)
CHECK_FAILURE = Title(
    "check-failure",
    "The same where the settings ask for an item",
    "With `checks: {require_sprint_item: true}`.",
    "The check Sprint impact has failed and says what to do.",
)
CHECK_SETTINGS = Title(
    "check-settings",
    "The check of a settings file with mistakes",
    "On the commit that brought them.",
    "Each mistake with its line, and the sentence which settings are in force.",
)
PLAN = Title(
    "plan",
    "`/agile plan`",
    "For admins, in a private repository.",
    "What the account has bought, its seats, and where to change it.",
)
PLAN_BY_CARD = Title(
    "plan-by-card",
    "`/agile plan` of who pays by card",
    "With the cost of one more seat, and the page for everything else.",
    "What the account pays, what one more seat costs, and links to the billing portal.",
)
BILLING = Title(
    "billing-issue",
    "The billing issue",
    "One for an account, in a private repository, when something is about to cost it money or data.",
    "A payment failed: by when it matters, and where the card is changed.",
)
PRIVATE = Title(
    "status-private",
    "`/sprint status` in a private repository",
    "Nothing leaves GitHub: the burndown is a Mermaid diagram, which GitHub draws. Here it is shown as text.",
    "The status of Sprint 7 with the text of a Mermaid diagram in place of the picture.",
)
SUMMARY = Title(
    "summary",
    "The summary of a milestone",
    "When it was closed, here with the final numbers.",
    "Sprint 24 summed up: goal, numbers with their lists, velocity and thanks.",
)


def main() -> None:
    """Writes docs/screens.md and the pictures that it shows."""
    with tempfile.TemporaryDirectory(prefix="screens") as folder:
        asyncio.run(take_all(Path(folder), DOCS, only=sys.argv[1:]))


async def take_all(data: Path, docs: Path, *, only: Iterable[str] = ()) -> list[Screen]:
    """Plays the sprint and takes the pictures. Of these names `only`, if there are any."""
    wanted = set(only)
    async with stage(Settings(data, billing=_SHOP), NOW) as there, aiohttp.ClientSession() as session:
        camera = Camera(there, session)
        for act in ACTS:
            await act(there, camera)
            if wanted and wanted <= {one.title.name for one in camera.screens}:
                break
    screens = [one for one in camera.screens if not wanted or one.title.name in wanted]
    folder = docs / "screens"
    if not wanted:
        shutil.rmtree(folder, ignore_errors=True)
        (docs / "screens.md").write_text(index(screens), encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    async with browser() as opened:
        await shoot(opened, {one.title.name: one.html for one in screens}, folder)
    return screens


class Camera:
    """Keeps what is to be seen, as it is now."""

    def __init__(self, there: Stage, session: aiohttp.ClientSession) -> None:
        self.screens = list[Screen]()
        self._there = there
        self._session = session

    async def comment(self, title: Title, said: Json, repo: str = "") -> None:
        """A comment."""
        repo = repo or self._there.thread.repo
        number = int(said["issue_url"].rpartition("/")[2])
        github = self._there.github
        issues = await github.call("GET", f"/repos/{repo}/issues?state=all&per_page=100")
        await self._keep(title, comment_html(repo, await github.issue(repo, number), said, issues))

    async def check(self, title: Title, run: Json) -> None:
        """A check run as it was sent."""
        await self._keep(title, check_html(self._there.thread.repo, run))

    async def _keep(self, title: Title, html: str) -> None:
        data = dict[str, str]()
        for address in pictures_in(html):
            async with self._session.get(address) as response:
                response.raise_for_status()
                data[address] = "data:image/png;base64," + base64.b64encode(await response.read()).decode()
        self.screens.append(Screen(title, with_pictures(html, data)))


# What is played


async def _days_one_and_two(there: Stage, camera: Camera) -> None:
    await there.until(9, "08:00")
    await there.measure()
    await there.follow("Sprint 24: what goes on")
    await there.settle(summaries="off")
    await there.until(10, "16:00")
    await there.speak()
    await camera.comment(CALM, await there.said("living:"))


async def _week_one(there: Stage, _: Camera) -> None:
    for day, time in ((11, "09:00"), (12, "08:30"), (12, "10:15"), (13, "11:00")):
        await there.until(day, time)
        await there.speak()
        if (day, time) == (12, "10:15"):
            await there.say(there.thread.number, '/blocked reason:"finance has to sign the form"', "carol")
    await there.settle(standup="09:30")
    await there.until(16, "15:30")
    await there.speak()


async def _day_seven(there: Stage, camera: Camera) -> None:
    body = f"Closes #{there.thread.number}\n\nThe certificate for the live domain."
    linked = await _pull(there, "Apple Pay on the live domain", body, "apple-pay-certificate", 184, 7)
    await there.until(17, "09:35")
    await there.speak()
    await camera.comment(STANDUP, await there.said("standup:"))
    await camera.comment(BLOCKED, await there.said("alert:"))
    await there.until(17, "11:50")
    tidy = await _pull(
        there, "Tidy up the price labels", "They are all over the place.", "price-labels", 37, 2
    )
    await there.until(17, "14:30")
    await there.speak()
    await camera.check(CHECK_LINKED, _check(there, linked))
    await camera.check(CHECK_UNPLANNED, _check(there, tidy))
    there.pulls = [linked, tidy]


async def _asked(there: Stage, camera: Camera) -> None:
    number = there.thread.number
    for title, text, who in (
        (STATUS, "/sprint status", "alice"),
        (ERROR, "/sprint status asof:2026-11-12", "bob"),
        (REFUSAL, "/sprint close", "dave"),
    ):
        (said,) = await there.say(number, text, who)
        await camera.comment(title, said)
    next_sprint = '/sprint start "Sprint 25" start:2026-11-23 due:2026-12-04 goal:"Returns without paper"'
    await there.say(number, next_sprint)
    (said,) = await there.say(number, '/sprint close to:"Sprint 25"')
    await camera.comment(PREVIEW, said)


async def _settings(there: Stage, camera: Camera) -> None:
    await there.github.put_file(there.thread.repo, ".github/agile.yml", _GOOD_SETTINGS)
    await there.rest()
    await there.speak()
    await camera.check(CHECK_FAILURE, _check(there, there.pulls[1]))
    pushed = await there.github.put_file(there.thread.repo, ".github/agile.yml", _BAD_SETTINGS)
    await there.rest()
    await camera.check(CHECK_SETTINGS, there.checks[pushed["commit"]["sha"]])
    # What is right in it is in force, and would change the days of the story.
    await there.github.put_file(there.thread.repo, ".github/agile.yml", _GOOD_SETTINGS)
    await there.rest()


async def _wishes(there: Stage, camera: Camera) -> None:
    await there.until(17, "16:40")
    made = [
        await there.github.create_issue(there.thread.repo, title, labels=[f"points: {points}"], as_user=who)
        for title, points, who in (("Gift cards at the checkout", 8, "alice"), ("Pay by invoice", 5, "dave"))
    ]
    await there.rest()
    await there.say(made[0]["number"], "/sprint add")
    await there.say(made[1]["number"], "/sprint add")
    await there.until(17, "16:50")
    await there.speak()
    await camera.comment(CHANGED, await there.said("living:"))


async def _plan(there: Stage, camera: Camera) -> None:
    repo = (await there.github.create_repository(name="back-office", private=True))["full_name"]
    sprint = await there.github.create_milestone(repo, "Sprint 7", due_on="2026-11-27T07:00:00Z")
    for name, who in (("Print labels", "alice"), ("Refunds", "bob"), ("Stock counts", "carol")):
        issue = await there.github.create_issue(repo, name, milestone=sprint["number"], as_user=who)
    await there.rest()
    bought = Subscription(
        "marketplace", "active", "pro", NOW, quantity=5, period_end=datetime(2026, 12, 1, tzinfo=UTC)
    )
    async with there.base.database.tenant(there.tenant) as tenant:
        await Subscriptions(tenant).put(bought)
    await there.until(17, "17:00")
    for title, text in ((PLAN, "/agile plan"), (PRIVATE, "/sprint status")):
        (said,) = await there.say(issue["number"], text, repo=repo)
        await camera.comment(title, said, repo)
    await _by_card(there, camera, repo, issue["number"])


async def _by_card(there: Stage, camera: Camera, repo: str, number: int) -> None:
    """The same account pays by card instead, until its card fails."""
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
    async with there.base.database.tenant(there.tenant) as tenant:
        await Subscriptions(tenant).put(Subscription("marketplace", "ended", "free", NOW))
        await Subscriptions(tenant).put(card)
    (said,) = await there.say(number, "/agile plan", repo=repo)
    await camera.comment(PLAN_BY_CARD, said, repo)
    async with there.base.database.tenant(there.tenant) as tenant:
        await Subscriptions(tenant).put(replace(card, status="past_due", past_due_since=NOW))
        await Jobs(there.base.queue).defer(tenant.connection, TellOwnerJob(organization_id=there.tenant))
    await there.rest()
    issues = await there.github.call("GET", f"/repos/{repo}/issues?state=all&per_page=100")
    said = next(one for one in issues if one["user"]["type"] == "Bot")
    await camera.comment(BILLING, said | {"issue_url": said["url"]}, repo)
    # What follows is not about money.
    async with there.base.database.tenant(there.tenant) as tenant:
        await Subscriptions(tenant).put(replace(card, status="ended", ended_at=NOW))


async def _next_morning(there: Stage, camera: Camera) -> None:
    await there.until(18, "09:00")
    await there.speak()
    await camera.comment(ALERT, await there.said("alert:"))


async def _the_end(there: Stage, camera: Camera) -> None:
    repo, number = there.thread.repo, there.thread.number
    await there.until(19, "16:20")
    await there.say(number, "/unblocked", "carol")
    await there.github.close_issue(repo, number, as_user="bob")
    await there.rest()
    await there.until(20, "15:30")
    await there.say(there.followed, '/sprint close to:"Sprint 25" confirm:yes')
    await there.say(there.followed, '/sprint goal milestone:"Sprint 24" met')
    await there.until(23, "09:00")
    await there.settle(summaries="tracking")
    await there.measure()
    await there.speak()
    await camera.comment(SUMMARY, await there.said("summary:"))


ACTS: tuple[Callable[[Stage, Camera], Awaitable[None]], ...] = (
    _days_one_and_two,
    _week_one,
    _day_seven,
    _asked,
    _settings,
    _wishes,
    _plan,
    _next_morning,
    _the_end,
)


async def _pull(there: Stage, title: str, body: str, branch: str, lines: int, files: int) -> Json:
    """Somebody opens a pull request. Its size is told once more, because emulate's knows none."""
    repo, github = there.thread.repo, there.github
    main = await github.put_file(repo, "README.md", f"# {title}\n")
    ref = {"ref": f"refs/heads/{branch}", "sha": main["commit"]["sha"]}
    await github.call("POST", f"/repos/{repo}/git/refs", ref)
    await github.put_file(repo, f"{branch}.txt", title, branch=branch)
    pull = await github.open_pull_request(repo, title, body=body, head=branch, as_user="bob")
    await there.rest()
    told = next(one for one in reversed(github.deliveries) if one.event == "pull_request").payload
    await there.move(there.clock.now + timedelta(minutes=1))
    at = there.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    size = {"additions": lines - lines // 4, "deletions": lines // 4, "changed_files": files}
    told |= {
        "action": "edited",
        "changes": {},
        "pull_request": told["pull_request"] | size | {"updated_at": at},
    }
    await github.send_hook("pull_request", told)
    await there.rest()
    return pull


def _check(there: Stage, pull: Json) -> Json:
    """What was sent last of a pull request's check."""
    return next(one for one in there.checks.values() if one["head_sha"] == pull["head"]["sha"])


# The page


def index(screens: Iterable[Screen]) -> str:
    """The page that shows them all."""
    parts = ["# What people see", _INTRODUCTION]
    for one in (screen.title for screen in screens):
        parts += [f"## {one.heading}", one.when, _picture(one, "desktop")]
        parts.append(f"<details>\n<summary>On a phone</summary>\n\n{_picture(one, 'phone')}\n\n</details>")
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
