"""The HTTP side: the door, the pictures, and whether all is well."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.publishing.pictures import Drawing
from bot.services import Services
from bot.webhooks.billing_routes import add_billing
from bot.webhooks.chart_route import ChartRoute
from bot.webhooks.delivery_writer import DeliveryWriter
from bot.webhooks.github_endpoint import WebhookEndpoint
from bot.webhooks.readiness import Readiness
from bot.webhooks.request_bodies import MOST_BYTES, Bodies

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What is not made of these characters names no picture, and PostgreSQL could not even be asked for all of it.
_CHART = "/charts/{token:[A-Za-z0-9_-]{1,100}}.png"


def make_app(base: Services) -> web.Application:
    """The web application. Raises ValueError without a webhook secret: the door would be open to all."""
    settings = base.settings
    bodies = Bodies(settings.webhook_bodies_megabytes * 1024 * 1024, settings.webhook_body_seconds)
    door = WebhookEndpoint(
        DeliveryWriter(base.database, base.cipher),
        [secret.reveal() for secret in settings.webhook_secrets],
        bodies,
    )
    app = web.Application(client_max_size=MOST_BYTES, middlewares=[_without_traces])
    app.on_response_prepare.append(_as_it_says)
    app.router.add_post("/webhooks/github", door.receive)
    drawing = Drawing()  # Its process starts with the first picture that has to be drawn again.
    app.router.add_get(_CHART, ChartRoute(base.database, drawing, base.clock).get)
    app.router.add_get("/healthz", _healthz)
    add_billing(app, base, bodies)
    readiness = Readiness(base.database_url)
    app.router.add_get("/readyz", _ReadinessRoute(readiness).get)

    async def close(_: web.Application) -> None:
        drawing.close()
        await readiness.close()

    app.on_cleanup.append(close)
    return app


async def _healthz(_: web.Request) -> web.Response:
    """The process lives."""
    return web.json_response({"status": "ok"})


class _ReadinessRoute:
    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def get(self, _: web.Request) -> web.Response:
        if problem := await self._readiness.problem():
            return web.json_response({"status": "not ready", "reason": problem}, status=503)
        return web.json_response({"status": "ready"})


async def _as_it_says(_: web.Request, response: web.StreamResponse) -> None:
    """No browser takes an answer for anything but what its content type says."""
    response.headers["X-Content-Type-Options"] = "nosniff"


@web.middleware
async def _without_traces(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A bug is for the log; the caller learns only that there is one."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - the last stop before the caller
        # Not the path itself: links to pictures and to Stripe are secrets.
        route = request.match_info.route.resource
        path = route.canonical if route else None
        structlog.get_logger(__name__).exception("request failed", path=path)
        return web.json_response({"message": "something went wrong on our side"}, status=500)
