"""Settings of billing: the sellers and their plans. Without any of them every feature is on for everybody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.settings.billing_names import NEED_A_KEY, PRICE_SETTINGS, SWITCHES, describe_unknown_names
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
# The name of a listing in URLs: lower-case letters, digits and hyphens.
_LISTING = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ListedPlan:
    """A plan of the Marketplace listing: GitHub's id, the plan, and the number that upgrade links contain."""

    id: int
    plan: PlanName
    number: int | None = None


@dataclass(frozen=True, slots=True)
class MarketplaceSettings:
    """The listing on GitHub Marketplace. `listing` is its name in URLs."""

    webhook_secrets: tuple[Secret, ...]
    plans: tuple[ListedPlan, ...]
    listing: str | None = None

    def plan(self, plan_id: int) -> PlanName | None:
        """Return the plan for GitHub's id of a listed plan. None if the settings do not name it."""
        return next((listed.plan for listed in self.plans if listed.id == plan_id), None)

    def upgrade_links(self, account: int) -> dict[PlanName, str]:
        """The URLs at which an account can change to each plan. Empty without the listing's name."""
        if self.listing is None:
            return {}
        base = f"https://github.com/marketplace/{self.listing}/upgrade"
        return {listed.plan: f"{base}/{listed.number}/{account}" for listed in self.plans if listed.number}


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """The account with Stripe. `prices` maps Stripe's price ids to a plan and whether it is paid yearly.

    `automatic_tax`, `tax_ids` and `promotion_codes` make Checkout compute taxes, ask businesses for their tax
    id, and accept promotion codes. `earlier_prices` maps the ids of prices that are not sold any more, but
    still paid, to their plan.
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
        """Stripe's id of a plan's price. None if it is not sold."""
        return next((price for price, sold in self.prices.items() if sold == (plan, is_yearly)), None)


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """Settings of billing. `grace` is how long a plan stays after a failed payment.

    `unknown_names` has a sentence for each variable whose name may be a misspelt setting of billing.
    """

    is_on: bool = False
    marketplace: MarketplaceSettings | None = None
    stripe: StripeSettings | None = None
    grace: timedelta = field(default=timedelta(days=14))
    unknown_names: tuple[str, ...] = ()


def read_billing(environment: Mapping[str, str], problems: list[str]) -> BillingSettings:
    """Read the settings of billing from an environment, and add their problems to `problems`."""
    marketplace, stripe = _read_marketplace(environment, problems), _read_stripe(environment, problems)
    switch = redacted(_read_trimmed(environment, "BILLING") or "").lower()
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
        _read_grace(environment, problems),
        describe_unknown_names(environment),
    )


def _read_grace(environment: Mapping[str, str], problems: list[str]) -> timedelta:
    days = _read_trimmed(environment, "BILLING_GRACE_DAYS") or "14"
    if not _DAYS.fullmatch(days) or int(days) > 90:
        shown = redacted(days)[:40]
        problems.append(f"BILLING_GRACE_DAYS is “{shown}”; it must be a number of days up to 90")
        days = "14"
    return timedelta(days=int(days))


def _read_marketplace(environment: Mapping[str, str], problems: list[str]) -> MarketplaceSettings | None:
    secrets = _read_secrets(environment, "MARKETPLACE_WEBHOOK_SECRET")
    entries = _read_list(environment, "MARKETPLACE_PLAN_IDS")
    plans = _read_plans(entries, problems)
    if not secrets and not entries and _read_trimmed(environment, "MARKETPLACE_LISTING") is None:
        return None
    for secret in secrets:
        is_placeholder("MARKETPLACE_WEBHOOK_SECRET", secret.reveal(), problems)
    if not secrets:
        problems.append(
            "MARKETPLACE_WEBHOOK_SECRET is missing; it is set on the listing's page under “Webhook”"
        )
    if not entries:
        problems.append("MARKETPLACE_PLAN_IDS is missing; write 1111=free,1313/3=pro (id/number=plan)")
    return MarketplaceSettings(secrets, plans, _read_listing(environment, problems))


def _read_listing(environment: Mapping[str, str], problems: list[str]) -> str | None:
    """Read the listing's name, as it stands at the end of its URL."""
    name = _read_trimmed(environment, "MARKETPLACE_LISTING")
    if name is None or is_placeholder("MARKETPLACE_LISTING", name, problems):
        return name
    if not _LISTING.fullmatch(name):
        problems.append(
            f"MARKETPLACE_LISTING is “{redacted(name)[:100]}”; it must be the listing's name alone, such as "
            "agile-github-suite of https://github.com/marketplace/agile-github-suite"
        )
    return name


def _read_plans(entries: Sequence[str], problems: list[str]) -> tuple[ListedPlan, ...]:
    plans = list[ListedPlan]()
    for entry in entries:
        key, _, name = entry.partition("=")
        plan_id, _, number = key.strip().partition("/")
        is_valid = _IDS.fullmatch(plan_id.strip()) and (not number or _IDS.fullmatch(number.strip()))
        if not is_valid or name.strip() not in set(PlanName):
            problems.append(
                f"MARKETPLACE_PLAN_IDS: “{redacted(entry)[:100]}” must look like 1313=pro, or 1313/3=pro "
                f"with the plan's number; plans are {', '.join(PlanName)}"
            )
            continue
        plans.append(ListedPlan(int(plan_id), PlanName(name.strip()), int(number) if number else None))
    for kind, values in (("id", [plan.id for plan in plans]), ("number", [plan.number for plan in plans])):
        if repeated := sorted({value for value in values if value is not None and values.count(value) > 1}):
            problems.append(f"MARKETPLACE_PLAN_IDS names the {kind} {repeated[0]} more than once")
    return tuple(plans)


def _read_stripe(environment: Mapping[str, str], problems: list[str]) -> StripeSettings | None:
    key = _read_trimmed(environment, "STRIPE_SECRET_KEY")
    secrets = _read_secrets(environment, "STRIPE_WEBHOOK_SECRET")
    price_by_setting = {
        name: price for name in PRICE_SETTINGS if (price := _read_trimmed(environment, name)) is not None
    }
    prices = {price: PRICE_SETTINGS[name] for name, price in price_by_setting.items()}
    if key is None:
        if needs_key := _find_setting_that_needs_key(environment):
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
    _check_distinct_prices(price_by_setting, problems)
    for name, price in price_by_setting.items():
        check_price(name, price, problems)
    earlier = read_earlier_prices(
        _read_trimmed(environment, "STRIPE_EARLIER_PRICE_IDS") or "", prices, problems
    )
    prefix = _read_trimmed(environment, "STRIPE_METER_EVENT_PREFIX")
    portal = _read_trimmed(environment, "STRIPE_PORTAL_LOGIN_URL")
    api_url = _read_trimmed(environment, "STRIPE_API_URL")
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
        automatic_tax=_read_switch(environment, "STRIPE_AUTOMATIC_TAX", problems),
        tax_ids=_read_switch(environment, "STRIPE_TAX_IDS", problems),
        promotion_codes=_read_switch(environment, "STRIPE_PROMOTION_CODES", problems),
        earlier_prices=earlier,
    )


def _find_setting_that_needs_key(environment: Mapping[str, str]) -> str | None:
    """Return the first setting that has a purpose only with Stripe's key. None if there is none."""
    set_up = [
        name
        for name in ("STRIPE_WEBHOOK_SECRET", *PRICE_SETTINGS, *NEED_A_KEY)
        if _read_trimmed(environment, name) is not None
    ]
    switched_on = [name for name in SWITCHES if (_read_trimmed(environment, name) or "off").lower() != "off"]
    return next(iter([*set_up, *switched_on]), None)


def _check_distinct_prices(price_by_setting: Mapping[str, str], problems: list[str]) -> None:
    """Add a problem for each two settings that name the same price."""
    first_setting = dict[str, str]()
    for name, price in price_by_setting.items():
        if name != first_setting.setdefault(price, name) and not has_ellipsis(price):
            problems.append(
                f"{first_setting[price]} and {name} name the same price; each needs a price of its own"
            )


def _read_switch(environment: Mapping[str, str], name: str, problems: list[str]) -> bool:
    """Read a setting that is on or off; off by default."""
    switch = redacted((environment.get(name) or "off").strip())
    if switch.lower() not in {"on", "off"}:
        problems.append(f"{name} is “{switch[:40]}”; it must be on or off")
    return switch.lower() == "on"


def _read_trimmed(environment: Mapping[str, str], name: str) -> str | None:
    """Read a setting without the surrounding white space that a copied value often has. None if empty."""
    return (environment.get(name) or "").strip() or None


def _read_secrets(environment: Mapping[str, str], name: str) -> tuple[Secret, ...]:
    return tuple(map(Secret, _read_list(environment, name)))


def _read_list(environment: Mapping[str, str], name: str) -> list[str]:
    """Read a list that is separated by commas."""
    return [entry for part in (environment.get(name) or "").split(",") if (entry := part.strip())]
