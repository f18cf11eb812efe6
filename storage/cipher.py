"""Stored payloads are compressed, then encrypted; keys rotate."""

import zlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

# The fastest level: webhook JSON shrinks to a sixth with it, and the door is in a hurry.
_COMPRESSION = 1


class PayloadCipher:
    """Encrypts with the first key, decrypts with any. Raises ValueError for a malformed key."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, payload: bytes) -> bytes:
        return self._fernet.encrypt(zlib.compress(payload, _COMPRESSION))

    def open(self, sealed: bytes) -> bytes:
        """Raises LookupError when no configured key fits."""
        try:
            return zlib.decompress(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise LookupError(
                "a stored payload was encrypted with a key that ENCRYPTION_KEYS no longer lists; "
                "list the old key after the new one"
            ) from None
