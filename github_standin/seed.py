"""The stand-in's initial data: one organisation, five people, the App and its installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ORG = "acme"
ADMIN = "alice"
ROLES = {"alice": "admin", "bob": "write", "carol": "triage", "dave": "read"}
STRANGER = "mallory"
PEOPLE = (*ROLES, STRANGER)

APP_ID = 12345
APP_SLUG = "agile-github-suite"
BOT_LOGIN = f"{APP_SLUG}[bot]"
INSTALLATION_ID = 100

# emulate allows 5,000 requests an hour for each token. A long test session makes more through the helpers,
# which therefore use several tokens of one person in turn.
HELPER_TOKENS = 24

# The account of a second App, whose webhook shows that emulate has sent all earlier webhooks (see
# `webhooks/drain.py`). The App under test never sees that account.
DRAIN_OWNER = "stand-in"
DRAIN_REPO = f"{DRAIN_OWNER}/drain"


def new_private_key() -> str:
    """Generate an RSA key in GitHub's format, PKCS#1 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def user_token(login: str) -> str:
    """The token that tests use for a person."""
    return f"token-of-{login}"


def helper_tokens(login: str) -> list[str]:
    """The tokens that the stand-in's own helpers and the demo's page use for a person, in turn."""
    return [f"helper-{number}-of-{login}" for number in range(HELPER_TOKENS)]


def seed(
    *,
    private_key: str,
    webhook_secret: str,
    base_url: str,
    events: Sequence[str],
    permissions: Mapping[str, str],
) -> dict[str, Any]:
    """Build the seed in emulate's format; `base_url` is the stand-in's address."""
    people = (*PEOPLE, DRAIN_OWNER)
    tokens = {token: login for login in people for token in (user_token(login), *helper_tokens(login))}
    return {
        "tokens": {token: {"login": login, "scopes": ["repo"]} for token, login in tokens.items()},
        "github": {
            "users": [{"login": login, "name": login.capitalize()} for login in people],
            "orgs": [
                {
                    "login": ORG,
                    "name": "Acme",
                    "members": [
                        {"login": login, "role": "admin" if role == "admin" else "member"}
                        for login, role in ROLES.items()
                    ],
                }
            ],
            "repos": [{"owner": DRAIN_OWNER, "name": "drain", "auto_init": False}],
            "apps": [
                {
                    "app_id": APP_ID,
                    "slug": APP_SLUG,
                    "name": "Agile GitHub Suite",
                    "private_key": private_key,
                    "permissions": dict(permissions),
                    "events": list(events),
                    "webhook_url": f"{base_url}/_hooks",
                    "webhook_secret": webhook_secret,
                    "installations": [
                        {"installation_id": INSTALLATION_ID, "account": ORG, "repository_selection": "all"}
                    ],
                },
                {
                    "app_id": APP_ID + 1,
                    "slug": "stand-in-drain",
                    "name": "Drain",
                    "private_key": private_key,
                    "permissions": {"issues": "read"},
                    "events": ["label"],
                    "webhook_url": f"{base_url}/_drain",
                    "installations": [
                        {
                            "installation_id": INSTALLATION_ID + 1,
                            "account": DRAIN_OWNER,
                            "repository_selection": "all",
                        }
                    ],
                },
            ],
        },
    }
