"""Checks that Stripe can reach the server and sends each event that it uses. Findings name the remedy."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from marketplace.stripe_refunds import PAYMENT_EVENTS
from marketplace.stripe_subscriptions import EVENTS

ENDPOINT_PATH = "/webhooks/stripe"
WEBHOOK_SETTINGS = "https://dashboard.stripe.com/webhooks"
REQUIRED_EVENTS = EVENTS | PAYMENT_EVENTS
_PORTS = {"http": 80, "https": 443}


def public_url_findings(public_url: str) -> list[str]:
    """Return why buyers and Stripe cannot reach the public URL. Empty if they can."""
    address = urlsplit(public_url)
    if address.scheme == "https" and _is_public(address.hostname or ""):
        return []
    finding = (
        f"PUBLIC_URL is {public_url}, but Stripe sends events to {ENDPOINT_PATH} there and leads buyers back "
        "to it: set it to the https address that the whole internet reaches"
    )
    return [finding]


def _is_public(host: str) -> bool:
    """Whether a host could be reached from the internet, judging by its name."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        name = host.rstrip(".").lower()
        return "." in name and not name.endswith((".localhost", ".local", ".internal", ".lan"))


def endpoint_findings(endpoints: Sequence[Mapping[str, Any]], public_url: str) -> list[str]:
    """Return the obstacles to receiving events, given all webhook endpoints of the account at Stripe."""
    url = public_url.rstrip("/") + ENDPOINT_PATH
    ours = [endpoint for endpoint in endpoints if _normalize(str(endpoint.get("url"))) == _normalize(url)]
    findings = list(_check_own(ours, url) if ours else _describe_missing(endpoints, url))
    return [f"{finding} ({WEBHOOK_SETTINGS})" for finding in findings]


def _describe_missing(endpoints: Sequence[Mapping[str, Any]], url: str) -> Iterator[str]:
    others = sorted(
        str(endpoint["url"])
        for endpoint in endpoints
        if (target := _normalize(str(endpoint.get("url")))) is not None and target[-1] == ENDPOINT_PATH
    )
    elsewhere = f"; it has one for {others[0][:200]}" if others else ""
    yield (
        f"Stripe has no webhook endpoint for {url}{elsewhere}: without events, plans change only each night; "
        "add one with the events of docs/billing.md, and set STRIPE_WEBHOOK_SECRET to its signing secret"
    )


def _check_own(ours: Sequence[Mapping[str, Any]], url: str) -> Iterator[str]:
    enabled = [endpoint for endpoint in ours if endpoint.get("status") != "disabled"]
    if not enabled:
        yield (
            f"Stripe's webhook endpoint for {url} is disabled, so plans change only each night: enable it; "
            "the nightly comparison finds what was missed"
        )
        return
    sent = {str(event) for endpoint in enabled for event in endpoint.get("enabled_events") or ()}
    if "*" not in sent and (missing := sorted(REQUIRED_EVENTS - sent)):
        yield f"Stripe's webhook endpoint for {url} does not send {', '.join(missing)}: add these events"


def _normalize(url: str) -> tuple[str, str | None, int | None, str] | None:
    """Return the parts of a URL that decide where it leads. None if it is malformed."""
    try:
        address: SplitResult = urlsplit(url)
        port = address.port or _PORTS.get(address.scheme)
    except ValueError:
        return None
    return address.scheme, address.hostname, port, address.path.rstrip("/")
