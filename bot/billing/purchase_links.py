"""Links to buy, change or cancel a plan, from the settings of billing."""

from datetime import datetime, timedelta

from bot.billing.signed_links import SignedLinks
from bot.settings.billing import BillingSettings
from marketplace.entitlements import PlanChangeLinks
from marketplace.plans import PlanName
from storage.cipher import PayloadCipher

# A checkout link stays in a thread, where people may open it much later.
_CHECKOUT_LINK_DURATION = timedelta(days=1)


class PurchaseLinks:
    """Links at which an account buys, changes or cancels a plan, as the settings of billing allow."""

    def __init__(self, settings: BillingSettings, public_url: str, cipher: PayloadCipher) -> None:
        self._settings = settings
        self._public_url = public_url
        self._signed_links = SignedLinks(cipher)

    @property
    def is_on(self) -> bool:
        return self._settings.is_on

    @property
    def grace(self) -> timedelta:
        return self._settings.grace

    @property
    def is_usage_charged(self) -> bool:
        stripe = self._settings.stripe
        return self._settings.is_on and stripe is not None and stripe.meter_prefix is not None

    def links(self, account: int) -> PlanChangeLinks:
        marketplace, stripe = self._settings.marketplace, self._settings.stripe
        return PlanChangeLinks(
            marketplace.upgrade_links(account) if marketplace else {},
            stripe.portal_login_url if stripe else None,
        )

    def checkout(self, account: int, plan: PlanName, now: datetime, *, is_yearly: bool) -> str | None:
        stripe = self._settings.stripe
        if not self.is_on or stripe is None or stripe.price(plan, is_yearly=is_yearly) is None:
            return None
        # Rounded to the hour, so that a repeated answer contains the same link.
        until = now.replace(minute=0, second=0, microsecond=0) + _CHECKOUT_LINK_DURATION
        ticket = self._signed_links.issue(
            "checkout", until, account=account, plan=plan.value, yearly=is_yearly, at=until.isoformat()
        )
        return f"{self._public_url}/billing/checkout/{ticket}"
