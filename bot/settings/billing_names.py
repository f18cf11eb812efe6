"""Names of the settings of billing, and the detection of misspelt ones.

Other programs may have settings with the same prefixes, so an unknown name is never refused.
"""

import difflib
from collections.abc import Mapping

from bot.settings.secret import redacted
from marketplace.plans import PlanName

# The plan of each price, and whether it is paid yearly.
PRICE_SETTINGS = {
    "STRIPE_PRO_PRICE_ID": (PlanName.PRO, False),
    "STRIPE_PRO_YEARLY_PRICE_ID": (PlanName.PRO, True),
    "STRIPE_ENTERPRISE_PRICE_ID": (PlanName.ENTERPRISE, False),
    "STRIPE_ENTERPRISE_YEARLY_PRICE_ID": (PlanName.ENTERPRISE, True),
}
SWITCHES = ("STRIPE_AUTOMATIC_TAX", "STRIPE_TAX_IDS", "STRIPE_PROMOTION_CODES")
# Without Stripe's key these have no purpose. STRIPE_API_URL is left out: it may be another program's.
NEED_A_KEY = ("STRIPE_EARLIER_PRICE_IDS", "STRIPE_PORTAL_LOGIN_URL", "STRIPE_METER_EVENT_PREFIX")
NAMES = (
    "MARKETPLACE_WEBHOOK_SECRET",
    "MARKETPLACE_PLAN_IDS",
    "MARKETPLACE_LISTING",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "STRIPE_API_URL",
    *PRICE_SETTINGS,
    *NEED_A_KEY,
    *SWITCHES,
)
_PREFIXES = ("STRIPE_", "MARKETPLACE_")
_MAX_REPORTED = 20
_MAX_NAME_LENGTH = 80


def price_setting(plan: PlanName, *, is_yearly: bool) -> str:
    """Return the setting for the price of a paid plan, monthly or yearly."""
    return next(name for name, sold in PRICE_SETTINGS.items() if sold == (plan, is_yearly))


def describe_unknown_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each variable with a prefix of ours that is no setting; never with its value."""
    unknown = sorted(
        name
        for name, value in environment.items()
        if name.upper().startswith(_PREFIXES) and name not in NAMES and value.strip()
    )
    return tuple(map(_describe_unknown_name, unknown[:_MAX_REPORTED]))


def _describe_unknown_name(name: str) -> str:
    nearest = difflib.get_close_matches(name.upper()[:_MAX_NAME_LENGTH], NAMES, n=1, cutoff=0.5)
    shown = redacted(name)[:_MAX_NAME_LENGTH]
    if not nearest:
        return f"{shown} is not a setting of this program"
    return f"{shown} is not a setting of this program; did you mean {nearest[0]}?"
