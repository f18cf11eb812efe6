"""What `doctor` finds in the settings that Stripe keeps: its billing portal, prices and taxes."""

import argparse
import asyncio
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.billing.portal_check import PORTAL_SETTINGS, portal_findings, price_findings, tax_findings
from bot.billing.settings import StripeSettings
from bot.billing.stripe_findings import stripe_findings
from bot.doctor import run
from bot.services import Services
from tests.bot.billing.test_stripe import PRICES, sold, stand_in, stripe_settings
from tests.marketplace.stripe_server import StandInStripe

__all__ = ["stand_in"]
Json = dict[str, Any]
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
STRIPE_PRICES: dict[str, Json] = {
    name: {
        "id": name,
        "object": "price",
        "active": True,
        "recurring": {"interval": "year" if is_yearly else "month", "interval_count": 1},
    }
    for name, (_, is_yearly) in PRICES.items()
}


@pytest.fixture
def stripe(stand_in: StandInStripe) -> StripeSettings:
    return stripe_settings(stand_in)


def changed(path: str, value: object) -> Json:
    portal = copy.deepcopy(PORTAL)
    place = portal
    *keys, last = path.split("/")
    for key in keys:
        place = place[key]
    place[last] = value
    return portal


def test_a_portal_as_it_should_be_needs_nothing(stripe: StripeSettings) -> None:
    assert portal_findings(PORTAL, stripe) == []


CHANGE = "features/subscription_update"


@pytest.mark.parametrize(
    ("path", "value", "said"),
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
            "makes a downgrade hold at once",
        ),
        (
            f"{CHANGE}/schedule_at_period_end",
            {"conditions": [{"type": "decreasing_item_amount"}]},
            "from yearly to monthly hold at once",
        ),
        (f"{CHANGE}/products", [{"product": "p", "prices": ["price_pro", "price_big"]}], "offer price_year"),
        (
            f"{CHANGE}/products",
            [{"product": "p", "prices": [*PRICES, "price_old"]}],
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
def test_each_deviation_is_a_sentence_with_where_to_mend_it(
    stripe: StripeSettings, path: str, value: object, said: str
) -> None:
    (finding,) = portal_findings(changed(path, value), stripe)
    assert said in finding
    assert finding.startswith("Stripe's billing portal ")
    assert PORTAL_SETTINGS in finding


def test_a_portal_that_was_never_set_up_is_one_finding(stripe: StripeSettings) -> None:
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


def test_a_portal_that_nothing_leads_to_is_found(stripe: StripeSettings) -> None:
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
    ("change", "said"),
    [
        (lambda prices: prices.update(price_year=None), "has no price price_year"),
        (lambda prices: prices["price_year"]["recurring"].update(interval="month"), "once a year"),
        (lambda prices: prices["price_pro"]["recurring"].update(interval_count=3), "once a month"),
        (lambda prices: prices["price_pro"].update(recurring=None), "once a month"),
        (lambda prices: prices["price_big"].update(active=False), "archived price_big"),
    ],
)
def test_prices_that_do_not_fit_are_found(
    stripe: StripeSettings, change: Callable[[Any], None], said: str
) -> None:
    assert price_findings(STRIPE_PRICES, stripe) == []
    prices = copy.deepcopy(STRIPE_PRICES)
    change(prices)
    (finding,) = price_findings(prices, stripe)
    assert said in finding


def test_taxes_are_asked_for_only_where_they_are_computed(stripe: StripeSettings) -> None:
    pending = {"status": "pending", "status_details": {"pending": {"missing_fields": ["head_office"]}}}
    assert tax_findings(pending, stripe) == []
    (finding,) = tax_findings(pending, replace(stripe, automatic_tax=True))
    assert "(head_office)" in finding
    assert tax_findings({"status": "active"}, replace(stripe, automatic_tax=True)) == []


# Over HTTP


@pytest.mark.parametrize("shows_products", [True, False])
async def test_stripe_is_asked_and_may_hide_the_products(
    stand_in: StandInStripe, stripe: StripeSettings, shows_products: bool
) -> None:
    stand_in.checkout.shows_products = shows_products
    stand_in.checkout.prices = STRIPE_PRICES
    stand_in.checkout.portals = [changed(f"{CHANGE}/products", [])]
    findings = await stripe_findings(replace(stripe, automatic_tax=True))
    assert [("does not offer" in finding) for finding in findings] == [True] * shows_products


async def test_what_is_not_there_is_found(stand_in: StandInStripe, stripe: StripeSettings) -> None:
    findings = await stripe_findings(stripe)
    assert len(findings) == 1 + len(PRICES)


async def test_stripe_being_away_is_a_finding_and_no_failure(
    stand_in: StandInStripe, stripe: StripeSettings
) -> None:
    stand_in.fail_with = 401
    (finding,) = await stripe_findings(stripe)
    assert finding.startswith("Stripe could not be asked")


async def test_doctor_names_each_deviation(
    base: Services, stand_in: StandInStripe, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.checkout.prices = STRIPE_PRICES
    stand_in.checkout.portals = [changed("features/subscription_cancel/mode", "immediately")]
    settings = replace(base.settings, billing=sold(stand_in), github=None)
    assert await asyncio.to_thread(run, settings, argparse.Namespace()) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "Stripe" in line]
    assert len(lines) == 1
    assert lines[0].startswith("✗ Stripe's billing portal cancels at once")
