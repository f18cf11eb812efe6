"""From the webhook of a comment to the reply on GitHub, for each of the dearest commands.

Run `python -m benchmarks.replies [rounds]`. The demo has 78 items, eight sprints behind it, and a
ninth that runs. The bot runs as `serve` runs it, against the stand-in for GitHub on loopback.
"""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from benchmarks import common
from bot.cli.serve import web_server
from bot.jobs.worker import worker
from bot.services import open_services
from bot.settings import Settings
from demo.run import demo_settings, play_story
from github_standin.emulate import HOST
from github_standin.github import StandInGitHub

COMMANDS = ("/sprint status", "/forecast", "/risk", "/summary", "/explain scope", "/velocity", "/help")
_PATIENCE_SECONDS = 30.0


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    with common.scratch() as folder:
        found = asyncio.run(_measure(folder, rounds))
    figures = {name: round(median(times) * 1000) for name, times in found.items()}
    slowest = max(figures, key=lambda name: figures[name])
    took = f"{figures[slowest]} ms from the comment to the reply (median of {rounds})"
    common.report(
        {"benchmark": "replies", "rounds": rounds, "p50_ms": figures},
        f"The dearest is `{slowest}`: {took}.",
    )


async def _measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandInGitHub())
        base = await stack.enter_async_context(
            open_services(demo_settings(Settings(data_dir=folder), github))
        )
        await stack.enter_async_context(worker(base))
        port = await stack.enter_async_context(web_server(base, HOST, base.settings.port))
        github.target = f"http://{HOST}:{port}/webhooks/github"
        thread = await play_story(github, base)
        for turn in range(rounds + 1):
            for name in COMMANDS:
                began = time.perf_counter()
                asked = await github.comment(thread.repo, thread.number, name)
                while len(github.reactions(thread.repo, asked["id"])) < 2:
                    if time.perf_counter() - began > _PATIENCE_SECONDS:
                        raise TimeoutError(name)
                    await asyncio.sleep(0.002)
                if turn:  # The first time the fonts are loaded and the token is fetched.
                    found[name].append(time.perf_counter() - began)
    return found


if __name__ == "__main__":
    main()
