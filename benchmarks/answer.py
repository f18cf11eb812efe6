"""How long a person waits for `/sprint status`, against a bare script that makes the same calls to GitHub.

Run `python -m benchmarks.answer [answers]`. GitHub is the demo's stand-in; the bot is a process of its
own, and 50 other events a second arrive at its door, five of which change the sprint, so that nearly every
answer has a picture to draw. Both sides take turns in each thread, the script one call after another.
"""

import asyncio
import contextlib
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

import aiohttp
from gidgethub.aiohttp import GitHubAPI
from gidgethub.apps import get_installation_access_token

from benchmarks import common, load
from demo import scenario
from github_standin.github import LoggedRequest, StandInGitHub

Json = dict[str, Any]
_GOAL_P50, _GOAL_P99 = 2.5, 8.0
_SECONDS = 30.0
_COMMON: tuple[str, ...] = ("repository", "organization", "installation", "sender")


class Log(list[LoggedRequest]):
    """The stand-in's log of requests, with the time at which each was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.grown = asyncio.Event()

    def append(self, one: LoggedRequest) -> None:
        super().append(one)
        self.times.append(time.perf_counter())
        self.grown.set()

    async def wait_for(self, path: str, first: int, times: int = 1) -> int:
        """The place of the last of so many accepted POSTs to a path, among those from `first` on."""
        async with asyncio.timeout(_SECONDS):
            while True:
                self.grown.clear()
                found = [n for n in range(first, len(self)) if self[n][:3] == ("POST", path, 201)]
                if len(found) >= times:
                    return found[times - 1]
                await self.grown.wait()


class Contest:
    """The bot and the script, on the same stand-in."""

    def __init__(self, github: StandInGitHub, repo: str, session: aiohttp.ClientSession, token: str) -> None:
        self._github, self._repo, self._session = github, repo, session
        self._log = Log()
        github.requests = self._log
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}

    async def bot(self, payload: Json) -> tuple[float, list[LoggedRequest]]:
        """Seconds from the webhook to the accepted reply, and the calls up to it."""
        first = len(self._log)
        thread = f"/repos/{self._repo}/issues/{payload['issue']['number']}/comments"
        started = time.perf_counter()
        await self._github.send_webhook("issue_comment", payload)
        end = await self._log.wait_for(thread, first)
        reactions = f"/repos/{self._repo}/issues/comments/{payload['comment']['id']}/reactions"
        await self._log.wait_for(reactions, first, times=2)
        return self._log.times[end] - started, [
            one for one in self._log[first : end + 1] if one.who == self._github.bot_login
        ]

    async def script(self, calls: list[LoggedRequest], reply: str) -> float:
        """Seconds for the same calls, one after another."""
        started = time.perf_counter()
        for call in calls:
            body = None if call.method == "GET" else {"content": "eyes"} | {"body": reply}
            url = self._github.url + call.path
            async with self._session.request(call.method, url, json=body, headers=self._headers) as answer:
                await answer.read()
                answer.raise_for_status()
        return time.perf_counter() - started


async def _compare(answers: int) -> Json:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(common.scratch())
        github = await stack.enter_async_context(StandInGitHub(webhook_secret=common.SECRET))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        port = common.free_port()
        known = {"GITHUB_APP_ID": str(github.app_id), "GITHUB_APP_PRIVATE_KEY": github.private_key}
        environment = common.bot_environment(folder, port) | known | {"GITHUB_API_URL": github.url}
        stack.enter_context(common.bot(["serve"], environment, folder / "bot.log"))
        github.target = f"http://{common.HOST}:{port}{common.PATH}"
        told: list[Json] = []

        async def deliver(event: str, delivery: str, payload: Json) -> None:
            told.append(payload)
            await github.send_webhook(event, payload, delivery)

        thread = await scenario.play(github, datetime.now(UTC), deliver)
        sprint = {one["issue"]["number"]: one["issue"] for one in told if "issue" in one}
        template = {name: told[-1][name] for name in _COMMON if name in told[-1]}
        async with github.muted():
            questions = [await _question(github, thread.repo, template, n) for n in range(answers + 3)]
        others = load.Others(
            github.target, template, list(sprint.values()), [one["issue"] for one in questions]
        )
        background = asyncio.create_task(others.run(session))
        stack.push_async_callback(_ended, background)
        contest = Contest(github, thread.repo, session, await _token(github, session))
        ours, bare, calls = list[float](), list[float](), 0
        for number, question in enumerate(questions):
            took, made = await contest.bot(question)
            reply = (await github.comments(thread.repo, question["issue"]["number"]))[-1]["body"]
            same = await contest.script(made, reply)
            if number >= 3:  # The first ones mint a token and warm up.
                ours.append(took)
                bare.append(same)
                calls += len(made)
        return _figures(ours, bare) | {"calls_each": round(calls / len(ours), 2), "others": others.sent}


async def _ended(background: asyncio.Task[None]) -> None:
    """Other events must have gone on to the end, or the figures are of something else."""
    background.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await background


async def _question(github: StandInGitHub, repo: str, template: Json, number: int) -> Json:
    issue = await github.create_issue(repo, f"Thread {number}")
    comment = await github.comment(repo, issue["number"], "/sprint status", as_user="alice")
    return template | {"action": "created", "issue": issue, "comment": comment, "sender": comment["user"]}


async def _token(github: StandInGitHub, session: aiohttp.ClientSession) -> str:
    minted = await get_installation_access_token(
        GitHubAPI(session, "benchmark", base_url=github.url),
        installation_id=str(github.installation_id),
        app_id=str(github.app_id),
        private_key=github.private_key,
    )
    return str(minted["token"])


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]


def _figures(ours: list[float], bare: list[float]) -> Json:
    return {
        "benchmark": "answer",
        "answers": len(ours),
        "bot_p50_ms": round(median(ours) * 1000, 1),
        "bot_p99_ms": round(_p99(ours) * 1000, 1),
        "script_p50_ms": round(median(bare) * 1000, 1),
        "script_p99_ms": round(_p99(bare) * 1000, 1),
        "p50_ratio": round(median(ours) / median(bare), 2),
        "p99_ratio": round(_p99(ours) / _p99(bare), 2),
        "goals": [_GOAL_P50, _GOAL_P99],
    }


def main() -> None:
    figures = asyncio.run(_compare(int(sys.argv[1]) if len(sys.argv) > 1 else 120))
    p50, p99 = figures["p50_ratio"], figures["p99_ratio"]
    within = "within" if p50 <= _GOAL_P50 and p99 <= _GOAL_P99 else "above"
    common.report(
        figures,
        f"An answer takes {p50:.2f} × (p99: {p99:.2f} ×) what its calls to GitHub take, {within} the goals "
        f"of {_GOAL_P50} and {_GOAL_P99}.",
    )


if __name__ == "__main__":
    main()
