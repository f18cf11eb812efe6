"""`/app/hook/deliveries`: what was delivered, what failed, and once more. Only the App itself may ask."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.webhook_sender import Delivery, WebhookSender

Json = dict[str, Any]
PATH = re.compile(r"^/app/hook/deliveries(?:/(\d+)(/attempts)?)?$")
KEPT = timedelta(days=3)
IsApp = Callable[[Caller], Awaitable[bool]]


class Attempts:
    """Every post to the bot is an attempt with an id of its own; attempts of one delivery share its guid."""

    def __init__(self, hooks: WebhookSender, is_app: IsApp, front: Callable[[], URL]) -> None:
        self._hooks = hooks
        self._is_app = is_app
        self._front = front

    async def answer(self, caller: Caller, method: str, url: URL) -> Answer | None:
        """The answer, or None when it is about something else."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if not await self._is_app(caller):
            return error(401, "A JSON web token could not be decoded")
        if match[1] is None:
            return self._listed(url) if method == "GET" else error(404, "Not Found")
        attempt = next((one for one in self._kept() if one.attempt == int(match[1])), None)
        if attempt is None or (method == "POST") != bool(match[2]):
            return error(404, "Not Found")
        if method == "POST":
            self._hooks.attempt_again(attempt)
            return json_answer(202, {})
        return json_answer(200, self._in_full(attempt))

    def _kept(self) -> list[Delivery]:
        """Newest first; GitHub forgets after three days."""
        now = datetime.now(UTC)
        kept = [one for one in self._hooks.deliveries if one.is_over and now - one.delivered_at < KEPT]
        return sorted(kept, key=lambda one: -one.attempt)

    def _listed(self, url: URL) -> Answer:
        size = max(1, min(int(url.query.get("per_page", 30)), 100))
        wanted = url.query.get("status")
        rest = [
            one for one in self._kept() if wanted in (None, "success" if is_delivered(one) else "failure")
        ]
        if cursor := url.query.get("cursor"):
            if not re.fullmatch(r"v1_\d+", cursor):
                return error(422, "Invalid cursor")
            rest = [one for one in rest if one.attempt < int(cursor.removeprefix("v1_"))]
        page = rest[:size]
        answer = json_answer(200, [summary(one) for one in page])
        if len(rest) <= size:
            return answer
        following = self._front().join(url).update_query(cursor=f"v1_{page[-1].attempt}")
        return replace(answer, headers={**answer.headers, "Link": f'<{following}>; rel="next"'})

    def _in_full(self, attempt: Delivery) -> Json:
        request = {"headers": self._hooks.headers_of(attempt), "payload": attempt.payload}
        response: Json = {"headers": {}, "payload": None}
        return {**summary(attempt), "url": self._hooks.target or "", "request": request, "response": response}


def is_delivered(attempt: Delivery) -> bool:
    """Whether the bot took it."""
    return attempt.status is not None and 200 <= attempt.status < 300


def summary(attempt: Delivery) -> Json:
    """An attempt as the list shows it. Where nobody answered, GitHub notes what a gateway would say."""
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


def _outcome(attempt: Delivery) -> tuple[str, int]:
    if attempt.timed_out:
        return "timed out", 504
    if attempt.status is None:
        return "failed to connect to host", 502
    return ("OK" if is_delivered(attempt) else f"Invalid HTTP Response: {attempt.status}"), attempt.status
