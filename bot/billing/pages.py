"""Pages of billing, for visitors who come by a link or return from Stripe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web
from yarl import URL

from bot.billing.page_style import make_page_response
from commands.formatting.wording import full_day
from marketplace.purchase_ways import ending_on_marketplace, paid_until
from marketplace.stripe_payments import is_payment_due
from storage.subscriptions import Subscription

# Sellers with a custom domain at Stripe redirect to that one instead.
_CHECKOUT = "https://checkout.stripe.com"


@dataclass(frozen=True, slots=True)
class Page:
    """A page with one message. `text` may contain `/agile plan`; `link` is a URL and its label.

    `button` is the label of a form that posts to the page's own URL, which then may redirect to the host of
    the `link`.
    """

    title: str
    text: str
    link: tuple[str, str] | None = None
    button: str | None = None

    def response(self, status: int = 200) -> web.Response:
        """Return the page as HTML that is not cached and sends no referrer to other sites."""
        return make_page_response(self.title, self._html(), status, form_targets=self._form_targets())

    def _form_targets(self) -> str:
        """Return the CSP sources for `form-action`; browsers check redirects of its response as well."""
        if self.button is None or self.link is None:
            return "'none'"
        return f"'self' {_CHECKOUT} {URL(self.link[0]).origin()}"

    def _html(self) -> str:
        text = escape(self.text).replace("`/agile plan`", "<code>/agile plan</code>")
        button = ""
        if self.link is not None:
            address, label = self.link
            button = f'<p><a class="button" href="{escape(address)}">{escape(label)}</a></p>'
        if self.button is not None:
            button += f'<form method="post"><button class="plain">{escape(self.button)}</button></form>'
        return f"<p>{text}</p>{button}"


# Back from Stripe


def purchase_confirmed() -> Page:
    return Page(
        "Thank you", "Your plan is active. To see it, comment `/agile plan`. It may take a minute to show."
    )


def purchase_not_confirmed() -> Page:
    """For a visitor who returns from a checkout that Stripe does not report as paid."""
    return Page(
        "No purchase yet",
        "Stripe has not reported a purchase. If you have just paid, comment `/agile plan` in a few minutes "
        "to see your plan. Otherwise, you bought nothing.",
    )


def checkout_cancelled(checkout: str | None) -> Page:
    """For a visitor who left the checkout; `checkout` is its URL while the link is valid."""
    if checkout is None:
        return Page("Nothing was bought", "You were not charged. To get a new link, comment `/agile plan`.")
    return Page(
        "Nothing was bought",
        "You left the checkout and were not charged. You can go back with this link now, or get a new one "
        "from `/agile plan` later.",
        (checkout, "Back to the checkout"),
    )


def portal_left() -> Page:
    return Page(
        "You left the billing portal",
        "To see your changes, comment `/agile plan`. They may take a minute to show.",
    )


def make_overlap_notice(subscriptions: Iterable[Subscription]) -> str | None:
    """Return the checkout's notice for an account whose Marketplace purchase still runs; else None."""
    ending = ending_on_marketplace(subscriptions)
    if ending is None:
        return None
    at = paid_until(ending)
    until = f"until {full_day(at.date())}" if at else "until the end of its period"
    return f"This plan starts today. GitHub Marketplace is paid {until}, so you pay for both until then."


# Why no checkout is opened


def already_paid_by_card(subscription: Mapping[str, Any], portal: str | None) -> Page:
    """For an account with a card subscription, as Stripe answered it; it is changed in the portal."""
    link = (portal, "Open the billing portal") if portal else None
    where = "in the billing portal" if portal else "in the billing portal (for a link, comment `/agile plan`)"
    again = "A second purchase would be charged too, so this link does not open a checkout."
    status = subscription.get("status")
    if is_payment_due(subscription):
        text = f"This account already pays by card, and its last payment is due. Pay it {where}. {again}"
        return Page("A payment is due", text, link)
    if status == "paused" or subscription.get("pause_collection"):
        resume = _how_to_resume(subscription, where)
        text = f"This account already pays by card, and its subscription is paused. {resume} {again}"
        return Page("Your subscription is paused", text, link)
    if ends := _find_end_date(subscription):
        text = (
            f"This account already pays by card, until its subscription ends on {ends}. To keep the plan, "
            f"renew it {where}. {again}"
        )
        return Page("Renew your subscription", text, link)
    text = f"This account already pays by card. Change the plan {where}. {again}"
    return Page("You have a plan already", text, link)


def _how_to_resume(subscription: Mapping[str, Any], where: str) -> str:
    """Return who can resume a subscription: Stripe pauses trials without a card, the seller all others."""
    if subscription.get("status") == "paused" and subscription.get("trial_end"):
        return (
            f"If the trial ended without a card, add one {where}. If it stays paused, contact the people who "
            "run this App."
        )
    return "Only the people who run this App can resume it. Please contact them."


def _find_end_date(subscription: Mapping[str, Any]) -> str | None:
    """Return the day on which a cancelled subscription ends, in words. None if it is not cancelled."""
    seconds = subscription.get("cancel_at")
    if seconds is None and subscription.get("cancel_at_period_end"):
        items = (subscription.get("items") or {}).get("data") or [{}]
        seconds = subscription.get("current_period_end") or items[0].get("current_period_end")
    return full_day(datetime.fromtimestamp(seconds, UTC).date()) if seconds else None


def already_paid_on_marketplace(upgrade: str | None) -> Page:
    return Page(
        "You have a plan already",
        "This account already pays on GitHub Marketplace and would pay twice. Change the plan there, or "
        "cancel it there first; then this link works. A card plan starts on the day you buy it, and GitHub "
        "is paid until the end of its own period.",
        (upgrade, "Open GitHub Marketplace") if upgrade else None,
    )


def checkout_superseded() -> Page:
    return Page(
        "Another checkout was opened",
        "Someone else opened a checkout for this account at the same moment, so this one was closed. Please "
        "open the link again.",
    )


def checkout_in_progress(other: str, requested: str, url: str) -> Page:
    """For a visitor whose link is to buy `requested`, while a checkout of `other` is open at `url`."""
    return Page(
        "Another checkout is open",
        f"Someone has opened a checkout for this account: {other}. This link is for {requested}. Continue "
        "the open checkout, or open this one instead. That closes the other one, even if someone is paying "
        "there right now.",
        (url, "Continue the open checkout"),
        "Open this one instead",
    )


def unknown_account() -> Page:
    return Page("Unknown account", "Install the App, and comment `/agile plan` to get a link.")


def plan_not_sold() -> Page:
    return Page(
        "No longer available",
        "This plan is no longer sold. To see the available plans, comment `/agile plan`.",
    )


def invalid_link(reason: str) -> Page:
    return Page("This link does not work", reason)


# Stripe's failures


def stripe_unavailable() -> Page:
    return Page("Please try again", "Stripe cannot be reached right now. Please try again in a minute.")


def stripe_refused() -> Page:
    return Page(
        "Stripe could not open this page",
        "This was not your mistake, and the error has been logged. You were not charged.",
    )
