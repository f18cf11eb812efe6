"""Checks that Stripe's billing portal allows what the bot's texts promise, and nothing that is undone later.

Nothing here changes the portal's settings. Each finding is a sentence with where to correct them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.settings.billing import StripeSettings
from bot.settings.billing_names import price_setting
from bot.settings.secret import redacted
from commands.formatting.money import money
from marketplace.plans import PLANS, PlanName
from marketplace.seat_price import LIST_CURRENCY
from marketplace.stripe_objects import object_at, parse_number
from marketplace.stripe_plans import parse_plan

PORTAL_SETTINGS = "https://dashboard.stripe.com/settings/billing/portal"
# What payers change themselves.
_CUSTOMER_DETAILS = {"email": "e-mail address", "address": "billing address", "tax_id": "tax id"}


def portal_findings(configuration: Mapping[str, Any] | None, settings: StripeSettings) -> list[str]:
    """Return the problems of the portal's default configuration, as Stripe gives it; None without one."""
    if configuration is None:
        return [f"Stripe's billing portal is not set up: save its settings once at {PORTAL_SETTINGS}"]
    features = configuration.get("features") or {}
    findings = [
        *_check_cancelling(_feature(features, "subscription_cancel")),
        *_check_changing(_feature(features, "subscription_update"), settings),
        *_check_customer(features),
        *_check_sign_in(_feature(configuration, "login_page"), settings),
    ]
    return [f"Stripe's billing portal {finding} ({PORTAL_SETTINGS})" for finding in findings]


def _feature(features: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    feature = features.get(name)
    return feature if isinstance(feature, Mapping) else {}


def _check_cancelling(cancel: Mapping[str, Any]) -> Iterator[str]:
    if not cancel.get("enabled"):
        yield "lets nobody cancel: switch on cancelling under “Cancellations”"
    elif cancel.get("mode") != "at_period_end":
        yield (
            "cancels at once, and what is paid for is lost: choose “Cancel at end of billing period” under "
            "“Cancellations”"
        )


def _check_changing(update: Mapping[str, Any], settings: StripeSettings) -> Iterator[str]:
    allowed = update.get("default_allowed_updates") or ()
    if not update.get("enabled") or "price" not in allowed:
        yield (
            "lets nobody change the plan, or from monthly to yearly: switch on “Customers can switch plans” "
            "under “Subscriptions”"
        )
        return
    if "quantity" in allowed:
        yield (
            "lets people change the number of seats, which follows the people on planned work and would be "
            "reset: switch off changing quantities under “Subscriptions”"
        )
    if update.get("proration_behavior") != "always_invoice":
        yield (
            "does not charge for an upgrade when it begins: choose to prorate, and to invoice prorations "
            "immediately, under “Subscriptions”"
        )
    conditions = {
        condition.get("type")
        for condition in _feature(update, "schedule_at_period_end").get("conditions") or ()
    }
    if "decreasing_item_amount" not in conditions:
        yield "applies a downgrade immediately: choose the end of the billing period under “Downgrades”"
    if "shortening_interval" not in conditions:
        yield (
            "applies a change from yearly to monthly immediately: choose the end of the billing period for "
            "shorter intervals under “Downgrades”"
        )
    # Stripe shows the products only if the API key may expand them.
    if (products := update.get("products")) is not None:
        yield from _check_choices(products, settings)


def _check_choices(products: Iterable[Mapping[str, Any]], settings: StripeSettings) -> Iterator[str]:
    offered = {str(price) for product in products for price in product.get("prices") or ()}
    if missing := sorted(set(settings.prices) - offered):
        yield f"does not offer {', '.join(missing)}: add the product under “Subscriptions”"
    if foreign := sorted(offered - {*settings.prices, *settings.earlier_prices}):
        yield (
            f"offers {', '.join(foreign)}, which is in no STRIPE_…_PRICE_ID, so who chooses it may keep "
            "another plan than they pay for: remove it under “Subscriptions”"
        )


def _check_customer(features: Mapping[str, Any]) -> Iterator[str]:
    if not _feature(features, "payment_method_update").get("enabled"):
        yield "lets nobody change the card: switch it on under “Payment methods”"
    if not _feature(features, "invoice_history").get("enabled"):
        yield "shows no invoices: switch on the invoice history under “Invoices”"
    update = _feature(features, "customer_update")
    allowed = set(update.get("allowed_updates") or ()) if update.get("enabled") else set()
    if missing := [words for name, words in _CUSTOMER_DETAILS.items() if name not in allowed]:
        yield f"lets nobody change the {', the '.join(missing)}: switch it on under “Customer information”"


def _check_sign_in(page: Mapping[str, Any], settings: StripeSettings) -> Iterator[str]:
    address = page.get("url")
    if not page.get("enabled") or not address:
        yield (
            "has no sign-in page, without which nobody finds it: activate its link under “Launch customer "
            "portal with a link”, and set STRIPE_PORTAL_LOGIN_URL to it"
        )
    elif settings.portal_login_url is None:
        yield f"is linked from nowhere: set STRIPE_PORTAL_LOGIN_URL to {address}"
    elif settings.portal_login_url.rstrip("/") != str(address).rstrip("/"):
        yield f"signs in at {address}, but STRIPE_PORTAL_LOGIN_URL is {settings.portal_login_url}: set it"


# Prices and taxes


def price_findings(prices: Mapping[str, Mapping[str, Any] | None], settings: StripeSettings) -> list[str]:
    """Return the problems of the prices in the settings, given Stripe's answers by price id."""
    return [
        finding
        for price_id, (plan, is_yearly) in settings.prices.items()
        for finding in _check_price(price_id, prices.get(price_id), plan, is_yearly=is_yearly)
    ]


def _check_price(
    price_id: str, price: Mapping[str, Any] | None, plan: PlanName, *, is_yearly: bool
) -> Iterator[str]:
    setting, period = price_setting(plan, is_yearly=is_yearly), "year" if is_yearly else "month"
    named = f"{price_id}, the {period}ly price of {PLANS[plan].title} ({setting})"
    if price is None:
        yield f"Stripe has no price {named}: the key may be of another account"
        return
    recurring = _feature(price, "recurring")
    if (recurring.get("interval"), recurring.get("interval_count", 1)) != (period, 1):
        yield f"Stripe does not charge {named} once a {period}: name another price in the settings"
    else:
        yield from _check_amount(f"{setting} ({price_id})", price, plan, is_yearly=is_yearly)
    if recurring.get("usage_type") == "metered":
        yield f"Stripe charges {named} by reported usage, and not by the seat: name another price"
    if price.get("active") is False:
        yield f"Stripe has archived {named}, so nobody can buy it: name another price in the settings"
    yield from _check_metadata(named, price, plan)


def _check_amount(named: str, price: Mapping[str, Any], plan: PlanName, *, is_yearly: bool) -> Iterator[str]:
    """Compare the amount that Stripe charges with the list price, which payers read before they buy."""
    amount, currency = parse_number(price.get("unit_amount")), str(price.get("currency") or LIST_CURRENCY)
    if "unit_amount" not in price and "currency" not in price:
        return
    listed = PLANS[plan].yearly_cents if is_yearly else PLANS[plan].monthly_cents
    period = "year" if is_yearly else "month"
    right = f"`/agile plan` and docs/plans.md say {money(listed, LIST_CURRENCY)} for a seat and {period}"
    if amount is None or price.get("transform_quantity") is not None:
        yield (f"{named} has no fixed amount in whole cents for one seat; {right}: name a price with one")
    elif (amount, currency.lower()) != (listed, LIST_CURRENCY):
        yield (
            f"{named} is {money(amount, currency)} a {period}; {right}: name a price "
            "of that amount, or change PLANS in marketplace/plans.py and run `python -m bot docs`"
        )


def _check_metadata(named: str, price: Mapping[str, Any], plan: PlanName) -> Iterator[str]:
    """Check the metadata, which name the plan once the price is in no setting any more."""
    for owner, metadata in (
        ("metadata", price.get("metadata")),
        ("product's metadata", object_at(price.get("product"), "metadata")),
    ):
        word = object_at(metadata, "plan")
        if word and parse_plan(metadata) is not plan:
            shown = redacted(str(word))[:40]
            yield f"Stripe has {named}, whose {owner} say that the plan is “{shown}”: write {plan} there"


def tax_findings(tax_settings: Mapping[str, Any], settings: StripeSettings) -> list[str]:
    """Return the obstacles to Stripe's computation of taxes, if the settings ask for taxes."""
    if not settings.automatic_tax or tax_settings.get("status") == "active":
        return []
    missing = _feature(_feature(tax_settings, "status_details"), "pending").get("missing_fields") or ()
    details = f" ({', '.join(map(str, missing))})" if missing else ""
    finding = f"STRIPE_AUTOMATIC_TAX is on, but Stripe Tax is not set up{details}, so no checkout opens"
    return [f"{finding}: finish it at https://dashboard.stripe.com/settings/tax"]
