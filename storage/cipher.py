"""Stored payloads are compressed, then encrypted (AES-256-GCM); keys rotate."""

import base64
import binascii
import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# The fastest level: webhook JSON shrinks to a sixth with it, and the door is in a hurry.
_COMPRESSION = 1
_KEY_BYTES = 32
# Random, and so long that one key is good for some four billion payloads.
_NONCE_BYTES = 12


class PayloadCipher:
    """Encrypts with the first key, decrypts with any. Raises ValueError for a malformed key."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers = [AESGCM(_decoded(key)) for key in keys]
        if not self._ciphers:
            raise ValueError("at least one key is needed")

    def seal(self, payload: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, zlib.compress(payload, _COMPRESSION), None)

    def open(self, sealed: bytes) -> bytes:
        """Raises LookupError when no configured key fits."""
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return zlib.decompress(cipher.decrypt(nonce, content, None))
            except InvalidTag:
                continue
        raise LookupError(
            "a stored payload was encrypted with a key that ENCRYPTION_KEYS no longer lists; "
            "list the old key after the new one"
        )


def new_key() -> str:
    """A fresh key: 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def _decoded(key: str) -> bytes:
    try:
        decoded = base64.urlsafe_b64decode(key)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != _KEY_BYTES:
        raise ValueError("a key is 32 bytes in URL-safe base64")
    return decoded
