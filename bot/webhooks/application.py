"""The web application: webhook endpoints, chart pictures, billing pages and health checks."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.metrics.page import MetricsPage
from bot.metrics.route import PATH as METRICS_PATH
from bot.metrics.route import MetricsRoute
from bot.publishing.pictures import ChartRenderer
from bot.services import Services
from bot.webhooks.billing_routes import add_billing_routes
from bot.webhooks.chart_route import ChartRoute
from bot.webhooks.delivery_writer import DeliveryWriter
from bot.webhooks.github_endpoint import GitHubWebhookEndpoint
from bot.webhooks.readiness import ReadinessProbe
from bot.webhooks.request_bodies import MAX_BODY_BYTES, RequestBodies
from bot.webhooks.request_metrics import measure_requests

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A token with other characters names no picture, and PostgreSQL does not accept every character in a query.
_CHART = "/charts/{token:[A-Za-z0-9_-]{1,100}}.png"


def make_app(services: Services, metrics: MetricsPage | None = None) -> web.Application:
    """Build the web application, with `GET /metrics` if it is given that page.

    Raises ValueError without a webhook secret: anybody could send events.
    """
    settings = services.settings
    bodies = RequestBodies(settings.webhook_bodies_megabytes * 1024 * 1024, settings.webhook_body_seconds)
    endpoint = GitHubWebhookEndpoint(
        DeliveryWriter(services.database, services.cipher),
        [secret.reveal() for secret in settings.webhook_secrets],
        bodies,
        services.instruments,
    )
    app = web.Application(
        client_max_size=MAX_BODY_BYTES, middlewares=[measure_requests(services.instruments), _hide_errors]
    )
    app.on_response_prepare.append(_forbid_content_sniffing)
    app.router.add_post("/webhooks/github", endpoint.handle)
    # Its process starts with the first picture that has to be drawn again.
    renderer = ChartRenderer(instruments=services.instruments)
    app.router.add_get(_CHART, ChartRoute(services.database, renderer, services.clock).get)
    app.router.add_get("/healthz", _get_health)
    add_billing_routes(app, services, bodies)
    if metrics is not None:
        app.router.add_get(METRICS_PATH, MetricsRoute(metrics, settings.metrics.token).get)
    probe = ReadinessProbe(services.database_url)
    app.router.add_get("/readyz", _ReadinessRoute(probe).get)

    async def close(_: web.Application) -> None:
        renderer.close()
        await probe.close()

    app.on_cleanup.append(close)
    return app


async def _get_health(_: web.Request) -> web.Response:
    """Answer that the process is alive."""
    return web.json_response({"status": "ok"})


class _ReadinessRoute:
    def __init__(self, probe: ReadinessProbe) -> None:
        self._probe = probe

    async def get(self, _: web.Request) -> web.Response:
        if problem := await self._probe.find_problem():
            return web.json_response({"status": "not ready", "reason": problem}, status=503)
        return web.json_response({"status": "ready"})


async def _forbid_content_sniffing(_: web.Request, response: web.StreamResponse) -> None:
    """Make browsers trust the content type of a response instead of guessing it from the content."""
    response.headers["X-Content-Type-Options"] = "nosniff"


@web.middleware
async def _hide_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log an unexpected exception, and answer with status 500, without its cause."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:  # noqa: BLE001 - the last place where it can be logged
        # The route instead of the path itself: links to pictures and to Stripe are secrets.
        route = request.match_info.route.resource
        path = route.canonical if route else None
        structlog.get_logger(__name__).exception("request failed", path=path)
        # GitHub's image proxy would remember the error of a picture.
        headers = {"Cache-Control": "no-store"}
        return web.json_response({"message": "something went wrong on our side"}, status=500, headers=headers)
