"""The JSON Web Token of the App itself, for installations' tokens and the App's webhook deliveries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from cachetools import TTLCache
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from gidgethub.apps import get_jwt

from bot.settings import GitHubSettings

# GitHub accepts a token for ten minutes.
_USED_FOR = timedelta(minutes=8)


class AppJwt:
    """Signs a token when the last one has expired. One token serves all installations."""

    def __init__(self, app: GitHubSettings, clock: Callable[[], datetime]) -> None:
        self._app_id = app.app_id
        # The settings have validated the key; to validate it again would block the event loop for 50 ms.
        pem = app.private_key.reveal().encode()
        self._key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        self._signed: TTLCache[str, str] = TTLCache(
            maxsize=1, ttl=_USED_FOR.total_seconds(), timer=lambda: clock().timestamp()
        )

    def __call__(self) -> str:
        token = self._signed.get(self._app_id)
        if token is None:
            # gidgethub passes the key on to PyJWT, which also takes a loaded key.
            token = get_jwt(app_id=self._app_id, private_key=cast(str, self._key))
            self._signed[self._app_id] = token
        return token
