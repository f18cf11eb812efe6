"""Billing settings: nothing is sold without them, and they must be complete."""

import re
from pathlib import Path

import pytest

from bot.settings import SettingsError, load
from bot.settings.billing import BillingSettings
from bot.settings.billing_names import NAMES
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
    marketplace = billing(MARKETPLACE | {"MARKETPLACE_LISTING": "agile"}).marketplace
    assert marketplace
    assert marketplace.plan(1313) is PlanName.PRO
    assert marketplace.plan(999) is None
    assert marketplace.upgrade_links(7) == {
        PlanName.FREE: "https://github.com/marketplace/agile/upgrade/1/7",
        PlanName.PRO: "https://github.com/marketplace/agile/upgrade/3/7",
    }
    assert [secret.reveal() for secret in marketplace.webhook_secrets] == ["m1", "m2"]
    unlisted = billing(MARKETPLACE).marketplace
    assert unlisted
    assert unlisted.upgrade_links(7) == {}


def test_stripe_s_prices_by_plan_and_year() -> None:
    result = billing(STRIPE | {"BILLING_GRACE_DAYS": "3"})
    assert result.grace.days == 3
    assert result.stripe
    assert result.stripe.prices == {"price_pro": ("pro", False), "price_year": ("pro", True)}
    assert result.stripe.price(PlanName.PRO, is_yearly=True) == "price_year"
    assert result.stripe.price(PlanName.ENTERPRISE, is_yearly=True) is None


@pytest.mark.parametrize(
    ("environment", "expected"),
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
        (
            STRIPE | {"STRIPE_ENTERPRISE_PRICE_ID": "price_pro"},
            "STRIPE_PRO_PRICE_ID and STRIPE_ENTERPRISE_PRICE_ID name the same price",
        ),
        ({"STRIPE_AUTOMATIC_TAX": "on"}, "STRIPE_SECRET_KEY is missing, so STRIPE_AUTOMATIC_TAX"),
        ({"STRIPE_METER_EVENT_PREFIX": "agile"}, "STRIPE_SECRET_KEY is missing"),
        ({"MARKETPLACE_LISTING": "agile"}, "MARKETPLACE_WEBHOOK_SECRET is missing"),
        ({"MARKETPLACE_LISTING": "agile"}, "MARKETPLACE_PLAN_IDS is missing"),
        ({"MARKETPLACE_PLAN_IDS": "7=gold"}, "MARKETPLACE_WEBHOOK_SECRET is missing"),
        ({"BILLING_GRACE_DAYS": "²"}, "BILLING_GRACE_DAYS is “²”"),
        (STRIPE | {"STRIPE_PORTAL_LOGIN_URL": "billing.stripe.com"}, "it must begin with https://"),
        (STRIPE | {"STRIPE_METER_EVENT_PREFIX": "x" * 61}, "is longer than 60 characters"),
        (STRIPE | {"STRIPE_METER_EVENT_PREFIX": "agile bot"}, "letters, digits and the characters"),
        (STRIPE | {"STRIPE_SECRET_KEY": "pk_live_51Ab"}, "STRIPE_SECRET_KEY is a publishable key (pk_…)"),
        (STRIPE | {"STRIPE_SECRET_KEY": "sk_org_live_1"}, "the key of a Stripe organization"),
        (STRIPE | {"STRIPE_SECRET_KEY": "sk_live_1,sk_live_2"}, "STRIPE_SECRET_KEY is a list"),
        (STRIPE | {"STRIPE_SECRET_KEY": "whsec_1"}, "STRIPE_SECRET_KEY is a webhook's secret"),
        (STRIPE | {"STRIPE_SECRET_KEY": "price_1"}, "does not look like a key of Stripe"),
        (STRIPE | {"STRIPE_WEBHOOK_SECRET": "sk_live_1"}, "STRIPE_WEBHOOK_SECRET is a secret key"),
        (STRIPE | {"STRIPE_WEBHOOK_SECRET": "whsec_1,we_1"}, "does not look like a secret of a webhook"),
        (STRIPE | {"STRIPE_PRO_PRICE_ID": "prod_Ab1"}, "is “prod_Ab1”, a product's id; open the product"),
        (STRIPE | {"STRIPE_PRO_PRICE_ID": "price_1,price_2"}, "STRIPE_PRO_PRICE_ID is a list; it must be"),
        (STRIPE | {"STRIPE_PRO_PRICE_ID": "price_1 price_2"}, "STRIPE_PRO_PRICE_ID is a list; it must be"),
        (STRIPE | {"STRIPE_PRO_YEARLY_PRICE_ID": "60"}, "STRIPE_PRO_YEARLY_PRICE_ID is “60”; it must be"),
        (STRIPE | {"STRIPE_ENTERPRISE_PRICE_ID": "sub_1"}, "a subscription's id"),
        (STRIPE | {"STRIPE_EARLIER_PRICE_IDS": "price_old"}, "must look like price_1A2b=pro"),
        (STRIPE | {"STRIPE_EARLIER_PRICE_IDS": "prod_1=pro"}, "must look like price_1A2b=pro"),
        (STRIPE | {"STRIPE_EARLIER_PRICE_IDS": "price_old=free"}, "plans are pro, enterprise"),
        (STRIPE | {"STRIPE_EARLIER_PRICE_IDS": "p1=pro,p1=enterprise"}, "names “p1” for two plans"),
        (STRIPE | {"STRIPE_EARLIER_PRICE_IDS": "price_pro=enterprise"}, "for another plan than the setting"),
        (
            STRIPE | {"STRIPE_EARLIER_PRICE_IDS": ",".join(f"p{n}=pro" for n in range(101))},
            "names more than 100 prices",
        ),
        (STRIPE | {"STRIPE_PORTAL_LOGIN_URL": "https://billing.stripe.com/p/session/x"}, "sign-in page"),
        (STRIPE | {"STRIPE_PORTAL_LOGIN_URL": "https://dashboard.stripe.com/settings"}, "sign-in page"),
        (STRIPE | {"STRIPE_PORTAL_LOGIN_URL": "https://["}, "it must begin with https://"),
        (STRIPE | {"STRIPE_API_URL": "http://stripe.example"}, "STRIPE_API_URL must begin with https://"),
        (MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "1=pro,1=free"}, "names the id 1 more than once"),
        (MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "1/3=pro,2/3=free"}, "names the number 3 more than once"),
        (MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "9" * 30 + "=pro"}, "must look like 1313=pro"),
        (MARKETPLACE | {"MARKETPLACE_LISTING": "https://github.com/marketplace/agile"}, "name alone"),
        (MARKETPLACE | {"MARKETPLACE_LISTING": "Agile GitHub Suite"}, "name alone"),
    ],
)
def test_each_mistake_is_reported_with_its_fix(environment: dict[str, str], expected: str) -> None:
    assert expected in problems(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_SECRET_KEY", "sk_live_…"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_…"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_1, whsec_..."),
        ("STRIPE_PRO_PRICE_ID", "price_…"),
        ("STRIPE_ENTERPRISE_YEARLY_PRICE_ID", "price_..."),
        ("STRIPE_EARLIER_PRICE_IDS", "price_…=pro,price_…=enterprise"),
        ("STRIPE_PORTAL_LOGIN_URL", "https://billing.stripe.com/p/login/…"),
        ("STRIPE_METER_EVENT_PREFIX", "…"),
        ("MARKETPLACE_WEBHOOK_SECRET", "…"),
        ("MARKETPLACE_LISTING", "agile-…"),
    ],
)
def test_an_example_of_the_documentation_has_a_sentence_of_its_own(name: str, value: str) -> None:
    text = problems(STRIPE | MARKETPLACE | {name: value})
    assert f"{name} is a placeholder with dots" in text
    assert len(text.splitlines()) == 2


def test_two_placeholders_are_not_said_to_be_the_same_price() -> None:
    text = problems(STRIPE | {"STRIPE_PRO_PRICE_ID": "price_…", "STRIPE_PRO_YEARLY_PRICE_ID": "price_…"})
    assert len(text.splitlines()) == 3
    assert "the same price" not in text


def test_a_plan_that_is_misspelt_is_not_also_said_to_be_missing() -> None:
    text = problems(MARKETPLACE | {"MARKETPLACE_PLAN_IDS": "7=gold"})
    assert len(text.splitlines()) == 2


def test_white_space_and_case_of_the_switches_do_not_matter() -> None:
    result = billing(STRIPE | {"BILLING": " Off\n", "BILLING_GRACE_DAYS": " 3 "})
    assert not result.is_on
    assert result.grace.days == 3


@pytest.mark.parametrize("switch", ["", "off", " OFF "])
def test_what_is_switched_off_asks_for_no_key(switch: str) -> None:
    assert (
        billing({"STRIPE_AUTOMATIC_TAX": switch, "STRIPE_API_URL": "https://stripe.example"}).stripe is None
    )


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("STRIPE_PRO_YEARLY_PRICE", "STRIPE_PRO_YEARLY_PRICE_ID"),
        ("STRIPE_ENTERPRISE_PRICE", "STRIPE_ENTERPRISE_PRICE_ID"),
        ("STRIPE_EARLIER_PRICES", "STRIPE_EARLIER_PRICE_IDS"),
        ("STRIPE_WEBHOOKS_SECRET", "STRIPE_WEBHOOK_SECRET"),
        ("stripe_secret_key", "STRIPE_SECRET_KEY"),
        ("MARKETPLACE_PLANS", "MARKETPLACE_PLAN_IDS"),
        ("MARKETPLACE_LISTING_NAME", "MARKETPLACE_LISTING"),
    ],
)
def test_a_misspelt_name_is_no_refusal_and_names_the_right_one(name: str, nearest: str) -> None:
    (sentence,) = billing({name: "sk_live_VerySecret1"}).unknown_names
    assert sentence == f"{name} is not a setting of this program; did you mean {nearest}?"


def test_names_of_other_programs_are_left_alone() -> None:
    names = {"STRIPED": "x", "PRO_PRICE_ID": "x", "STRIPE_PRO_PRICE": " ", "BILLING_HOST": "x"}
    assert billing(names | STRIPE | MARKETPLACE).unknown_names == ()
    (sentence,) = billing({"STRIPE_QQQQQQQQQQQQ": "x"}).unknown_names
    assert "did you mean" not in sentence
    assert len(billing({f"STRIPE_{'Z' * 999}{n}": "x" for n in range(500)}).unknown_names) == 20


def test_the_readme_names_each_setting_of_billing() -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    named = set(re.findall(r"`((?:STRIPE|MARKETPLACE)_[A-Z_]+)`", readme))
    assert named == set(NAMES)


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


@pytest.mark.parametrize("key", ["sk_live_1", "sk_test_1", "rk_live_1", "rk_test_1", "  sk_live_1\n"])
def test_a_secret_or_a_restricted_key_of_either_mode_will_do(key: str) -> None:
    stripe = billing(STRIPE | {"STRIPE_SECRET_KEY": key}).stripe
    assert stripe
    assert stripe.secret_key.reveal() == key.strip()


def test_what_is_copied_with_white_space_is_read_without() -> None:
    padded = {name: f" {value}\n" for name, value in STRIPE.items()}
    stripe = billing(padded | {"STRIPE_PORTAL_LOGIN_URL": " https://pay.example/p/login/x "}).stripe
    assert stripe
    assert stripe.price(PlanName.PRO, is_yearly=False) == "price_pro"
    assert stripe.portal_login_url == "https://pay.example/p/login/x"
    listing = billing(MARKETPLACE | {"MARKETPLACE_LISTING": " agile "}).marketplace
    assert listing
    assert listing.listing == "agile"


def test_prices_that_are_sold_no_more_are_known_still() -> None:
    given = "price_old=pro, plan_older=enterprise,gold-monthly=pro"
    stripe = billing(STRIPE | {"STRIPE_PRO_PRICE_ID": "plan_1", "STRIPE_EARLIER_PRICE_IDS": given}).stripe
    assert stripe
    assert stripe.earlier_prices == {
        "price_old": PlanName.PRO,
        "plan_older": PlanName.ENTERPRISE,
        "gold-monthly": PlanName.PRO,
    }
    assert stripe.price(PlanName.ENTERPRISE, is_yearly=False) is None


_SECRET = "VerySecret1"


@pytest.mark.parametrize(
    "environment",
    [
        STRIPE | {name: f"{start}{_SECRET}{end}"}
        for name in (
            "STRIPE_SECRET_KEY",
            "STRIPE_WEBHOOK_SECRET",
            "STRIPE_PRO_PRICE_ID",
            "STRIPE_EARLIER_PRICE_IDS",
            "STRIPE_PORTAL_LOGIN_URL",
            "STRIPE_API_URL",
            "STRIPE_METER_EVENT_PREFIX",
        )
        for start, end in (("sk_live_", "!"), ("rk_test_", ",x"), ("whsec_", " y"), ("sk_", "=pro"))
    ]
    + [
        MARKETPLACE | {name: f"sk_live_{_SECRET}"} for name in ("MARKETPLACE_PLAN_IDS", "MARKETPLACE_LISTING")
    ],
)
def test_no_message_repeats_a_secret(environment: dict[str, str]) -> None:
    assert _SECRET not in problems(environment)


def test_secrets_do_not_print() -> None:
    shown = repr(billing(MARKETPLACE | STRIPE))
    assert "sk_test_1" not in shown
    assert "whsec_1" not in shown
    assert "m1" not in shown
