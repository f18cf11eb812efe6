"""The part of the stand-in for Stripe that sells: customers, checkout sessions, and the billing portal."""

import copy
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Json = dict[str, Any]
_OF_ACCOUNT = re.compile(r"metadata\['account'\]:'(\d+)'")


class RefusedError(Exception):
    """What Stripe answers with 400; its text is the message."""


class StandInCheckout:
    """Sessions can be paid once, expired while they are open, and are listed with the newest first.

    The search lags behind, as Stripe's does: what was created here is not found before `index` is called.
    """

    def __init__(self, subscriptions: dict[str, Json]) -> None:
        self.customers: dict[str, Json] = {}
        self.sessions: dict[str, Json] = {}
        self.portals: list[Json] = []
        self.prices: dict[str, Json] = {}
        self.webhook_endpoints: list[Json] = []
        self.tax_settings: Json = {
            "object": "tax.settings",
            "status": "active",
            "status_details": {"active": {}},
        }
        self.shows_products = True
        self.has_search = True
        self.before: Callable[[str, str], Awaitable[None]] | None = None
        self._subscriptions = subscriptions
        self.unindexed = set[str]()
        self._numbers = itertools.count(1)

    def add_customer(self, customer: str, **more: Any) -> Json:
        """A customer who was there before."""
        result = {"id": customer, "object": "customer", "email": None, "metadata": {}} | more
        return self.customers.setdefault(customer, result)

    def delete_customer(self, customer: str) -> None:
        """The operator deletes a customer, which cancels its subscriptions."""
        self.customers[customer] = {"id": customer, "object": "customer", "deleted": True}
        for subscription in self._subscriptions.values():
            if subscription["customer"] == customer:
                subscription["status"] = "canceled"

    def index(self) -> None:
        """A minute later: the search finds everything."""
        self.unindexed.clear()

    def open_sessions(self) -> list[Json]:
        return [session for session in self.sessions.values() if session["status"] == "open"]

    def pay(self, session: Json, email: str = "buyer@example.com") -> Json:
        """Somebody pays in a session, as long as it is open; returns the subscription."""
        if session["status"] != "open":
            raise RefusedError(f"the session is {session['status']}")
        number, now = next(self._numbers), int(time.time())
        session["customer"] = session["customer"] or self.add_customer(f"cus_paid_{number}")["id"]
        line = session["line_items"]["data"][0]
        item = {
            "id": f"si_paid_{number}",
            "object": "subscription_item",
            "price": line["price"],
            "quantity": line["quantity"],
            "current_period_start": now,
            "current_period_end": now + 30 * 86400,
        }
        subscription: Json = {
            "id": f"sub_paid_{number}",
            "object": "subscription",
            "created": now,
            "customer": session["customer"],
            "status": "active",
            "metadata": dict(session["subscription_metadata"]),
            "cancel_at_period_end": False,
            "latest_invoice": {"id": f"in_paid_{number}", "object": "invoice", "created": now},
            "items": {"object": "list", "data": [item]},
        }
        self._subscriptions[subscription["id"]] = subscription
        self.unindexed.add(subscription["id"])
        session |= {"status": "complete", "payment_status": "paid", "subscription": subscription["id"]}
        session["url"] = None
        customer = self.customers[session["customer"]]
        customer["email"] = customer["email"] or email
        return subscription

    def lapse(self, session: Json) -> None:
        """A day later: nobody has paid."""
        session |= {"status": "expired", "url": None}

    # HTTP

    def answer(self, method: str, path: str, data: Json) -> Json | web.Response | None:
        """What Stripe answers; None where another part of the stand-in knows."""
        try:
            return self._answer(method, path, data)
        except RefusedError as refusal:
            error = {"message": str(refusal), "type": "invalid_request_error"}
            return web.json_response({"error": error}, status=400)

    def _answer(self, method: str, path: str, data: Json) -> Json | None:
        match [method, *path.split("/")]:
            case ["POST", "checkout", "sessions"]:
                return self._open(data)
            case ["GET", "checkout", "sessions"]:
                return self._list(data)
            case ["POST", "checkout", "sessions", session, "expire"] if session in self.sessions:
                if self.sessions[session]["status"] != "open":
                    raise RefusedError("Only Checkout Sessions with a status in [“open”] can be expired.")
                self.sessions[session] |= {"status": "expired", "url": None}
                return _without_items(self.sessions[session])
        return self._answer_of_customers(method, path, data) or self._answer_of_settings(method, path, data)

    def _answer_of_customers(self, method: str, path: str, data: Json) -> Json | None:
        match [method, *path.split("/")]:
            case ["GET", "customers", "search"]:
                return self._search(data["query"])
            case ["POST", "customers"]:
                customer = self.add_customer(f"cus_new_{next(self._numbers)}", **data)
                self.unindexed.add(customer["id"])
                return copy.deepcopy(customer)
            case ["GET", "customers", customer] if customer in self.customers:
                return self.customers[customer]
        return None

    def _answer_of_settings(self, method: str, path: str, data: Json) -> Json | None:
        match [method, *path.split("/")]:
            case ["GET", "prices", price] if price in self.prices:
                return self.prices[price]
            case ["GET", "billing_portal", "configurations"]:
                return self._portals(data)
            case ["GET", "tax", "settings"]:
                return self.tax_settings
            case ["GET", "webhook_endpoints"]:
                return _listed(self.webhook_endpoints, "/v1/webhook_endpoints")
        return None

    def _open(self, data: Json) -> Json:
        customer = data.get("customer")
        if customer is not None and self.customers.get(customer, {"deleted": True}).get("deleted"):
            raise RefusedError(f"No such customer: '{customer}'")
        update = data.get("customer_update", {})
        if update and customer is None:
            raise RefusedError("`customer_update` can only be used with `customer`.")
        is_taxed = data.get("automatic_tax", {}).get("enabled") == "true"
        has_address = customer is None or "address" in self.customers[customer]
        if is_taxed and not has_address and update.get("address") != "auto":
            raise RefusedError(
                "Automatic tax calculation in Checkout requires a valid address on the Customer."
            )
        asks_tax_ids = data.get("tax_id_collection", {}).get("enabled") == "true"
        if asks_tax_ids and customer is not None and update.get("name") != "auto":
            raise RefusedError("Tax ID collection requires updating business name on the customer.")
        number = next(self._numbers)
        line = data["line_items"]["0"]
        session: Json = {
            "id": f"cs_test_{number}",
            "object": "checkout.session",
            "mode": data["mode"],
            "customer": customer,
            "status": "open",
            "payment_status": "unpaid",
            "created": int(time.time()),
            "url": f"https://checkout.stripe.com/c/{number}",
            "metadata": data.get("metadata", {}),
            "automatic_tax": {"enabled": is_taxed},
            "tax_id_collection": {"enabled": asks_tax_ids},
            "allow_promotion_codes": data.get("allow_promotion_codes") == "true",
            "custom_text": data.get("custom_text"),
            "success_url": data["success_url"],
            "cancel_url": data.get("cancel_url"),
            "subscription_metadata": data.get("subscription_data", {}).get("metadata", {}),
            "line_items": _listed(
                [{"object": "item", "price": {"id": line["price"]}, "quantity": int(line["quantity"])}],
                "/v1/x",
            ),
        }
        self.sessions[session["id"]] = session
        return _without_items(session)

    def _list(self, data: Json) -> Json:
        sessions = [
            session
            for session in reversed(self.sessions.values())
            if data.get("customer") in {None, session["customer"]}
            and data.get("status") in {None, session["status"]}
        ]
        expanded = "data.line_items" in data.get("expand", {}).values()
        shown = [copy.deepcopy(session) if expanded else _without_items(session) for session in sessions]
        return _listed(shown[: int(data.get("limit", 10))], "/v1/checkout/sessions")

    def _portals(self, data: Json) -> Json:
        """Stripe shows the products of a configuration only to who expands them."""
        is_expanded = "data.features.subscription_update.products" in data.get("expand", {}).values()
        if is_expanded and not self.shows_products:
            raise RefusedError("This property cannot be expanded (features.subscription_update.products).")
        portals = copy.deepcopy(self.portals)
        for portal in portals if not is_expanded else ():
            portal["features"]["subscription_update"].pop("products", None)
        return _listed(portals, "/v1/billing_portal/configurations")

    def _search(self, query: str) -> Json:
        if not self.has_search:
            raise RefusedError("Search is not available to you.")
        account = _OF_ACCOUNT.search(query)
        result = [
            customer
            for customer in self.customers.values()
            if account
            and customer.get("metadata", {}).get("account") == account[1]
            and customer["id"] not in self.unindexed
        ]
        return _listed(result, "/v1/customers/search") | {"object": "search_result"}


def _without_items(session: Json) -> Json:
    """Stripe shows the line items only to who asks for them."""
    return copy.deepcopy({name: value for name, value in session.items() if name != "line_items"})


def _listed(data: list[Json], url: str) -> Json:
    return {"object": "list", "data": data, "has_more": False, "url": url}
