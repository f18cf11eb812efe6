"""The App's `/app/hook/deliveries`: lists deliveries and redelivers them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from github_standin.proxy.callers import Caller, IsApp
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.webhooks.sender import DeliveryAttempt, WebhookSender

Json = dict[str, Any]
PATH = re.compile(r"^/app/hook/deliveries(?:/(\d+)(/attempts)?)?$")
RETENTION = timedelta(days=3)


class HookDeliveries:
    """The list of attempts: each has an id of its own, and attempts of one delivery share its guid."""

    def __init__(self, sender: WebhookSender, is_app: IsApp, base_url: Callable[[], URL]) -> None:
        self._sender = sender
        self._is_app = is_app
        self._base_url = base_url

    async def answer(self, caller: Caller, method: str, url: URL) -> ProxyResponse | None:
        """Answer a request; None when the path belongs to another module."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if not await self._is_app(caller):
            return error_response(401, "A JSON web token could not be decoded")
        if match[1] is None:
            return self._list(url) if method == "GET" else error_response(404, "Not Found")
        attempt = next((attempt for attempt in self._recent() if attempt.attempt == int(match[1])), None)
        if attempt is None or (method == "POST") != bool(match[2]):
            return error_response(404, "Not Found")
        if method == "POST":
            self._sender.queue_redelivery(attempt)
            return json_response(202, {})
        return json_response(200, self._details(attempt))

    def _recent(self) -> list[DeliveryAttempt]:
        """The finished attempts, newest first; GitHub keeps them for three days."""
        now = datetime.now(UTC)
        recent = [
            attempt
            for attempt in self._sender.deliveries
            if attempt.is_over and now - attempt.delivered_at < RETENTION
        ]
        return sorted(recent, key=lambda attempt: -attempt.attempt)

    def _list(self, url: URL) -> ProxyResponse:
        size = max(1, min(int(url.query.get("per_page", 30)), 100))
        status = url.query.get("status")
        rest = [
            attempt
            for attempt in self._recent()
            if status in (None, "success" if is_delivered(attempt) else "failure")
        ]
        if cursor := url.query.get("cursor"):
            if not re.fullmatch(r"v1_\d+", cursor):
                return error_response(422, "Invalid cursor")
            rest = [attempt for attempt in rest if attempt.attempt < int(cursor.removeprefix("v1_"))]
        page = rest[:size]
        response = json_response(200, [delivery_summary(attempt) for attempt in page])
        if len(rest) <= size:
            return response
        next_page = self._base_url().join(url).update_query(cursor=f"v1_{page[-1].attempt}")
        return replace(response, headers={**response.headers, "Link": f'<{next_page}>; rel="next"'})

    def _details(self, attempt: DeliveryAttempt) -> Json:
        return {
            **delivery_summary(attempt),
            "url": self._sender.target or "",
            "request": {"headers": self._sender.headers_of(attempt), "payload": attempt.payload},
            "response": {"headers": {}, "payload": None},
        }


def is_delivered(attempt: DeliveryAttempt) -> bool:
    """Whether the bot answered with success."""
    return attempt.status is not None and 200 <= attempt.status < 300


def delivery_summary(attempt: DeliveryAttempt) -> Json:
    """An attempt as an element of the list; without a response it has a gateway's status, as on GitHub."""
    status, code = _outcome(attempt)
    payload = json.loads(attempt.body)
    return {
        "id": attempt.attempt,
        "guid": attempt.id,
        "delivered_at": attempt.delivered_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "redelivery": attempt.redelivery,
        "duration": round(attempt.duration, 2),
        "status": status,
        "status_code": code,
        "event": attempt.event,
        "action": payload.get("action"),
        "installation_id": (payload.get("installation") or {}).get("id"),
        "repository_id": (payload.get("repository") or {}).get("id"),
        "throttled_at": None,
    }


def _outcome(attempt: DeliveryAttempt) -> tuple[str, int]:
    if attempt.timed_out:
        return "timed out", 504
    if attempt.status is None:
        return "failed to connect to host", 502
    return ("OK" if is_delivered(attempt) else f"Invalid HTTP Response: {attempt.status}"), attempt.status
