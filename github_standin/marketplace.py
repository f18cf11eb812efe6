"""`/marketplace_listing/…`: what accounts have bought. Only the App itself may ask."""

from __future__ import annotations

import copy
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from github_standin.answers import Answer, error, json_answer
from github_standin.callers import Caller
from github_standin.paging import linked, page_number

Json = dict[str, Any]
PATH = re.compile(r"^/marketplace_listing/(?:accounts/(\d+)|plans|plans/(\d+)/accounts)$")
IsApp = Callable[[Caller], Awaitable[bool]]
FREE, PRO, ENTERPRISE, FLAT = 1111, 1313, 1414, 1515


class Marketplace:
    """The listing with its plans, and who has bought what.

    Each thing that a customer does changes what the listing tells, and returns the webhook's payload, which
    whoever calls has to deliver.
    """

    def __init__(self, is_app: IsApp, front: Callable[[], URL]) -> None:
        self.plans = {
            FREE: self._plan(FREE, 1, "Free", "FREE", 0),
            PRO: self._plan(PRO, 3, "Pro", "PER_UNIT", 600),
            ENTERPRISE: self._plan(ENTERPRISE, 4, "Enterprise", "PER_UNIT", 1000),
            FLAT: self._plan(FLAT, 5, "Pro for all", "FLAT_RATE", 9900),
        }
        self.accounts: dict[int, Json] = {}
        self._is_app = is_app
        self._front = front

    # What customers do

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
        """Buy, also after a cancellation."""
        at = at or datetime.now(UTC)
        self.accounts[account] = {
            "url": f"{self._front()}orgs/{login}",
            "type": kind,
            "id": account,
            "login": login,
            "organization_billing_email": "billing@example.com",
            "marketplace_pending_change": None,
            "marketplace_purchase": self._bought(plan, units, cycle, trial_ends, at),
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
        """Another plan or number of units, at once; also a trial's end, and a failed upgrade's way back."""
        at, listed = at or datetime.now(UTC), self.accounts[account]
        before = copy.deepcopy(listed["marketplace_purchase"])
        listed["marketplace_purchase"] = self._bought(plan, units, cycle, None, at)
        listed["marketplace_pending_change"] = None
        return self._event("changed", listed, at, before)

    def announce(
        self, account: int, plan: int, *, units: int | None = 1, effective: datetime | None = None
    ) -> Json:
        """A downgrade at the end of the cycle."""
        effective, listed = effective or datetime.now(UTC) + timedelta(days=10), self.accounts[account]
        listed["marketplace_pending_change"] = {
            "effective_date": _text(effective),
            "unit_count": units,
            "id": 77,
            "plan": self.plans[plan],
        }
        before = copy.deepcopy(listed["marketplace_purchase"])
        shown = {**listed, "marketplace_purchase": self._bought(plan, units, "monthly", None, effective)}
        return self._event("pending_change", shown, effective, before)

    def call_off(self, account: int, at: datetime | None = None) -> Json:
        """The announced change does not come."""
        listed = self.accounts[account]
        listed["marketplace_pending_change"] = None
        return self._event("pending_change_cancelled", listed, at or datetime.now(UTC))

    def cancel(self, account: int, at: datetime | None = None) -> Json:
        """The purchase ends."""
        listed = self.accounts.pop(account)
        return self._event("cancelled", listed, at or datetime.now(UTC))

    # What the App asks

    async def answer(self, caller: Caller, method: str, url: URL) -> Answer | None:
        """The answer, or None when it is about something else."""
        match = PATH.match(url.path)
        if match is None:
            return None
        if not await self._is_app(caller):
            return error(401, "A JSON web token could not be decoded")
        if method != "GET":
            return error(404, "Not Found")
        if match[1]:
            listed = self.accounts.get(int(match[1]))
            return json_answer(200, listed) if listed else error(404, "Not Found")
        if match[2]:
            return self._accounts_on(int(match[2]), url)
        return self._page(list(self.plans.values()), url)

    def _accounts_on(self, plan: int, url: URL) -> Answer:
        if plan not in self.plans:
            return error(404, "Not Found")
        found = [one for one in self.accounts.values() if one["marketplace_purchase"]["plan"]["id"] == plan]
        return self._page(found, url)

    def _page(self, everything: list[Json], url: URL) -> Answer:
        page, size = page_number(url)
        shown = everything[(page - 1) * size : page * size]
        return linked(self._front(), url, len(everything), json_answer(200, shown))

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

    def _bought(
        self, plan: int, units: int | None, cycle: str, trial_ends: datetime | None, at: datetime
    ) -> Json:
        days = 365 if cycle == "yearly" else 30
        return {
            "billing_cycle": cycle,
            "next_billing_date": _text(at + timedelta(days=days)),
            "unit_count": units,
            "on_free_trial": trial_ends is not None,
            "free_trial_ends_on": _text(trial_ends) if trial_ends else None,
            "updated_at": _text(at),
            "plan": self.plans[plan],
        }

    def _event(self, action: str, listed: Json, at: datetime, before: Json | None = None) -> Json:
        """Plans in events have no number; the model is written in another way."""
        account = {key: listed[key] for key in ("type", "id", "login", "organization_billing_email")}
        told = {
            "action": action,
            "effective_date": _text(at),
            "sender": {"login": listed["login"], "id": listed["id"], "type": "User"},
            "marketplace_purchase": {**_as_told(listed["marketplace_purchase"]), "account": account},
        }
        if before:
            told["previous_marketplace_purchase"] = {**_as_told(before), "account": account}
        return copy.deepcopy(told)


def _as_told(bought: Json) -> Json:
    plan = {**bought["plan"], "price_model": bought["plan"]["price_model"].lower().replace("_", "-")}
    return {
        **bought,
        "plan": {key: plan[key] for key in plan if key not in {"url", "accounts_url", "number"}},
    }


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
