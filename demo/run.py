"""`make demo`: starts everything on this machine, plays a sprint's history and serves its thread."""

import argparse
import asyncio
import sys
import threading
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from bot.cli.daemon import wait_for_stop_signal
from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import GitHubSettings, Secret, Settings
from demo.folder import demo_folder
from demo.page import DemoPage
from demo.scenario import DemoThread, play
from demo.suggestions import suggest
from demo.viewers import list_viewers
from github_standin.emulate import HOST, DemoNotInstalledError, free_port
from github_standin.github import StandInGitHub


def run(settings: Settings, options: argparse.Namespace) -> int:
    """Run `python -m bot demo` and return the exit code. `options.ready` ends what is printed while it
    starts."""
    try:
        return asyncio.run(demo(settings, options.ready))
    except DemoNotInstalledError as problem:
        print(problem, file=sys.stderr)
        return 2
    finally:
        options.ready.set()


async def demo(settings: Settings, ready: threading.Event) -> int:
    """Run the demo until Ctrl-C; each start begins with a new sprint and an empty database."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(demo_folder(settings.data_dir))
        _say("Starting a stand-in for GitHub …")
        github = await stack.enter_async_context(StandInGitHub())
        _say("Starting PostgreSQL and the bot …")
        base = await stack.enter_async_context(
            open_services(demo_settings(replace(settings, data_dir=folder), github))
        )
        await stack.enter_async_context(worker(base))
        port = await stack.enter_async_context(web_server(base, HOST, base.settings.port))
        github.target = f"http://{HOST}:{port}/webhooks/github"
        _say("Playing the sprint so far …")
        thread = await play_story(github, base)
        page = await stack.enter_async_context(
            DemoPage(
                github.url,
                list_viewers(),
                repo=thread.repo,
                number=thread.number,
                suggestions=suggest(base.clock()),
            )
        )
        ready.set()
        _say("Ready. Type a command such as /sprint status in the thread; Ctrl-C here ends everything.")
        _say(page.url)
        await wait_for_stop_signal()
    return 0


def demo_settings(settings: Settings, github: StandInGitHub) -> Settings:
    """Settings for the stand-in, with a bundled database in the folder of `settings`."""
    port = free_port()
    return replace(
        settings,
        database_url=None,
        encryption_keys=(),
        host=HOST,
        port=port,
        public_url=f"http://{HOST}:{port}",
        github_api_url=github.url,
        github=GitHubSettings(str(github.app_id), Secret(github.private_key)),
        webhook_secrets=(Secret(github.webhook_secret),),
    )


async def play_story(github: StandInGitHub, base: Services) -> DemoThread:
    """Play the story so far and wait until all its events are recorded."""

    async def deliver(event: str, delivery: str, payload: dict[str, Any]) -> None:
        await github.send_webhook(event, payload, delivery)

    thread = await play(github, base.clock(), deliver)
    await wait_until_processed(base)
    return thread


def _say(text: str) -> None:
    print(text, flush=True)
