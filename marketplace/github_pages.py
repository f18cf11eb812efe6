"""GitHub's pages on which an account looks after what it pays GitHub for. None signs its visitor in."""

from urllib.parse import quote

from storage.subscriptions import Account

_GITHUB = "https://github.com"


def billing_page(account: Account) -> str:
    """Payment method, billing details and purchases on the Marketplace; where they are also cancelled."""
    if account.kind == "Organization":
        return f"{_GITHUB}/organizations/{quote(account.name, safe='')}/settings/billing"
    return f"{_GITHUB}/settings/billing"


def payment_history(account: Account) -> str:
    """Receipts of what was paid."""
    if account.kind == "Organization":
        return f"{_GITHUB}/organizations/{quote(account.name, safe='')}/billing/history"
    return f"{_GITHUB}/account/billing/history"
