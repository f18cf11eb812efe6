"""Without settings nothing is sold; what is set must be whole."""

import pytest

from bot.billing.settings import BillingSettings
from bot.settings import SettingsError, load
from marketplace.plans import PlanName

MARKETPLACE = {
    "MARKETPLACE_WEBHOOK_SECRET": "m1, m2",
    "MARKETPLACE_PLAN_IDS": "1111/1=free, 1313/3=pro,1414=enterprise",
}
STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_1",
    "STRIPE_PRO_PRICE_ID": "price_pro",
    "STRIPE_PRO_YEARLY_PRICE_ID": "price_year",
}


def billing(environment: dict[str, str]) -> BillingSettings:
    return load(environment, needs_github=False).billing


def problems(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as problem:
        billing(environment)
    return str(problem.value)


def test_without_settings_nothing_is_sold() -> None:
    assert billing({}) == BillingSettings()
    assert not billing({}).is_on
    assert not billing({"BILLING": "off"}).is_on


@pytest.mark.parametrize("environment", [MARKETPLACE, STRIPE])
def test_who_sets_up_a_shop_sells_unless_it_is_switched_off(environment: dict[str, str]) -> None:
    assert billing(environment).is_on
    assert billing(environment | {"BILLING": "on"}).is_on
    assert not billing(environment | {"BILLING": "off"}).is_on


def test_the_listing_s_plans_and_where_they_are_bought() -> None:
    found = billing(MARKETPLACE | {"MARKETPLACE_LISTING": "agile"}).marketplace
    assert found
    assert found.plan(1313) is PlanName.PRO
    assert found.plan(999) is None
    assert found.upgrade_links(7) == {
        PlanName.FREE: "https://github.com/marketplace/agile/upgrade/1/7",
        PlanName.PRO: "https://github.com/marketplace/agile/upgrade/3/7",
    }
    assert [secret.reveal() for secret in found.webhook_secrets] == ["m1", "m2"]
    unlisted = billing(MARKETPLACE).marketplace
    assert unlisted
    assert unlisted.upgrade_links(7) == {}


def test_stripe_s_prices_by_plan_and_year() -> None:
    found = billing(STRIPE | {"BILLING_GRACE_DAYS": "3"})
    assert found.grace.days == 3
    assert found.stripe
    assert found.stripe.prices == {"price_pro": ("pro", False), "price_year": ("pro", True)}
    assert found.stripe.price(PlanName.PRO, is_yearly=True) == "price_year"
    assert found.stripe.price(PlanName.ENTERPRISE, is_yearly=True) is None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"BILLING": "perhaps"}, "BILLING is “perhaps”; it must be on or off"),
        ({"BILLING": "on"}, "BILLING is on, but nothing can be bought"),
        ({"BILLING_GRACE_DAYS": "many"}, "BILLING_GRACE_DAYS is “many”"),
        ({"MARKETPLACE_PLAN_IDS": "1=pro"}, "MARKETPLACE_WEBHOOK_SECRET is missing"),
        ({"MARKETPLACE_WEBHOOK_SECRET": "x"}, "MARKETPLACE_PLAN_IDS is missing"),
        (MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "pro=1313"}, "“pro=1313” must look like 1313=pro"),
        (MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "1313=gold"}, "plans are free, pro, enterprise"),
        ({"STRIPE_WEBHOOK_SECRET": "x"}, "STRIPE_SECRET_KEY is missing"),
        ({"STRIPE_SECRET_KEY": "x"}, "STRIPE_WEBHOOK_SECRET is missing"),
        ({"STRIPE_SECRET_KEY": "x"}, "so Stripe can sell nothing"),
        (STRIPE | {"STRIPE_ENTERPRISE_PRICE_ID": "price_pro"}, "name the same price"),
        (STRIPE | {"STRIPE_PORTAL_LOGIN_URL": "billing.stripe.com"}, "it must begin with https://"),
        (STRIPE | {"STRIPE_METER_EVENT_PREFIX": "x" * 61}, "is longer than 60 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_mend(environment: dict[str, str], said: str) -> None:
    assert said in problems(environment)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("STRIPE_AUTOMATIC_TAX", "automatic_tax"),
        ("STRIPE_TAX_IDS", "tax_ids"),
        ("STRIPE_PROMOTION_CODES", "promotion_codes"),
    ],
)
def test_what_checkout_does_is_switched(name: str, field: str) -> None:
    for switch, is_on in (("", False), ("off", False), ("on", True), (" ON ", True)):
        stripe = billing(STRIPE | {name: switch}).stripe
        assert getattr(stripe, field) is is_on
    for mistake in ("yes", "1", "true", "x" * 5_000):
        text = problems(STRIPE | {name: mistake})
        assert f"{name} is “{mistake[:40]}”; it must be on or off" in text
    assert "abcdef" not in problems(STRIPE | {name: "sk_live_abcdef0123456789"})


def test_secrets_do_not_print() -> None:
    shown = repr(billing(MARKETPLACE | STRIPE))
    assert "sk_test_1" not in shown
    assert "whsec_1" not in shown
    assert "m1" not in shown
