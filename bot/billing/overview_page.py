"""`GET /billing`: how an owner changes or cancels a plan, with or without the App. It names no account."""

from html import escape

from aiohttp import web

from bot.billing.page_style import make_page_response
from bot.settings.billing import BillingSettings

_MARKETPLACE = """<h2>Paid on GitHub Marketplace</h2>
<p>For your own account, open <a href="https://github.com/settings/billing">Billing and licensing</a> on
GitHub. For an organization, open <a href="https://github.com/settings/organizations">your organizations</a>,
then Settings and “Billing and licensing”. That page lists the subscription with its seats and price. You can
change or cancel it there. Receipts are in the payment history.</p>"""
_PORTAL = """<h2>Paid by card</h2>
<p><a href="{address}">Sign in at Stripe</a> with the email address that receives the invoices; Stripe sends
you a link. There you can change the plan and the card, cancel, and find invoices and receipts.</p>"""
_NO_PORTAL = """<h2>Paid by card</h2>
<p>Ask the people who run this service for a link to Stripe's billing portal. There you can change the plan
and the card, cancel, and find invoices and receipts.</p>"""
_NOTHING = "<p>Billing is off here: everyone can use every feature for free.</p>"
_CLOSING = """<p>Uninstalling the App does not cancel a paid plan. Where the App is installed, comment
<code>/agile plan</code> on an issue to see what your account pays for.</p>"""


class BillingOverviewPage:
    """The overview page, whose content is built once from the settings."""

    def __init__(self, settings: BillingSettings) -> None:
        sections = []
        if settings.marketplace is not None:
            sections.append(_MARKETPLACE)
        if settings.stripe is not None:
            address = settings.stripe.portal_login_url
            sections.append(_PORTAL.format(address=escape(address)) if address else _NO_PORTAL)
        self._content = "\n".join([*sections, _CLOSING]) if sections else _NOTHING

    async def get(self, _: web.Request) -> web.Response:
        return make_page_response("Billing", self._content)
