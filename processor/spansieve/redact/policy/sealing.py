"""Break-glass encryption: a value that only the holder of a private key can read again. The gateway cannot.

A policy names an X25519 public key (RFC 7748). The gateway agrees on a secret with it, with a key pair of its own that
lives as long as the compiled policy, derives an AES-256-GCM key from the secret (HKDF-SHA256, RFC 5869), and numbers
what it seals: the numbers are the nonces, so none is used twice under one key.
"""

import base64
import itertools
import re
from collections.abc import Iterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALED: Final = re.compile(r"\[ENC:[A-Za-z0-9_-]{80,}+\]")
"""How a sealed value looks in a text. Its bytes: the gateway's public key (32), nonce (12), ciphertext, tag (16)."""

_PUBLIC = 32
_NONCE = 12
_USE = b"spansieve break-glass 1"


class SealingError(ValueError):
    """A key that is none, or is not the one. The text says which and shows nothing of it."""


class Sealer:
    """Seals to one public key. Owned by one compiled policy, in one process: after a fork it must be made anew."""

    def __init__(self, public_key: str, ephemeral: bytes) -> None:
        """Take a public key in PEM, and 32 random bytes that were never used before. Raises SealingError."""
        recipient = _public(public_key)
        own = X25519PrivateKey.from_private_bytes(ephemeral)
        self._head = own.public_key().public_bytes_raw()
        self._cipher = AESGCM(_derive(own.exchange(recipient), self._head, recipient.public_bytes_raw()))
        self._numbers: Iterator[int] = itertools.count()

    def seal(self, value: str) -> str:
        """Encrypt a value into `[ENC:…]`."""
        nonce = next(self._numbers).to_bytes(_NONCE, "big")
        sealed = self._cipher.encrypt(nonce, value.encode("utf-8", "surrogatepass"), _USE)
        return f"[ENC:{base64.urlsafe_b64encode(self._head + nonce + sealed).decode().rstrip('=')}]"


class Opener:
    """Opens what was sealed to one key. For `spansieve policy decrypt`; the gateway has no such key."""

    def __init__(self, private_key: bytes) -> None:
        """Take a private key in PEM, without a passphrase. Raises SealingError."""
        try:
            key = serialization.load_pem_private_key(private_key, None)
        except (ValueError, TypeError):
            raise SealingError("is not a private key in PEM without a passphrase") from None
        if not isinstance(key, X25519PrivateKey):
            raise SealingError("is not an X25519 key")
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    def open(self, sealed: str) -> str:
        """Give the value inside of `[ENC:…]`. Raises SealingError when it was sealed to another key, or altered."""
        body = sealed.removeprefix("[ENC:").removesuffix("]")
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            head, nonce, ciphertext = raw[:_PUBLIC], raw[_PUBLIC : _PUBLIC + _NONCE], raw[_PUBLIC + _NONCE :]
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(head))
            cipher = AESGCM(_derive(shared, head, self._public))
            return cipher.decrypt(nonce, ciphertext, _USE).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise SealingError("was sealed to another key, or altered") from None


def public_key_problem(pem: str) -> str:
    """Say what is wrong with a public key, or nothing."""
    try:
        _public(pem)
    except SealingError as error:
        return str(error)
    return ""


def _public(pem: str) -> X25519PublicKey:
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError:
        raise SealingError("is not a public key in PEM") from None
    if not isinstance(key, X25519PublicKey):
        raise SealingError("is not an X25519 key")
    return key


def _derive(shared: bytes, sender: bytes, recipient: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=_USE + sender + recipient).derive(shared)
