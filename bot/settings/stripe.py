"""Checks of single Stripe settings. Each problem describes the expected form, and never contains a secret."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from bot.settings.secret import redacted
from marketplace.plans import PLANS, PlanName

# https://docs.stripe.com/keys: a restricted key (rk_) works where it has the permissions of docs/billing.md.
_SECRET_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{1,300}")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{1,300}")
# The Prices API also accepts the ids of older plans. Sellers could choose those freely, so an earlier price
# may be any word.
_PRICE = re.compile(r"(?:price|plan)_[A-Za-z0-9_-]{1,250}")
_EARLIER_PRICE = re.compile(r"[A-Za-z0-9_.:-]{1,250}")
# What an id or key of Stripe names, by its prefix.
_KIND_BY_PREFIX = {
    "prod_": "a product's id; open the product in Stripe's dashboard and copy the id of its price",
    "sub_": "a subscription's id",
    "cus_": "a customer's id",
    "si_": "the id of a subscription's item",
    "plink_": "a payment link's id",
    "pk_": "a publishable key",
    "sk_": "a secret key",
    "rk_": "a restricted key",
    "whsec_": "a webhook's secret",
}
_SECRET_PREFIXES = ("sk_", "rk_", "whsec_")
_METER_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,60}")
MAX_METER_PREFIX_LENGTH = 60
_MAX_EARLIER_PRICES = 100
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def has_ellipsis(value: str) -> bool:
    """Whether a value contains an ellipsis, as examples in documentation and shortened keys do."""
    return "…" in value or "..." in value


def is_placeholder(name: str, value: str, problems: list[str]) -> bool:
    """Whether a setting is still an example from the documentation; if so, a problem is added."""
    if not has_ellipsis(value):
        return False
    problems.append(
        f"{name} is a placeholder with dots, as documentation has it; put the whole value in its place"
    )
    return True


def check_secret_key(key: str, problems: list[str]) -> None:
    """Check STRIPE_SECRET_KEY: a secret or restricted key, of a sandbox or of live mode."""
    if _SECRET_KEY.fullmatch(key) or is_placeholder("STRIPE_SECRET_KEY", key, problems):
        return
    right = "it must be one secret key, which begins with sk_live_ or sk_test_, or a restricted one (rk_…)"
    if "," in key:
        problems.append(f"STRIPE_SECRET_KEY is a list; {right}")
    elif key.startswith("pk_"):
        problems.append(
            f"STRIPE_SECRET_KEY is a publishable key (pk_…), with which nothing can be read; {right}"
        )
    elif key.startswith("sk_org_"):
        problems.append(
            f"STRIPE_SECRET_KEY is the key of a Stripe organization (sk_org_…); {right}, of the account that "
            "sells"
        )
    elif (kind := _describe_kind(key)) is not None and not key.startswith(("sk_", "rk_")):
        problems.append(f"STRIPE_SECRET_KEY is {kind}; {right}")
    else:
        problems.append(f"STRIPE_SECRET_KEY does not look like a key of Stripe; {right}")


def check_webhook_secret(secret: str, problems: list[str]) -> None:
    """Check one secret of STRIPE_WEBHOOK_SECRET: the signing secret of a webhook endpoint."""
    if _WEBHOOK_SECRET.fullmatch(secret) or is_placeholder("STRIPE_WEBHOOK_SECRET", secret, problems):
        return
    kind = _describe_kind(secret)
    description = f"is {kind}" if kind else "does not look like a secret of a webhook"
    problems.append(
        f"STRIPE_WEBHOOK_SECRET {description}; it must be the signing secret that Stripe shows with the "
        "endpoint of the webhook, which begins with whsec_"
    )


def check_price(name: str, price: str, problems: list[str]) -> None:
    """Check the id of one price."""
    if _PRICE.fullmatch(price) or is_placeholder(name, price, problems):
        return
    right = "it must be the id of one price, which begins with price_ (or plan_, if it is older)"
    if "," in price or any(letter.isspace() for letter in price):
        problems.append(
            f"{name} is a list; {right}. Prices that are sold no more go into STRIPE_EARLIER_PRICE_IDS"
        )
    elif (kind := _describe_kind(price)) is not None:
        problems.append(f"{name} is “{_shorten(price)}”, {kind}; {right}")
    else:
        problems.append(f"{name} is “{_shorten(price)}”; {right}")


def read_earlier_prices(
    text: str, prices: Mapping[str, tuple[PlanName, bool]], problems: list[str]
) -> dict[str, PlanName]:
    """Parse `price_old=pro,price_older=enterprise`: prices that are not sold any more, but still paid."""
    name, plans = "STRIPE_EARLIER_PRICE_IDS", dict[str, PlanName]()
    sold = [plan.name for plan in PLANS.values() if plan.is_paid]
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if len(entries) > _MAX_EARLIER_PRICES:
        problems.append(f"{name} names more than {_MAX_EARLIER_PRICES} prices")
    for entry in entries[:_MAX_EARLIER_PRICES]:
        if is_placeholder(name, entry, problems):
            break
        price, _, plan = (part.strip() for part in entry.partition("="))
        if not _EARLIER_PRICE.fullmatch(price) or _describe_kind(price) is not None or plan not in sold:
            problems.append(
                f"{name}: “{_shorten(entry)}” must look like price_1A2b=pro: the id of one price and the "
                f"plan that it pays for; plans are {', '.join(sold)}"
            )
        elif plans.get(price, plan) != plan:
            problems.append(f"{name} names “{price[:60]}” for two plans")
        elif price in prices and prices[price][0] != plan:
            problems.append(f"{name} names “{price[:60]}” for another plan than the setting of that price")
        else:
            plans[price] = PlanName(plan)
    return plans


def check_meter_prefix(prefix: str, problems: list[str]) -> None:
    """Check the prefix of meter event names, which Stripe limits to 100 characters."""
    if is_placeholder("STRIPE_METER_EVENT_PREFIX", prefix, problems):
        return
    if len(prefix) > MAX_METER_PREFIX_LENGTH:
        problems.append(f"STRIPE_METER_EVENT_PREFIX is longer than {MAX_METER_PREFIX_LENGTH} characters")
    elif not _METER_PREFIX.fullmatch(prefix):
        problems.append(
            "STRIPE_METER_EVENT_PREFIX may hold letters, digits and the characters _ . - alone, as in agile"
        )


def check_portal_login(url: str, problems: list[str]) -> None:
    """Check the URL of the portal's sign-in page, which may be on the operator's own domain."""
    name = "STRIPE_PORTAL_LOGIN_URL"
    if is_placeholder(name, url, problems):
        return
    address = _parse_url(url)
    if not url.startswith("https://") or address is None:
        problems.append(f"{name} is “{_shorten(url)}”; it must begin with https://")
    elif not address.path.startswith("/p/login/"):
        problems.append(
            f"{name} is not the portal's sign-in page; it must look like "
            "https://billing.stripe.com/p/login/…, which Stripe's dashboard shows under Settings → Billing → "
            "Customer portal. The address of one session would sign in whoever opens it"
        )


def check_api_url(url: str, problems: list[str]) -> None:
    """Check the URL of another Stripe API, for tests; the secret key is sent there."""
    address = _parse_url(url)
    is_local = address is not None and address.scheme == "http" and address.hostname in _LOOPBACK
    if address is None or not (address.scheme == "https" or is_local):
        problems.append(
            "STRIPE_API_URL must begin with https://, or with http:// for this machine alone, because the "
            "secret key is sent there"
        )


def _parse_url(url: str) -> SplitResult | None:
    try:
        address = urlsplit(url)
    except ValueError:
        return None
    return address if address.hostname and address.username is None else None


def _shorten(value: str) -> str:
    """Shorten a value for a message, and hide it where it may be a secret."""
    is_secret = any(prefix in value for prefix in _SECRET_PREFIXES)
    return "…" if is_secret else redacted(value)[:60]


def _describe_kind(value: str) -> str | None:
    """Return the kind of object that an id or key of Stripe names, by its prefix. None for other values."""
    return next((kind for prefix, kind in _KIND_BY_PREFIX.items() if value.startswith(prefix)), None)
