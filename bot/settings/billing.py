"""The settings of what is sold, and where. Without any, nothing is: every feature is on."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.settings.billing_names import NEED_A_KEY, PRICE_SETTINGS, SWITCHES, unknown_names
from bot.settings.secret import Secret, redacted
from bot.settings.stripe import (
    check_api_url,
    check_meter_prefix,
    check_portal_login,
    check_price,
    check_secret_key,
    check_webhook_secret,
    has_ellipsis,
    is_placeholder,
    read_earlier_prices,
)
from marketplace.plans import PlanName

_DAYS = re.compile(r"[0-9]{1,3}")
_IDS = re.compile(r"[0-9]{1,18}")
# GitHub makes a listing's name in addresses of its letters, digits and hyphens.
_LISTING = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ListedPlan:
    """A plan of the Marketplace listing, by GitHub's id; its number is what upgrade links name."""

    id: int
    plan: PlanName
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MarketplaceSettings:
    """The listing on GitHub Marketplace. `listing` is its name in addresses."""

    webhook_secrets: tuple[Secret, ...]
    plans: tuple[ListedPlan, ...]
    listing: str | None = None

    def plan(self, plan_id: int) -> PlanName | None:
        """What a plan of the listing is with us. None for one that the settings do not name."""
        return next((one.plan for one in self.plans if one.id == plan_id), None)

    def upgrade_links(self, account: int) -> dict[PlanName, str]:
        """Where an account can change to each plan."""
        if self.listing is None:
            return {}
        base = f"https://github.com/marketplace/{self.listing}/upgrade"
        return {one.plan: f"{base}/{one.number}/{account}" for one in self.plans if one.number}


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """The account with Stripe. `prices` are its ids of prices: for which plan, and whether by the year.

    `automatic_tax`, `tax_ids` and `promotion_codes` are what Checkout does: compute taxes, ask businesses for
    their tax id, and take promotion codes.
    `earlier_prices` are sold no more, but people pay them still.
    """

    secret_key: Secret
    webhook_secrets: tuple[Secret, ...]
    prices: Mapping[str, tuple[PlanName, bool]]
    api_url: str | None = None
    portal_login_url: str | None = None
    meter_prefix: str | None = None
    automatic_tax: bool = False
    tax_ids: bool = False
    promotion_codes: bool = False
    earlier_prices: Mapping[str, PlanName] = field(default_factory=dict)

    def price(self, plan: PlanName, *, is_yearly: bool) -> str | None:
        """Stripe's id of a plan's price."""
        return next((price for price, told in self.prices.items() if told == (plan, is_yearly)), None)


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """What is sold. `grace` is how long a failed payment takes nothing away.

    `unknown_names` has a sentence for each name in the environment that may be a misspelt setting of billing.
    """

    is_on: bool = False
    marketplace: MarketplaceSettings | None = None
    stripe: StripeSettings | None = None
    grace: timedelta = field(default=timedelta(days=14))
    unknown_names: tuple[str, ...] = ()


def read(environment: Mapping[str, str], problems: list[str]) -> BillingSettings:
    """The settings; what is wrong with them is added to `problems`."""
    marketplace, stripe = _marketplace(environment, problems), _stripe(environment, problems)
    switch = redacted(_trimmed(environment, "BILLING") or "").lower()
    if switch not in {"", "on", "off"}:
        problems.append(f"BILLING is “{switch[:40]}”; it must be on or off")
    is_sold = marketplace is not None or stripe is not None
    if switch == "on" and not is_sold:
        problems.append(
            "BILLING is on, but nothing can be bought: set MARKETPLACE_WEBHOOK_SECRET and "
            "MARKETPLACE_PLAN_IDS, or STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET and STRIPE_PRO_PRICE_ID"
        )
    return BillingSettings(
        is_sold and switch != "off",
        marketplace,
        stripe,
        _grace(environment, problems),
        unknown_names(environment),
    )


def _grace(environment: Mapping[str, str], problems: list[str]) -> timedelta:
    days = _trimmed(environment, "BILLING_GRACE_DAYS") or "14"
    if not _DAYS.fullmatch(days) or int(days) > 90:
        shown = redacted(days)[:40]
        problems.append(f"BILLING_GRACE_DAYS is “{shown}”; it must be a number of days up to 90")
        days = "14"
    return timedelta(days=int(days))


def _marketplace(environment: Mapping[str, str], problems: list[str]) -> MarketplaceSettings | None:
    secrets = _secrets(environment, "MARKETPLACE_WEBHOOK_SECRET")
    entries = _entries(environment, "MARKETPLACE_PLAN_IDS")
    plans = _plans(entries, problems)
    if not secrets and not entries and _trimmed(environment, "MARKETPLACE_LISTING") is None:
        return None
    for secret in secrets:
        is_placeholder("MARKETPLACE_WEBHOOK_SECRET", secret.reveal(), problems)
    if not secrets:
        problems.append(
            "MARKETPLACE_WEBHOOK_SECRET is missing; it is set on the listing's page under “Webhook”"
        )
    if not entries:
        problems.append("MARKETPLACE_PLAN_IDS is missing; write 1111=free,1313/3=pro (id/number=plan)")
    return MarketplaceSettings(secrets, plans, _listing(environment, problems))


def _listing(environment: Mapping[str, str], problems: list[str]) -> str | None:
    """The listing's name as its address has it, and not the address."""
    name = _trimmed(environment, "MARKETPLACE_LISTING")
    if name is None or is_placeholder("MARKETPLACE_LISTING", name, problems):
        return name
    if not _LISTING.fullmatch(name):
        problems.append(
            f"MARKETPLACE_LISTING is “{redacted(name)[:100]}”; it must be the listing's name alone, such as "
            "agile-github-suite of https://github.com/marketplace/agile-github-suite"
        )
    return name


def _plans(entries: Sequence[str], problems: list[str]) -> tuple[ListedPlan, ...]:
    found = []
    for entry in entries:
        key, _, name = entry.partition("=")
        plan_id, _, number = key.strip().partition("/")
        is_told = _IDS.fullmatch(plan_id.strip()) and (not number or _IDS.fullmatch(number.strip()))
        if not is_told or name.strip() not in set(PlanName):
            problems.append(
                f"MARKETPLACE_PLAN_IDS: “{redacted(entry)[:100]}” must look like 1313=pro, or 1313/3=pro "
                f"with the plan's number; plans are {', '.join(PlanName)}"
            )
            continue
        found.append(ListedPlan(int(plan_id), PlanName(name.strip()), int(number) if number else None))
    for what, ids in (("id", [one.id for one in found]), ("number", [one.number for one in found])):
        if repeated := sorted({one for one in ids if one is not None and ids.count(one) > 1}):
            problems.append(f"MARKETPLACE_PLAN_IDS names the {what} {repeated[0]} more than once")
    return tuple(found)


def _stripe(environment: Mapping[str, str], problems: list[str]) -> StripeSettings | None:
    key = _trimmed(environment, "STRIPE_SECRET_KEY")
    secrets = _secrets(environment, "STRIPE_WEBHOOK_SECRET")
    given = {name: price for name in PRICE_SETTINGS if (price := _trimmed(environment, name)) is not None}
    prices = {price: PRICE_SETTINGS[name] for name, price in given.items()}
    if key is None:
        if needs_key := _settings_without_key(environment):
            problems.append(
                f"STRIPE_SECRET_KEY is missing, so {needs_key} means nothing; Stripe's dashboard shows the "
                "key under “API keys”"
            )
        return None
    check_secret_key(key, problems)
    if not secrets:
        problems.append(
            "STRIPE_WEBHOOK_SECRET is missing; without it anybody could send events. Stripe shows it with "
            "the endpoint of the webhook; it begins with whsec_"
        )
    for secret in secrets:
        check_webhook_secret(secret.reveal(), problems)
    if not prices:
        problems.append(f"none of {', '.join(PRICE_SETTINGS)} is set, so Stripe can sell nothing")
    _check_differences(given, problems)
    for name, price in given.items():
        check_price(name, price, problems)
    earlier = read_earlier_prices(_trimmed(environment, "STRIPE_EARLIER_PRICE_IDS") or "", prices, problems)
    prefix = _trimmed(environment, "STRIPE_METER_EVENT_PREFIX")
    portal = _trimmed(environment, "STRIPE_PORTAL_LOGIN_URL")
    api_url = _trimmed(environment, "STRIPE_API_URL")
    for value, check in (
        (prefix, check_meter_prefix),
        (portal, check_portal_login),
        (api_url, check_api_url),
    ):
        if value is not None:
            check(value, problems)
    return StripeSettings(
        Secret(key),
        secrets,
        prices,
        api_url,
        portal,
        prefix,
        automatic_tax=_switch(environment, "STRIPE_AUTOMATIC_TAX", problems),
        tax_ids=_switch(environment, "STRIPE_TAX_IDS", problems),
        promotion_codes=_switch(environment, "STRIPE_PROMOTION_CODES", problems),
        earlier_prices=earlier,
    )


def _settings_without_key(environment: Mapping[str, str]) -> str | None:
    """The first setting that shows that Stripe is meant to sell; None where there is none."""
    set_up = [
        name
        for name in ("STRIPE_WEBHOOK_SECRET", *PRICE_SETTINGS, *NEED_A_KEY)
        if _trimmed(environment, name) is not None
    ]
    switched_on = [name for name in SWITCHES if (_trimmed(environment, name) or "off").lower() != "off"]
    return next(iter([*set_up, *switched_on]), None)


def _check_differences(given: Mapping[str, str], problems: list[str]) -> None:
    """No two settings may name the same price."""
    first = dict[str, str]()
    for name, price in given.items():
        if name != first.setdefault(price, name) and not has_ellipsis(price):
            problems.append(f"{first[price]} and {name} name the same price; each needs a price of its own")


def _switch(environment: Mapping[str, str], name: str, problems: list[str]) -> bool:
    """Read a setting that is on or off, by default off."""
    switch = redacted((environment.get(name) or "off").strip())
    if switch.lower() not in {"on", "off"}:
        problems.append(f"{name} is “{switch[:40]}”; it must be on or off")
    return switch.lower() == "on"


def _trimmed(environment: Mapping[str, str], name: str) -> str | None:
    """A setting without the white space around it, which a copied value often has."""
    return (environment.get(name) or "").strip() or None


def _secrets(environment: Mapping[str, str], name: str) -> tuple[Secret, ...]:
    return tuple(map(Secret, _entries(environment, name)))


def _entries(environment: Mapping[str, str], name: str) -> list[str]:
    """The parts of a list that is separated by commas."""
    return [entry for part in (environment.get(name) or "").split(",") if (entry := part.strip())]
