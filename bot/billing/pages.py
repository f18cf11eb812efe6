"""What our pages of billing say to who comes by a link, and how they look."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web
from yarl import URL

from commands.wording import full_day
from marketplace.stripe_payments import is_payment_due
from marketplace.ways import ending_on_marketplace, paid_until
from storage.subscriptions import Subscription

_STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --muted: #59636e; --page: #f6f8fa; --card: #fff;
  --line: #d1d9e0; --button: #1f883d; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --muted: #9198a1; --page: #010409;
  --card: #0d1117; --line: #3d444d; --button: #238636; } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", sans-serif }
main { width: 100%; max-width: 30rem; padding: 1.5rem 1.75rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 12px }
h1 { margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.3 }
p { margin: 0 0 1rem; overflow-wrap: break-word } p:last-child { margin-bottom: 0 }
footer { margin-top: 1.25rem; color: var(--muted); font-size: .85rem }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, monospace; padding: .15em .35em; border-radius: 6px;
  background: color-mix(in srgb, var(--muted) 20%, transparent) }
a.button { display: inline-block; padding: .45rem 1rem; border-radius: 6px; background: var(--button);
  color: #fff; text-decoration: none; font-weight: 600 }
button.plain { padding: .45rem 1rem; border-radius: 6px; border: 1px solid var(--line); font: inherit;
  background: transparent; color: var(--text); cursor: pointer }
a.button:focus-visible, button.plain:focus-visible { outline: 2px solid var(--text); outline-offset: 2px }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
# A shop with a domain of its own at Stripe is led to that one instead.
_CHECKOUT = "https://checkout.stripe.com"


@dataclass(frozen=True, slots=True)
class Page:
    """A page with one thing to say. `text` may name `/agile plan`; `link` is an address and its label.

    A `button` of that label posts to the page's own address, which then may lead to the host of the `link`.
    """

    title: str
    text: str
    link: tuple[str, str] | None = None
    button: str | None = None

    def response(self, status: int = 200) -> web.Response:
        """Return the page as HTML that no cache keeps and that tells no other site where it was."""
        headers = {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": f"{_POLICY}; form-action {self._form_targets()}",
            "X-Robots-Tag": "noindex",
        }
        return web.Response(status=status, text=self._html(), content_type="text/html", headers=headers)

    def _form_targets(self) -> str:
        """Where a form may lead; browsers look at where its answer redirects to as well."""
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
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width, initial-scale=1"><title>{escape(self.title)} · Agile GitHub Suite'
            f"</title><style>{_STYLE}</style><main><h1>{escape(self.title)}</h1><p>{text}</p>{button}"
            "<footer>Agile GitHub Suite</footer></main></html>"
        )


# Back from Stripe


def bought() -> Page:
    return Page(
        "Thank you", "Your plan is active. `/agile plan` in a thread shows it, usually within a minute."
    )


def not_bought_yet() -> Page:
    """For who comes back from a checkout that Stripe does not call paid."""
    return Page(
        "No purchase yet",
        "Stripe has not told us of a purchase. If you have just paid, `/agile plan` in a thread shows your "
        "plan within a few minutes; otherwise nothing was bought.",
    )


def cancelled(checkout: str | None) -> Page:
    """For who left the checkout; `checkout` is the way back into it, while the link is good."""
    if checkout is None:
        return Page("Nothing was bought", "You were not charged. `/agile plan` in a thread makes a new link.")
    return Page(
        "Nothing was bought",
        "You left the checkout, and you were not charged. You can come back by the same link, or later by a "
        "new one from `/agile plan`.",
        (checkout, "Back to the checkout"),
    )


def returned() -> Page:
    return Page(
        "You left the billing portal",
        "If you changed something, `/agile plan` in a thread shows it, usually within a minute.",
    )


def overlap_notice(subscriptions: Iterable[Subscription]) -> str | None:
    """What the checkout says to who goes over from GitHub before that has ended; None to anybody else."""
    ending = ending_on_marketplace(subscriptions)
    if ending is None:
        return None
    at = paid_until(ending)
    until = f"until {full_day(at.date())}" if at else "until the end of its period"
    return f"This plan starts today. GitHub Marketplace is paid {until}, so until then both are paid for."


# Why no checkout is opened


def pays_by_card(subscription: Mapping[str, Any], portal: str | None) -> Page:
    """For an account that has a card subscription already, as Stripe tells of it: there it is changed."""
    link = (portal, "Open the billing portal") if portal else None
    where = "in the billing portal" if portal else "where you pay: `/agile plan` leads there"
    again = "A second purchase would be charged as well, so this link opens no checkout."
    status = subscription.get("status")
    if is_payment_due(subscription):
        text = f"This account pays by card already, and its last payment is due. Pay it {where}. {again}"
        return Page("A payment is due", text, link)
    if status == "paused" or subscription.get("pause_collection"):
        resume = _resume(subscription, where)
        text = f"This account pays by card already, and its subscription is paused. {resume} {again}"
        return Page("Your subscription is paused", text, link)
    if ends := _ends(subscription):
        text = (
            f"This account pays by card already, until its subscription ends on {ends}. To keep the plan, "
            f"renew it {where}. {again}"
        )
        return Page("Renew your subscription", text, link)
    text = f"This account pays by card already. Change the plan {where}. {again}"
    return Page("You have a plan already", text, link)


def _resume(subscription: Mapping[str, Any], where: str) -> str:
    """Who resumes it: Stripe pauses a trial that ends without a card, all else was paused by its seller."""
    if subscription.get("status") == "paused" and subscription.get("trial_end"):
        return (
            f"If its trial ended without a card, add one {where}. If it stays paused, write to whoever runs "
            "this App."
        )
    return "Only whoever sells it can resume it: please write to whoever runs this App."


def _ends(subscription: Mapping[str, Any]) -> str | None:
    """The day on which a cancelled subscription ends."""
    seconds = subscription.get("cancel_at")
    if seconds is None and subscription.get("cancel_at_period_end"):
        items = (subscription.get("items") or {}).get("data") or [{}]
        seconds = subscription.get("current_period_end") or items[0].get("current_period_end")
    return full_day(datetime.fromtimestamp(seconds, UTC).date()) if seconds else None


def pays_on_marketplace(upgrade: str | None) -> Page:
    return Page(
        "You have a plan already",
        "This account pays on GitHub Marketplace already, and would pay twice. Change the plan there, or "
        "cancel it there first: once it is cancelled, this link works. A plan by card starts on the day on "
        "which it is bought, and GitHub is paid until the end of its own period.",
        (upgrade, "Open GitHub Marketplace") if upgrade else None,
    )


def other_checkout() -> Page:
    return Page(
        "Another checkout was opened",
        "Somebody else opened a checkout for this account at the same moment, so this one was closed. Please "
        "open the link again.",
    )


def open_checkout(other: str, this: str, address: str) -> Page:
    """For who opens a link to buy `this`, while a checkout of something else is open at `address`."""
    return Page(
        "Another checkout is open",
        f"Somebody has opened a checkout for this account: {other}. This link is for {this}. Continue the "
        "other one, or open this one instead, which closes the other one, also while somebody pays there.",
        (address, "Continue the open checkout"),
        "Open this one instead",
    )


def unknown_account() -> Page:
    return Page("This account is not known", "Install the app, and ask `/agile plan` in a thread for a link.")


def not_sold() -> Page:
    return Page("Not sold any more", "This plan is not sold any more. `/agile plan` shows those that are.")


def bad_link(reason: str) -> Page:
    return Page("This link does not work", reason)


# Stripe's trouble


def unavailable() -> Page:
    return Page("Please try again", "Stripe cannot be reached now. Please try again in a minute.")


def refused() -> Page:
    return Page(
        "Stripe would not open this page",
        "This was not your mistake, and it has been noted. You were not charged.",
    )
