"""The token with which the App itself asks GitHub: for an installation's token, and about its webhooks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from cachetools import TTLCache
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from gidgethub.apps import get_jwt

from bot.settings import GitHubSettings

# GitHub takes one for ten minutes.
_USED_FOR = timedelta(minutes=8)


class AppJwt:
    """Signs a token when there is none that still holds; one serves all installations."""

    def __init__(self, app: GitHubSettings, clock: Callable[[], datetime]) -> None:
        self._app_id = app.app_id
        # The settings have checked it; to check it again would stop everything else for 50 ms.
        pem = app.private_key.reveal().encode()
        self._key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        self._signed: TTLCache[str, str] = TTLCache(
            maxsize=1, ttl=_USED_FOR.total_seconds(), timer=lambda: clock().timestamp()
        )

    def __call__(self) -> str:
        token = self._signed.get(self._app_id)
        if token is None:
            # What PyJWT takes, gidgethub hands on: a key that is read already, too.
            token = get_jwt(app_id=self._app_id, private_key=cast(str, self._key))
            self._signed[self._app_id] = token
        return token
