"""Webhooks that arrive late, as GitHub's may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.running import Bot


@asynccontextmanager
async def late_webhooks(bot: Bot, event: str, seconds: float) -> AsyncIterator[None]:
    """Deliver the webhooks of an event to the bot some seconds late, and all others at once."""
    target, waiting = f"{bot.url}/webhooks/github", set[asyncio.Task[None]]()

    async def forward(request: web.Request, body: bytes, delay: float) -> None:
        await asyncio.sleep(delay)
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-")}
        async with bot.session.post(target, data=body, headers=headers) as response:
            assert response.ok

    async def receive(request: web.Request) -> web.Response:
        is_late = request.headers["X-GitHub-Event"] == event
        task = asyncio.create_task(forward(request, await request.read(), seconds if is_late else 0))
        waiting.add(task)
        return web.Response(status=202)

    application = web.Application()
    application.router.add_post("/", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        bot.github.target = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield
        await asyncio.gather(*waiting)
        await bot.rest()
    finally:
        bot.github.target = target
        await runner.cleanup()
