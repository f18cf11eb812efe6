"""A stand-in for Stripe's API: subscriptions, checkout, portal and meters, as far as we use them."""

import copy
import itertools
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import stripe
from aiohttp import web

from tests.support.stripe.checkout_server import StandInCheckout
from tests.support.stripe.invoices import StandInInvoices

Json = dict[str, Any]
SECRET = "whsec_stand_in"


def unfolded(body: str) -> Json:
    """Stripe's form: `items[0][quantity]=3`."""
    result: Json = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        place: Any = result
        keys = re.findall(r"[^\[\]]+", name)
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return result


class StandInStripe:
    """Honours idempotency keys and meter events' identifiers, and answers 404 for what it does not know."""

    def __init__(self) -> None:
        self.url = ""
        self.subscriptions: dict[str, Json] = {}
        self.requests: list[tuple[str, str, Json]] = []
        self.usage: dict[str, Json] = {}
        self.meters = {"agile_commands_answered": "mtr_1", "agile_projects_created": "mtr_2"}
        self.invoices: dict[str, list[Json]] = {}
        self.fail_with: int | None = None
        self.refuses_repeated_usage = False
        # Stripe's search is not sold everywhere, and may be behind.
        self.unsearchable: set[str] = set()
        # By path: what Stripe answers with instead.
        self.failing: dict[str, int] = {}
        self.page_size = 100
        self.charges: dict[str, Json] = {}
        self.payment_intents = dict[str, Json]()
        self.disputes: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.checkout = StandInCheckout(self.subscriptions)
        self.seat_invoices = StandInInvoices()
        self._answers: dict[str, tuple[Json, Json]] = {}
        self._numbers = itertools.count(1)

    @property
    def prices(self) -> dict[str, Json]:
        """The prices that Stripe knows, by id; to be added to, because the checkout reads the same ones."""
        return self.checkout.prices

    def subscribe(
        self,
        account: int | None,
        *,
        price: str = "price_pro",
        quantity: int = 1,
        status: str = "active",
        **more: Any,
    ) -> Json:
        """Somebody has subscribed."""
        number = next(self._numbers)
        now = int(time.time())
        result: Json = {
            "id": f"sub_{number}",
            "object": "subscription",
            "created": now,
            "customer": f"cus_{number}",
            "status": status,
            "metadata": {"account": str(account)} if account is not None else {},
            "cancel_at_period_end": False,
            "latest_invoice": {"id": f"in_{number}", "object": "invoice", "created": now},
            "items": {
                "object": "list",
                "data": [
                    {
                        "id": f"si_{number}",
                        "object": "subscription_item",
                        "price": {"id": price, "object": "price"},
                        "quantity": quantity,
                        "current_period_start": now,
                        "current_period_end": now + 30 * 86400,
                    }
                ],
            },
        } | more
        self.subscriptions[result["id"]] = result
        self.checkout.add_customer(result["customer"])
        return result

    def event(self, kind: str, shown: Json, event_id: str | None = None) -> Json:
        """An event with its object as it is now."""
        event_id = event_id or f"evt_{next(self._numbers)}"
        return {"id": event_id, "object": "event", "type": kind, "data": {"object": copy.deepcopy(shown)}}

    # HTTP

    @asynccontextmanager
    async def running(self) -> AsyncIterator["StandInStripe"]:
        app = web.Application()
        app.router.add_route("*", "/v1/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        query = request.query_string
        data = unfolded((await request.text()) if request.method == "POST" else query)
        self.requests.append((request.method, path, data))
        if request.headers.get("Authorization") != "Bearer sk_test_stand_in":
            return _error(401, "Invalid API Key provided")
        status = self.failing.get(path, self.fail_with)
        if status is not None:
            return _error(status, "a bad day")
        key = request.headers.get("Idempotency-Key", "") if request.method == "POST" else ""
        if self.checkout.before is not None:
            await self.checkout.before(request.method, path)
        if key and key in self._answers:
            parameters, answer = self._answers[key]
            if parameters != data:
                return _error(400, "Keys for idempotent requests can only be used with the same parameters")
            return web.json_response(answer)
        result = self._found(request.method, path, data)
        if isinstance(result, web.Response):
            return result
        if key:
            self._answers[key] = data, copy.deepcopy(result)
        return web.json_response(result)

    def _found(self, method: str, path: str, given: Json) -> Json | web.Response:
        if path.partition("/")[0] in {"disputes", "refunds"}:
            return self._payment(*path.split("/"), data=given)
        if (answer := self.checkout.answer(method, path, given)) is not None:
            return answer
        match [method, *path.split("/")]:
            case ["GET", "subscriptions", name] if name in self.subscriptions:
                return _expanded(self.subscriptions[name], given)
            case ["GET", "subscriptions", *_]:
                return (
                    self._list_subscriptions(given) if path == "subscriptions" else self._search(path, given)
                )
            case ["POST", "subscriptions", name] if name in self.subscriptions:
                declined = self.seat_invoices.update(self.subscriptions[name], given)
                return _expanded(self.subscriptions[name], given) if declined is None else _declined(declined)
            case ["POST", "billing_portal", "sessions"]:
                return {
                    "id": "bps_1",
                    "object": "billing_portal.session",
                    "url": "https://billing.stripe.com/session/secret",
                }
            case ["POST", "billing", "meter_events"]:
                return self._count(given)
            case ["GET", "billing", "meters"]:
                data = [
                    {"id": entry, "object": "billing.meter", "event_name": name}
                    for name, entry in self.meters.items()
                ]
                return {"object": "list", "data": data, "has_more": False, "url": "/v1/billing/meters"}
            case ["GET", "billing", "meters", meter, "event_summaries"]:
                return self._summary(meter, given)
        return self._price_or_invoices(method, path, given)

    def _price_or_invoices(self, method: str, path: str, given: Json) -> Json | web.Response:
        match [method, *path.split("/")]:
            case ["GET", "invoices"]:
                data = self.invoices.get(given["subscription"], [])
                return {"object": "list", "data": data, "has_more": False, "url": "/v1/invoices"}
            case ["POST", "invoices", "create_preview"] if given["subscription"] in self.subscriptions:
                return self.seat_invoices.preview(self.subscriptions[given["subscription"]], given)
            case ["GET", "payment_intents", name] if name in self.payment_intents:
                return self.payment_intents[name]
        return _error(404, f"No such thing: {path}", "resource_missing")

    def _list_subscriptions(self, data: Json) -> Json | web.Response:
        """The newest first. Without a `status`, those that were canceled are left out."""
        listed = list(self.subscriptions.values())[::-1]
        if "customer" in data:
            listed = [entry for entry in listed if entry["customer"] == data["customer"]]
            if not listed:
                return _error(404, f"No such customer: '{data['customer']}'", "resource_missing")
        if data.get("status") != "all":
            listed = [
                subscription
                for subscription in listed
                if subscription["status"] != data.get("status", "canceled")
            ]
        since = int(data.get("created", {}).get("gte", 0))
        return self._page([entry for entry in listed if entry["created"] >= since], data, "subscriptions")

    def _page(self, listed: list[Json], data: Json, path: str) -> Json:
        ids = [entry["id"] for entry in listed]
        first = ids.index(data["starting_after"]) + 1 if "starting_after" in data else 0
        last = first + min(int(data.get("limit", 10)), self.page_size)
        return {
            "object": "list",
            "data": [_expanded(entry, data, "data.") for entry in listed[first:last]],
            "has_more": last < len(listed),
            "url": f"/v1/{path}",
        }

    def _search(self, path: str, data: Json) -> Json | web.Response:
        if path != "subscriptions/search":
            return _error(404, f"No such subscription: {path}", "resource_missing")
        if not self.checkout.has_search:
            return _error(400, "Search is not available for your account")
        match = re.fullmatch(r"metadata\['account'\]:'(\d+)'", data["query"])
        assert match, data["query"]
        listed = [
            subscription
            for subscription in self.subscriptions.values()
            if subscription["metadata"].get("account") == match[1]
            and subscription["id"] not in self.unsearchable | self.checkout.unindexed
        ]
        first = int(data.get("page", 0))
        last = first + min(int(data.get("limit", 10)), self.page_size)
        has_more = last < len(listed)
        return {
            "object": "search_result",
            "url": "/v1/subscriptions/search",
            "data": [_expanded(entry, data, "data.") for entry in listed[first:last]],
            "has_more": has_more,
            "next_page": str(last) if has_more else None,
        }

    def pay(self, customer: str, amount: int = 1800) -> Json:
        """A charge of a customer."""
        number = next(self._numbers)
        charge: Json = {
            "id": f"ch_{number}",
            "object": "charge",
            "amount": amount,
            "amount_refunded": 0,
            "currency": "usd",
            "customer": customer,
            "payment_intent": f"pi_{number}",
            "refunded": False,
        }
        self.charges[charge["id"]] = charge
        intent = {"id": charge["payment_intent"], "object": "payment_intent", "customer": customer}
        self.payment_intents[intent["id"]] = intent
        return charge

    def refund(self, charge: Json, amount: int, status: str = "succeeded") -> Json:
        """Money that goes back."""
        number = next(self._numbers)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
        refund: Json = {
            "id": f"re_{number}",
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": int(time.time()),
            "currency": charge["currency"],
            "payment_intent": charge["payment_intent"],
            "reason": "requested_by_customer",
            "status": status,
        }
        self.refunds[refund["id"]] = refund
        return refund

    def dispute(self, charge: Json, status: str = "needs_response", due_by: int | None = None) -> Json:
        """A payment that its card's owner does not acknowledge."""
        number = next(self._numbers)
        dispute: Json = {
            "id": f"du_{number}",
            "object": "dispute",
            "amount": charge["amount"],
            "charge": charge["id"],
            "created": int(time.time()),
            "currency": charge["currency"],
            "evidence_details": {"due_by": due_by, "has_evidence": False},
            "payment_intent": charge["payment_intent"],
            "reason": "fraudulent",
            "status": status,
        }
        self.disputes[dispute["id"]] = dispute
        return dispute

    def _payment(self, kind: str, name: str | None = None, *, data: Json) -> Json | web.Response:
        payments = self.disputes if kind == "disputes" else self.refunds
        if name is None:
            return self._list_payments(kind, data)
        if name not in payments:
            return _error(404, f"No such {kind[:-1]}: '{name}'", "resource_missing")
        return self._with_charge(payments[name])

    def _with_charge(self, shown: Json) -> Json:
        """With the charge, if it has one."""
        return shown | {"charge": self.charges.get(shown["charge"])}

    def _list_payments(self, kind: str, data: Json) -> Json:
        listed = list((self.disputes if kind == "disputes" else self.refunds).values())[::-1]
        since = int(data.get("created", {}).get("gte", 0))
        charge = data.get("charge")
        chosen = [
            self._with_charge(entry)
            for entry in listed
            if entry["created"] >= since and charge in {None, entry["charge"]}
        ]
        return self._page(chosen, data, kind)

    def _count(self, button: Json) -> Json | web.Response:
        if button["identifier"] in self.usage and self.refuses_repeated_usage:
            return _error(400, f"An event already exists with identifier {button['identifier']}.")
        self.usage.setdefault(button["identifier"], button)
        return {"object": "billing.meter_event", "livemode": False, "created": 1, **button}

    def _summary(self, meter: str, given: Json) -> Json:
        name = next(name for name, entry in self.meters.items() if entry == meter)
        counted = [
            int(entry["payload"]["value"])
            for entry in self.usage.values()
            if entry["event_name"] == name
            and int(given["start_time"]) <= int(entry["timestamp"]) < int(given["end_time"])
        ]
        data = [
            {
                "id": "mtrusg_1",
                "object": "billing.meter_event_summary",
                "aggregated_value": sum(counted),
                "meter": meter,
            }
        ]
        return {"object": "list", "data": data if counted else [], "has_more": False, "url": "/v1/x"}


def _expanded(shown: Json, data: Json, path: str = "") -> Json:
    """Stripe shows the id of a subscription's schedule, and the schedule where `expand` asks for it."""
    schedule = shown.get("schedule")
    if not isinstance(schedule, dict) or f"{path}schedule" in data.get("expand", {}).values():
        return shown
    return shown | {"schedule": schedule.get("id")}


def _declined(message: str) -> web.Response:
    error = {"message": message, "type": "card_error", "code": "card_declined"}
    return web.json_response({"error": error}, status=402)


def _error(status: int, message: str, code: str | None = None) -> web.Response:
    kinds = {401: "invalid_request_error", 404: "invalid_request_error", 400: "invalid_request_error"}
    error = {"message": message, "type": kinds.get(status, "api_error")} | ({"code": code} if code else {})
    return web.json_response({"error": error}, status=status)


def signed(
    event: Json | bytes, *, secret: str = SECRET, at: datetime | None = None
) -> tuple[bytes, dict[str, str]]:
    """Body and header, signed by Stripe's own library."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    seconds = int(at.timestamp()) if at else None
    header = stripe.WebhookSignature.generate_signature_header(body.decode("latin-1"), secret, seconds)
    return body, {"Stripe-Signature": header}
