"""What `doctor` finds in the settings that Stripe keeps: its billing portal, prices and taxes."""

import argparse
import asyncio
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.billing.portal_check import PORTAL_SETTINGS, portal_findings, price_findings, tax_findings
from bot.billing.stripe_findings import stripe_findings
from bot.billing.webhook_check import endpoint_findings, public_url_findings
from bot.cli.doctor import run
from bot.services import Services
from bot.settings.billing import StripeSettings
from marketplace.plans import PLANS
from marketplace.stripe_refunds import PAYMENT_EVENTS
from marketplace.stripe_subscriptions import EVENTS
from tests.support.stripe.selling import STRIPE_PRICES, card_billing_settings, stripe_settings
from tests.support.stripe.server import StandInStripe

Json = dict[str, Any]
PUBLIC_URL = "https://agile.example"
LOGIN = "https://billing.stripe.com/p/login/x"
# As Stripe gives it, with the products expanded.
PORTAL: Json = {
    "id": "bpc_1",
    "object": "billing_portal.configuration",
    "active": True,
    "is_default": True,
    "features": {
        "customer_update": {"enabled": True, "allowed_updates": ["address", "email", "name", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True, "payment_method_configuration": None},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end", "proration_behavior": "none"},
        "subscription_pause": {"enabled": False},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price", "promotion_code"],
            "billing_cycle_anchor": "unchanged",
            "proration_behavior": "always_invoice",
            "products": [
                {"product": "prod_pro", "prices": ["price_pro", "price_year"]},
                {"product": "prod_big", "prices": ["price_big"]},
            ],
            "schedule_at_period_end": {
                "conditions": [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
            },
            "trial_update_behavior": "continue_trial",
        },
    },
    "login_page": {"enabled": True, "url": LOGIN},
}
API_PRICES: dict[str, Json] = {
    name: {
        "id": name,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "currency": "usd",
        "metadata": {},
        "product": {"id": "prod_1", "object": "product", "metadata": {}},
        "recurring": {
            "interval": "year" if is_yearly else "month",
            "interval_count": 1,
            "meter": None,
            "usage_type": "licensed",
        },
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": PLANS[plan].yearly_cents if is_yearly else PLANS[plan].monthly_cents,
    }
    for name, (plan, is_yearly) in STRIPE_PRICES.items()
}
ENDPOINT: Json = {
    "id": "we_1",
    "object": "webhook_endpoint",
    "enabled_events": sorted(EVENTS | PAYMENT_EVENTS),
    "livemode": False,
    "status": "enabled",
    "url": f"{PUBLIC_URL}/webhooks/stripe",
}


@pytest.fixture
def stripe(stripe_server: StandInStripe) -> StripeSettings:
    return stripe_settings(stripe_server)


def changed(path: str, value: object) -> Json:
    portal = copy.deepcopy(PORTAL)
    place = portal
    *keys, last = path.split("/")
    for key in keys:
        place = place[key]
    place[last] = value
    return portal


def test_correct_portal_has_no_findings(stripe: StripeSettings) -> None:
    assert portal_findings(PORTAL, stripe) == []


CHANGE = "features/subscription_update"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("features/subscription_cancel/enabled", False, "lets nobody cancel"),
        ("features/subscription_cancel/mode", "immediately", "cancels at once"),
        (f"{CHANGE}/enabled", False, "lets nobody change the plan"),
        (f"{CHANGE}/default_allowed_updates", [], "lets nobody change the plan"),
        (f"{CHANGE}/default_allowed_updates", ["price", "quantity"], "change the number of seats"),
        (f"{CHANGE}/proration_behavior", "none", "does not charge for an upgrade"),
        (f"{CHANGE}/proration_behavior", "create_prorations", "does not charge for an upgrade"),
        (
            f"{CHANGE}/schedule_at_period_end",
            {"conditions": [{"type": "shortening_interval"}]},
            "applies a downgrade immediately",
        ),
        (
            f"{CHANGE}/schedule_at_period_end",
            {"conditions": [{"type": "decreasing_item_amount"}]},
            "from yearly to monthly immediately",
        ),
        (f"{CHANGE}/products", [{"product": "p", "prices": ["price_pro", "price_big"]}], "offer price_year"),
        (
            f"{CHANGE}/products",
            [{"product": "p", "prices": [*STRIPE_PRICES, "price_old"]}],
            "offers price_old, which is in no STRIPE_…_PRICE_ID",
        ),
        ("features/invoice_history/enabled", False, "shows no invoices"),
        ("features/payment_method_update/enabled", False, "lets nobody change the card"),
        ("features/customer_update/enabled", False, "the e-mail address, the billing address, the tax id"),
        ("features/customer_update/allowed_updates", ["email", "address"], "change the tax id"),
        ("login_page", {"enabled": False, "url": None}, "has no sign-in page"),
        (
            "login_page/url",
            "https://billing.stripe.com/p/login/y",
            "signs in at https://billing.stripe.com/p/login/y",
        ),
    ],
)
def test_each_deviation_is_reported_with_where_to_fix_it(
    stripe: StripeSettings, path: str, value: object, expected: str
) -> None:
    (finding,) = portal_findings(changed(path, value), stripe)
    assert expected in finding
    assert finding.startswith("Stripe's billing portal ")
    assert PORTAL_SETTINGS in finding


def test_unconfigured_portal_is_one_finding(stripe: StripeSettings) -> None:
    (finding,) = portal_findings(None, stripe)
    assert PORTAL_SETTINGS in finding


def test_stripe_s_own_defaults_are_far_from_what_is_needed(stripe: StripeSettings) -> None:
    fresh = {
        "features": {
            "customer_update": {"allowed_updates": ["email"], "enabled": True},
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
            "subscription_update": {"default_allowed_updates": [], "enabled": False},
        },
        "login_page": {"enabled": False, "url": None},
    }
    assert len(portal_findings(fresh, stripe)) == 3


def test_unlinked_portal_is_reported(stripe: StripeSettings) -> None:
    (finding,) = portal_findings(PORTAL, replace(stripe, portal_login_url=None))
    assert f"set STRIPE_PORTAL_LOGIN_URL to {LOGIN}" in finding


def _paths(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}/{key}".lstrip("/")
            yield from _paths(inner, f"{path}/{key}".lstrip("/"))


@pytest.mark.parametrize("path", list(_paths(PORTAL)))
@pytest.mark.parametrize("value", [None, [], {}])
def test_whatever_stripe_leaves_out_no_check_falls_over(
    stripe: StripeSettings, path: str, value: object
) -> None:
    if value == [] and path.rsplit("/", 1)[-1] in {"schedule_at_period_end", "features", "login_page"}:
        return
    assert all(isinstance(finding, str) for finding in portal_findings(changed(path, value), stripe))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda prices: prices.update(price_year=None), "has no price price_year"),
        (lambda prices: prices["price_year"]["recurring"].update(interval="month"), "once a year"),
        (lambda prices: prices["price_pro"]["recurring"].update(interval_count=3), "once a month"),
        (lambda prices: prices["price_pro"].update(recurring=None), "once a month"),
        (lambda prices: prices["price_big"].update(active=False), "archived price_big"),
        (
            lambda prices: prices["price_pro"].update(unit_amount=1900, currency="eur"),
            "STRIPE_PRO_PRICE_ID (price_pro) is €19.00 a month; `/agile plan` and docs/plans.md say $6.00",
        ),
        (lambda prices: prices["price_pro"].update(currency="jpy"), "is 600 JPY a month"),
        # The price of a month, as the table of plans shows it, taken for that of a year.
        (
            lambda prices: prices["price_year"].update(unit_amount=500),
            "STRIPE_PRO_YEARLY_PRICE_ID (price_year) is $5.00 a year; `/agile plan` and docs/plans.md say $60.00",
        ),
        (lambda prices: prices["price_big"].update(unit_amount=600), "say $10.00 for a seat and month"),
        (lambda prices: prices["price_pro"].update(unit_amount=None), "no fixed amount"),
        (
            lambda prices: prices["price_pro"].update(transform_quantity={"divide_by": 5, "round": "up"}),
            "no fixed amount",
        ),
        (lambda prices: prices["price_big"]["recurring"].update(usage_type="metered"), "by reported usage"),
        (lambda prices: prices["price_pro"].update(metadata={"plan": "enterprise"}), "write pro there"),
        (lambda prices: prices["price_pro"].update(metadata={"plan": "gold"}), "the plan is “gold”"),
        (
            lambda prices: prices["price_big"]["product"].update(metadata={"plan": "pro"}),
            "whose product's metadata say that the plan is “pro”",
        ),
    ],
)
def test_unsuitable_prices_are_reported(
    stripe: StripeSettings, change: Callable[[Any], None], expected: str
) -> None:
    assert price_findings(API_PRICES, stripe) == []
    prices = copy.deepcopy(API_PRICES)
    change(prices)
    (finding,) = price_findings(prices, stripe)
    assert expected in finding


def test_metadata_that_name_the_plan_in_any_case_are_right(stripe: StripeSettings) -> None:
    prices = copy.deepcopy(API_PRICES)
    prices["price_pro"]["metadata"] = {"plan": " Pro ", "other": "x"}
    prices["price_pro"]["product"] = "prod_1"
    assert price_findings(prices, stripe) == []


@pytest.mark.parametrize("name", ["unit_amount", "currency", "recurring", "metadata", "product", "active"])
@pytest.mark.parametrize("value", [None, [], {}, "x", -1])
def test_whatever_stripe_says_of_a_price_no_check_falls_over(
    stripe: StripeSettings, name: str, value: object
) -> None:
    prices = copy.deepcopy(API_PRICES)
    prices["price_pro"][name] = value
    assert all(isinstance(finding, str) for finding in price_findings(prices, stripe))


# Webhook endpoints


def test_an_endpoint_that_is_enabled_and_sends_all_events_needs_nothing() -> None:
    assert endpoint_findings([ENDPOINT], PUBLIC_URL) == []
    assert endpoint_findings([ENDPOINT | {"enabled_events": ["*"]}], PUBLIC_URL) == []
    assert (
        endpoint_findings([ENDPOINT | {"url": "https://AGILE.example:443/webhooks/stripe"}], PUBLIC_URL) == []
    )
    # While one takes the place of another, or where two share the events.
    disabled = ENDPOINT | {"id": "we_2", "status": "disabled"}
    assert endpoint_findings([disabled, ENDPOINT], PUBLIC_URL) == []
    halves = [ENDPOINT | {"enabled_events": sorted(events)} for events in (EVENTS, PAYMENT_EVENTS)]
    assert endpoint_findings(halves, PUBLIC_URL) == []


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        ([], "has no webhook endpoint for https://agile.example/webhooks/stripe:"),
        ([ENDPOINT | {"url": "https://shop.example/hook"}], "has no webhook endpoint"),
        (
            [ENDPOINT | {"url": "https://old.example/webhooks/stripe"}],
            "it has one for https://old.example/webhooks/stripe",
        ),
        ([ENDPOINT | {"url": "https://["}, {}], "has no webhook endpoint"),
        ([ENDPOINT | {"status": "disabled"}], "is disabled"),
        (
            [ENDPOINT | {"enabled_events": sorted(EVENTS)}],
            f"does not send {', '.join(sorted(PAYMENT_EVENTS))}: add these events",
        ),
        (
            [ENDPOINT | {"enabled_events": sorted((EVENTS | PAYMENT_EVENTS) - {"customer.deleted"})}],
            "does not send customer.deleted:",
        ),
        ([ENDPOINT | {"enabled_events": None}], "does not send"),
    ],
)
def test_endpoint_problems_are_reported(endpoints: list[Json], expected: str) -> None:
    (finding,) = endpoint_findings(endpoints, PUBLIC_URL)
    assert expected in finding
    assert "https://dashboard.stripe.com/webhooks" in finding


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "https://localhost",
        "http://agile.example",
        "https://10.0.0.7",
        "https://[::1]:8443",
        "https://agile",
        "https://agile.local",
    ],
)
def test_an_address_that_stripe_cannot_reach_is_found(url: str) -> None:
    (finding,) = public_url_findings(url)
    assert finding.startswith(f"PUBLIC_URL is {url}, but Stripe sends events")
    assert public_url_findings("https://agile.example:8443/agile") == []
    assert public_url_findings("https://8.8.8.8") == []


def test_taxes_are_asked_for_only_where_they_are_computed(stripe: StripeSettings) -> None:
    pending = {"status": "pending", "status_details": {"pending": {"missing_fields": ["head_office"]}}}
    assert tax_findings(pending, stripe) == []
    (finding,) = tax_findings(pending, replace(stripe, automatic_tax=True))
    assert "(head_office)" in finding
    assert tax_findings({"status": "active"}, replace(stripe, automatic_tax=True)) == []


# Over HTTP


@pytest.mark.parametrize("shows_products", [True, False])
async def test_stripe_is_asked_and_may_hide_the_products(
    stripe_server: StandInStripe, stripe: StripeSettings, shows_products: bool
) -> None:
    stripe_server.checkout.shows_products = shows_products
    stripe_server.checkout.prices = API_PRICES
    stripe_server.checkout.portals = [changed(f"{CHANGE}/products", [])]
    stripe_server.checkout.webhook_endpoints = [ENDPOINT]
    findings = await stripe_findings(replace(stripe, automatic_tax=True), PUBLIC_URL)
    assert [("does not offer" in finding) for finding in findings] == [True] * shows_products


async def test_what_is_not_there_is_found(stripe_server: StandInStripe, stripe: StripeSettings) -> None:
    findings = await stripe_findings(stripe, PUBLIC_URL)
    assert len(findings) == 1 + len(STRIPE_PRICES) + 1


async def test_stripe_being_away_is_a_finding_and_no_failure(
    stripe_server: StandInStripe, stripe: StripeSettings
) -> None:
    stripe_server.fail_with = 401
    (finding,) = await stripe_findings(stripe, PUBLIC_URL)
    assert finding.startswith("Stripe could not be asked about its billing portal, its prices, its webhook")


async def test_what_a_restricted_key_may_not_read_hides_nothing_else(
    stripe_server: StandInStripe, stripe: StripeSettings
) -> None:
    stripe_server.checkout.prices = API_PRICES
    stripe_server.failing = {"webhook_endpoints": 403}
    no_portal, unread = await stripe_findings(stripe, PUBLIC_URL)
    assert "portal is not set up" in no_portal
    assert unread.startswith("Stripe could not be asked about its webhook endpoints: ")


async def test_where_nobody_could_come_no_endpoint_is_asked_for(
    stripe_server: StandInStripe, stripe: StripeSettings
) -> None:
    stripe_server.checkout.prices, stripe_server.checkout.portals = API_PRICES, [PORTAL]
    (finding,) = await stripe_findings(stripe, "http://127.0.0.1:8080")
    assert finding.startswith("PUBLIC_URL is http://127.0.0.1:8080")
    assert ("GET", "webhook_endpoints") not in {(method, path) for method, path, _ in stripe_server.requests}


async def test_doctor_names_each_deviation(
    base: Services, stripe_server: StandInStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    stripe_server.checkout.prices = API_PRICES
    stripe_server.checkout.portals = [changed("features/subscription_cancel/mode", "immediately")]
    stripe_server.checkout.webhook_endpoints = [ENDPOINT | {"status": "disabled"}]
    settings = replace(
        base.settings, billing=card_billing_settings(stripe_server), github=None, public_url=PUBLIC_URL
    )
    assert await asyncio.to_thread(run, settings, argparse.Namespace()) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "Stripe" in line]
    portal, endpoint = lines
    assert portal.startswith("✗ Stripe's billing portal cancels at once")
    assert endpoint.startswith("✗ Stripe's webhook endpoint for https://agile.example/webhooks/stripe is")


async def test_doctor_names_misspelt_settings(base: Services, capsys: pytest.CaptureFixture[str]) -> None:
    billing = replace(base.settings.billing, unknown_names=("STRIPE_X is not a setting of this program",))
    settings = replace(base.settings, billing=billing, github=None)
    assert await asyncio.to_thread(run, settings, argparse.Namespace()) == 1
    assert "✗ STRIPE_X is not a setting" in capsys.readouterr().out
