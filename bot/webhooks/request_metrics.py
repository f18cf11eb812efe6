"""Counts and times the requests to the web server by route, never by path: paths hold secrets of links."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.metrics.instruments import Instruments
from bot.metrics.label_values import choose_method

_NO_ROUTE = "none"


def measure_requests(instruments: Instruments) -> Middleware:
    """Build the middleware. It comes first, so that it sees the status that every other one leads to."""

    @web.middleware
    async def measure(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        status, began = 499, perf_counter()  # nginx's status for a client that went away.
        try:
            response = await handler(request)
        except web.HTTPException as problem:
            status = problem.status
            raise
        else:
            status = response.status
            return response
        finally:
            route = _name_route(request)
            instruments.requests.labels(route, choose_method(request.method), str(status)).inc()
            instruments.request_seconds.labels(route).observe(perf_counter() - began)

    return measure


def _name_route(request: web.Request) -> str:
    """The route as it was declared, such as `/charts/{token}.png`; `none` for an address that we lack."""
    resource = request.match_info.route.resource
    return _NO_ROUTE if resource is None else resource.canonical
