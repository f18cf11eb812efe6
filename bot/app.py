"""The HTTP side: the door, the pictures, and whether all is well."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.billing.routes import add_billing
from bot.chart_route import ChartRoute
from bot.inbox import Inbox
from bot.pictures import Drawing
from bot.services import Services
from bot.webhook import MOST_BYTES, Door
from storage import schema

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(base: Services) -> web.Application:
    """The web application. Raises ValueError without a webhook secret: the door would be open to all."""
    secrets = [secret.reveal() for secret in base.settings.webhook_secrets]
    door = Door(Inbox(base.database, base.cipher), secrets)
    app = web.Application(client_max_size=MOST_BYTES, middlewares=[_without_traces])
    app.router.add_post("/webhooks/github", door.receive)
    drawing = Drawing()  # Its process starts with the first picture that has to be drawn again.
    app.router.add_get("/charts/{token}.png", ChartRoute(base.database, drawing, base.clock).get)

    async def close(_: web.Application) -> None:
        drawing.close()

    app.on_cleanup.append(close)
    app.router.add_get("/healthz", _healthz)
    add_billing(app, base)

    async def readyz(_: web.Request) -> web.Response:
        return await _readiness(base)

    app.router.add_get("/readyz", readyz)
    return app


async def _healthz(_: web.Request) -> web.Response:
    """The process lives."""
    return web.json_response({"status": "ok"})


async def _readiness(base: Services) -> web.Response:
    """The database answers and has the schema of this version."""
    try:
        async with base.database.nobody() as connection:
            await schema.check(connection)
    except schema.SchemaError as problem:
        return web.json_response({"status": "not ready", "reason": str(problem)}, status=503)
    except (SQLAlchemyError, OSError):
        return web.json_response({"status": "not ready", "reason": "the database is away"}, status=503)
    return web.json_response({"status": "ready"})


@web.middleware
async def _without_traces(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug is for the log; the caller learns only that there is one."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - the last stop before the caller
        structlog.get_logger(__name__).exception("request failed", path=request.path)
        return web.json_response({"message": "something went wrong on our side"}, status=500)
