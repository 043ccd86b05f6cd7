"""Secrets at rest: sealed with AES-GCM under a key that lives outside the database.

A sealed text begins with a format byte and the id of its key, so that keys can be exchanged: the
first key of a ring seals, every key of it opens. The context (whose secret it is) is
authenticated with it: a sealed text that is copied to another row does not open there.
"""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_FORMAT = b"\x01"
_ID_BYTES = 4
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """A secret was sealed under a key that is not here, for something else, or was altered."""


class KeyRing:
    """The keys of this installation, the newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        assert keys, "a key ring has at least one key"
        assert all(len(key) == KEY_BYTES for key in keys), "a key has 32 bytes"
        self._keys = {_id_of(key): AESGCM(key) for key in keys}
        self._newest = _id_of(keys[0])

    def seal(self, plain: bytes, context: str) -> bytes:
        """Seal a secret for one place, such as `gateway:<account>:<code>`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, plain, context.encode())
        return _FORMAT + self._newest + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """Open a secret that was sealed for this place. Raises CannotOpen."""
        head = len(_FORMAT) + _ID_BYTES
        key = self._keys.get(sealed[len(_FORMAT) : head])
        if sealed[: len(_FORMAT)] != _FORMAT or key is None:
            raise CannotOpen("It was sealed under a key that this process does not have.")
        nonce, text = sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
        try:
            return key.decrypt(nonce, text, context.encode())
        except (InvalidTag, ValueError) as problem:
            raise CannotOpen("It was altered, or sealed for something else.") from problem

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether a secret is under the newest key; if not, seal it again."""
        return sealed[len(_FORMAT) : len(_FORMAT) + _ID_BYTES] == self._newest


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"counterfoil key id" + key).digest()[:_ID_BYTES]
