"""Which settings of billing there are, and which names look like one that was misspelt.

Other programs may have settings that begin like ours, so an unknown name is never refused.
"""

import difflib
from collections.abc import Mapping

from bot.settings.secret import redacted
from marketplace.plans import PlanName

# Which plan each price is of, and whether it is by the year.
PRICE_SETTINGS = {
    "STRIPE_PRO_PRICE_ID": (PlanName.PRO, False),
    "STRIPE_PRO_YEARLY_PRICE_ID": (PlanName.PRO, True),
    "STRIPE_ENTERPRISE_PRICE_ID": (PlanName.ENTERPRISE, False),
    "STRIPE_ENTERPRISE_YEARLY_PRICE_ID": (PlanName.ENTERPRISE, True),
}
SWITCHES = ("STRIPE_AUTOMATIC_TAX", "STRIPE_TAX_IDS", "STRIPE_PROMOTION_CODES")
# They say how Stripe is used, and mean nothing without its key. STRIPE_API_URL may be another program's.
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
_BEGINNINGS = ("STRIPE_", "MARKETPLACE_")
_MOST_SHOWN = 20
_LONGEST_NAME = 80


def price_setting(plan: PlanName, *, is_yearly: bool) -> str:
    """The setting that names the price of a plan. Every paid plan has one for a month and one for a year."""
    return next(name for name, sold in PRICE_SETTINGS.items() if sold == (plan, is_yearly))


def unknown_names(environment: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each name that begins like a setting of ours and is none. No value is repeated."""
    unknown = sorted(
        name
        for name, value in environment.items()
        if name.upper().startswith(_BEGINNINGS) and name not in NAMES and value.strip()
    )
    return tuple(map(_about, unknown[:_MOST_SHOWN]))


def _about(name: str) -> str:
    nearest = difflib.get_close_matches(name.upper()[:_LONGEST_NAME], NAMES, n=1, cutoff=0.5)
    shown = redacted(name)[:_LONGEST_NAME]
    if not nearest:
        return f"{shown} is no setting of this program"
    return f"{shown} is no setting of this program; did you mean {nearest[0]}?"
