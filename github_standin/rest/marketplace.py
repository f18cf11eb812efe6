"""The App's `/marketplace_listing/…`: plans and the accounts' purchases."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from github_standin.proxy.callers import Caller, IsApp
from github_standin.proxy.responses import ProxyResponse, error_response, json_response
from github_standin.rest.paging import paginate_list

Json = dict[str, Any]
PATH = re.compile(r"^/marketplace_listing/(?:accounts/(\d+)|plans|plans/(\d+)/accounts)$")
FREE, PRO, ENTERPRISE, FLAT = 1111, 1313, 1414, 1515


class MarketplaceListing:
    """The Marketplace listing with its plans and purchases.

    Each action of a customer changes the listing and returns the webhook's payload, which the caller has to
    deliver. Prices are in cents of US dollars.
    """

    def __init__(self, is_app: IsApp, base_url: Callable[[], URL]) -> None:
        self.plans = {
            FREE: self._plan(FREE, 1, "Free", "FREE", 0),
            PRO: self._plan(PRO, 3, "Pro", "PER_UNIT", 600),
            ENTERPRISE: self._plan(ENTERPRISE, 4, "Enterprise", "PER_UNIT", 1000),
            FLAT: self._plan(FLAT, 5, "Pro for all", "FLAT_RATE", 9900),
        }
        self.accounts: dict[int, Json] = {}
        self._is_app = is_app
        self._base_url = base_url

    # Actions of customers

    def purchase(
        self,
        account: int,
        login: str,
        plan: int = PRO,
        *,
        units: int | None = 1,
        kind: str = "Organization",
        cycle: str = "monthly",
        trial_ends: datetime | None = None,
        at: datetime | None = None,
    ) -> Json:
        """Buy a plan, for the first time or after a cancellation."""
        at = at or datetime.now(UTC)
        self.accounts[account] = {
            "url": f"{self._base_url()}orgs/{login}",
            "type": kind,
            "id": account,
            "login": login,
            "organization_billing_email": "billing@example.com",
            "marketplace_pending_change": None,
            "marketplace_purchase": self._purchase(plan, units, cycle, trial_ends, at),
        }
        return self._event("purchased", self.accounts[account], at)

    def change(
        self,
        account: int,
        plan: int,
        *,
        units: int | None = 1,
        cycle: str = "monthly",
        at: datetime | None = None,
    ) -> Json:
        """Change plan or number of units at once; also for the end of a trial or a reverted upgrade."""
        at, entry = at or datetime.now(UTC), self.accounts[account]
        before = copy.deepcopy(entry["marketplace_purchase"])
        entry["marketplace_purchase"] = self._purchase(plan, units, cycle, None, at)
        entry["marketplace_pending_change"] = None
        return self._event("changed", entry, at, before)

    def announce(
        self, account: int, plan: int, *, units: int | None = 1, effective: datetime | None = None
    ) -> Json:
        """Announce a downgrade for the end of the billing cycle."""
        effective, entry = effective or datetime.now(UTC) + timedelta(days=10), self.accounts[account]
        entry["marketplace_pending_change"] = {
            "effective_date": _stamp(effective),
            "unit_count": units,
            "id": 77,
            "plan": self.plans[plan],
        }
        before = copy.deepcopy(entry["marketplace_purchase"])
        pending = {**entry, "marketplace_purchase": self._purchase(plan, units, "monthly", None, effective)}
        return self._event("pending_change", pending, effective, before)

    def call_off(self, account: int, at: datetime | None = None) -> Json:
        """Call off an announced change."""
        entry = self.accounts[account]
        entry["marketplace_pending_change"] = None
        return self._event("pending_change_cancelled", entry, at or datetime.now(UTC))

    def cancel(self, account: int, at: datetime | None = None) -> Json:
        """Cancel a purchase."""
        entry = self.accounts.pop(account)
        return self._event("cancelled", entry, at or datetime.now(UTC))

    # Requests of the App

    async def answer(self, caller: Caller, method: str, url: URL) -> ProxyResponse | None:
        """Answer a request; None when the path belongs to another module."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if not await self._is_app(caller):
            return error_response(401, "A JSON web token could not be decoded")
        if method != "GET":
            return error_response(404, "Not Found")
        if match[1]:
            entry = self.accounts.get(int(match[1]))
            return json_response(200, entry) if entry else error_response(404, "Not Found")
        if match[2]:
            return self._accounts_on(int(match[2]), url)
        return self._page(list(self.plans.values()), url)

    def _accounts_on(self, plan: int, url: URL) -> ProxyResponse:
        if plan not in self.plans:
            return error_response(404, "Not Found")
        accounts = self.accounts.values()
        return self._page([a for a in accounts if a["marketplace_purchase"]["plan"]["id"] == plan], url)

    def _page(self, everything: list[Json], url: URL) -> ProxyResponse:
        return paginate_list(self._base_url(), url, everything)

    def _plan(self, plan_id: int, number: int, name: str, model: str, cents: int) -> Json:
        base = "https://api.github.com/marketplace_listing/plans"
        return {
            "url": f"{base}/{plan_id}",
            "accounts_url": f"{base}/{plan_id}/accounts",
            "id": plan_id,
            "number": number,
            "name": name,
            "description": name,
            "monthly_price_in_cents": cents,
            "yearly_price_in_cents": cents * 10,
            "price_model": model,
            "has_free_trial": cents > 0,
            "unit_name": "seat" if model == "PER_UNIT" else None,
            "state": "published",
            "bullets": [name],
        }

    def _purchase(
        self, plan: int, units: int | None, cycle: str, trial_ends: datetime | None, at: datetime
    ) -> Json:
        days = 365 if cycle == "yearly" else 30
        return {
            "billing_cycle": cycle,
            "next_billing_date": _stamp(at + timedelta(days=days)),
            "unit_count": units,
            "on_free_trial": trial_ends is not None,
            "free_trial_ends_on": _stamp(trial_ends) if trial_ends else None,
            "updated_at": _stamp(at),
            "plan": self.plans[plan],
        }

    def _event(self, action: str, entry: Json, at: datetime, before: Json | None = None) -> Json:
        account = {key: entry[key] for key in ("type", "id", "login", "organization_billing_email")}
        payload = {
            "action": action,
            "effective_date": _stamp(at),
            "sender": {"login": entry["login"], "id": entry["id"], "type": "User"},
            "marketplace_purchase": {**_in_webhook(entry["marketplace_purchase"]), "account": account},
        }
        if before:
            payload["previous_marketplace_purchase"] = {**_in_webhook(before), "account": account}
        return copy.deepcopy(payload)


def _in_webhook(purchase: Json) -> Json:
    """A purchase as webhooks write it: the plan has no number, and its price model is in lower case."""
    plan = {**purchase["plan"], "price_model": purchase["plan"]["price_model"].lower().replace("_", "-")}
    return {
        **purchase,
        "plan": {key: plan[key] for key in plan if key not in {"url", "accounts_url", "number"}},
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
