"""Values of labels, each from a fixed list: what comes from outside has no more values than these."""

import re
from urllib.parse import urlsplit

OTHER = "other"
UNREACHABLE = "unreachable"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# The API of GitHub Enterprise Server lies below /api.
_GITHUB_PREFIX = re.compile(r"^/api(?:/v3)?(?=/)")
_IN_REPOSITORY = re.compile(r"^/(?:repos/[^/]+/[^/]+|repositories/[0-9]+)/([a-z-]+)")
_TOKENS = re.compile(r"^/app/installations/[0-9]+/access_tokens$")
# The parts of a repository that the bot reads and writes.
_REPOSITORY_PARTS = frozenset(
    {
        "check-runs",
        "collaborators",
        "commits",
        "contents",
        "issues",
        "labels",
        "milestones",
        "pulls",
        "releases",
    }
)
_GITHUB_ROOTS = frozenset(
    {"app", "graphql", "installation", "marketplace_listing", "orgs", "rate_limit", "repos", "users"}
)
_STRIPE_RESOURCES = frozenset(
    {
        "billing",
        "billing_portal",
        "charges",
        "checkout",
        "customers",
        "disputes",
        "invoices",
        "payment_intents",
        "prices",
        "products",
        "refunds",
        "subscription_schedules",
        "subscriptions",
        "tax",
        "webhook_endpoints",
    }
)


def choose_method(method: str) -> str:
    """Return a request's method, or `other` for one that HTTP does not define."""
    return method if method in _METHODS else OTHER


def choose_call_status(status: int | None) -> str:
    """Return the status of a call, or `unreachable` where no answer came."""
    return UNREACHABLE if status is None else str(status)


def name_github_call(url: str) -> str:
    """Name the kind of a request to GitHub: the part of a repository, or else the part of the API."""
    path = _GITHUB_PREFIX.sub("", urlsplit(url).path)
    if _TOKENS.match(path):
        return "access_tokens"
    if part := _IN_REPOSITORY.match(path):
        return part[1] if part[1] in _REPOSITORY_PARTS else OTHER
    root = path.strip("/").partition("/")[0]
    return root if root in _GITHUB_ROOTS else OTHER


def name_stripe_call(url: str) -> str:
    """Name the kind of a request to Stripe: the resource after the version."""
    _, _, rest = urlsplit(url).path.lstrip("/").partition("/")
    resource = rest.partition("/")[0]
    return resource if resource in _STRIPE_RESOURCES else OTHER
