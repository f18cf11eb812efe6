"""Plays a sprint in the demo from beginning to end and writes docs/tour.md with commands and replies.

Run `python -m demo.tour`. Replies and pictures are those that the bot posts to the stand-in for GitHub; only
invisible markers are left out.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.cli.serve import web_server
from bot.jobs.event_processor import wait_until_processed
from bot.jobs.worker import worker
from bot.services import Services, open_services
from bot.settings import Settings
from demo.run import demo_settings, play_story
from demo.scenario import Calendar, DemoThread, working_day
from github_standin.emulate import HOST
from github_standin.github import StandInGitHub

_DOCS = Path(__file__).parents[1] / "docs"
_MARKER = re.compile(r"\n*<!-- agile-github-suite[^>]*-->\s*$")
_PICTURE = re.compile(r"http://[^\s()\"]+/charts/[\w-]+\.png")
_TIMEOUT_SECONDS = 20.0
_INTRODUCTION = (
    "_Played by `python -m demo.tour` against the stand-in for GitHub; the words and pictures are the "
    "bot's._\n\nA web shop's team is on the seventh of ten days of **Sprint 24**; eight sprints lie behind "
    "it. All of this happens in the comments of one issue."
)
_NEXT_SPRINT = '/sprint start "Sprint 25" start:{next_start} due:{next_due} goal:"Returns without paper"'
_CLOSE = '/sprint close to:"Sprint 25"'


@dataclass(frozen=True)
class Act:
    """A comment of the tour with its heading and the reason for it."""

    heading: str
    why: str
    says: str
    who: str = "alice"


ACTS = (
    Act("Where do we stand?", "In the morning Alice looks at the sprint.", "/sprint status"),
    Act("Will we make it?", "The status says a chance. What is behind it?", "/forecast"),
    Act("What is in the way?", "", "/risk"),
    Act("What if something came out?", "Nothing is changed by asking.", "/whatif add:5"),
    Act("What came in since the start?", "", "/sprint scope", "bob"),
    Act("An estimate was wrong", "Bob sees that this is less than it looked.", "/estimate 5", "bob"),
    Act("The next sprint", "Alice makes it, with its goal.", _NEXT_SPRINT),
    Act("What the team can take on", "", '/sprint plan "Sprint 25"'),
    Act("How fast are we?", "", "/velocity"),
    Act("How long does an item take?", "", "/cycletime"),
    Act("Since yesterday", "", "/standup", "carol"),
    Act("Where does that number come from?", "Dave does not believe it.", "/explain scope", "dave"),
    Act("The end of the sprint", "What is open goes on in Sprint 25. First it is shown.", _CLOSE),
    Act("… and it is done", "Alice has read it.", f"{_CLOSE} confirm:yes"),
    Act("What it came to", "", '/sprint report "Sprint 24"'),
    Act("Looking back", "", '/sprint retro "Sprint 24"'),
)  # fmt: skip


def main() -> None:
    """Write docs/tour.md and its pictures."""
    with tempfile.TemporaryDirectory(prefix="tour") as folder:
        asyncio.run(_tour(Settings(data_dir=Path(folder))))


async def _tour(settings: Settings) -> None:
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(StandInGitHub())
        base = await stack.enter_async_context(open_services(demo_settings(settings, github)))
        await stack.enter_async_context(worker(base))
        port = await stack.enter_async_context(web_server(base, HOST, base.settings.port))
        github.target = f"http://{HOST}:{port}/webhooks/github"
        thread = await play_story(github, base)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        pictures = PictureFolder(session, github.url)
        parts = ["# A tour", _INTRODUCTION]
        for act in ACTS:
            print(act.says)
            parts += await _play(github, base, thread, act, pictures)
        (_DOCS / "tour.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


class PictureFolder:
    """The folder docs/tour/ with the tour's pictures; links to the stand-in become links to GitHub."""

    def __init__(self, session: aiohttp.ClientSession, github_url: str) -> None:
        self._session = session
        self._github_url = github_url
        self._folder = _DOCS / "tour"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        self._count = 0

    async def store(self, text: str) -> str:
        """Store the light and dark pictures of a reply as files, and return it with their paths."""
        for address in dict.fromkeys(_PICTURE.findall(text)):
            self._count += 1
            name = f"{self._count:02}.png"
            async with self._session.get(address) as response:
                (self._folder / name).write_bytes(await response.read())
            text = text.replace(address, f"tour/{name}")
        return text.replace(self._github_url, "https://github.com")


async def _play(
    github: StandInGitHub, base: Services, thread: DemoThread, act: Act, pictures: PictureFolder
) -> list[str]:
    """Comment, and return the tour's paragraphs about it."""
    command = act.says.format(**_dates(base))
    comments = await github.comments(thread.repo, thread.number)
    before = {comment["id"]: comment["body"] for comment in comments}
    comment = await github.comment(thread.repo, thread.number, f"{command} new:yes", as_user=act.who)
    await _until_answered(github, base, thread, comment["id"])
    answers = [
        comment["body"]
        for comment in await github.comments(thread.repo, thread.number)
        if comment["user"]["type"] == "Bot" and before.get(comment["id"]) != comment["body"]
    ]
    replies = [await pictures.store(_MARKER.sub("", answer)) for answer in answers]
    quoted = "\n\n".join("\n".join(f"> {line}".rstrip() for line in reply.splitlines()) for reply in replies)
    parts = [
        f"## {act.heading}",
        act.why,
        f"**{act.who}:** `{command}`",
        quoted or "_👍, and no more words._",
    ]
    return [part for part in parts if part]


async def _until_answered(github: StandInGitHub, base: Services, thread: DemoThread, comment: int) -> None:
    """Wait for the reaction that ends a command, and until its webhooks are processed."""
    waited = 0.0
    while len(github.reactions(thread.repo, comment)) < 2:
        if waited > _TIMEOUT_SECONDS:
            raise TimeoutError("the bot did not answer")
        await asyncio.sleep(0.05)
        waited += 0.05
    await github.wait_for_webhooks()
    await wait_until_processed(base)


def _dates(base: Services) -> dict[str, str]:
    last = Calendar.around(base.clock()).last_day
    return {
        "next_start": working_day(last, 1).isoformat(),
        "next_due": working_day(last, 10).isoformat(),
    }


if __name__ == "__main__":
    main()
