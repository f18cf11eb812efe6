"""Links to GitHub's billing pages of an account. The links need a sign-in."""

from urllib.parse import quote

from storage.subscriptions import Account

_GITHUB = "https://github.com"


def billing_page(account: Account) -> str:
    """The page of payment methods, billing details and Marketplace purchases, which are cancelled there."""
    if account.kind == "Organization":
        return f"{_GITHUB}/organizations/{quote(account.name, safe='')}/settings/billing"
    return f"{_GITHUB}/settings/billing"


def payment_history(account: Account) -> str:
    """The page of payments and receipts."""
    if account.kind == "Organization":
        return f"{_GITHUB}/organizations/{quote(account.name, safe='')}/billing/history"
    return f"{_GITHUB}/account/billing/history"
