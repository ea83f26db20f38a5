"""What became of texts seen before: an LLM conversation sends its whole history again with every turn.

No text is kept that came in: a text is known by a keyed digest, and what is kept is the clean text, or only that
nothing changed. The memory is bounded in bytes.
"""

import secrets
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WORTH: Final = 256
"""Characters from which on a look-up costs less than redacting again."""

CAPACITY: Final = 32 * 1024 * 1024
"""Bytes that a memory may take, unless it is told otherwise: some ten thousand messages."""

ERROR: Final = "error"
"""What is counted where processing failed. That is never remembered: the next try may succeed."""

_ENTRY = 320  # bytes of a digest, a tuple, and their places in a table at its emptiest
_END = 160  # bytes of one of `ends`
_NONCE = bytes(12)

Ends = tuple[tuple[str, bool], ...]


class Known(NamedTuple):
    """What became of a text: `new` is the clean one, None when it stays; `found` what was found in it, by rule.

    `ends`, for a piece of JSON: the keys under which it holds text that what follows may continue, and whether any such
    text is so long that nothing reaches over it.
    """

    new: str | None
    found: tuple[tuple[str, int], ...]
    ends: Ends = ()


NOTHING: Final = Known(None, ())
"""What is known of a text in which there is nothing."""


def _fresh_key() -> bytes:
    # No result depends on it. It keeps who chooses texts, or reads the memory, from working with digests of their own.
    return secrets.token_bytes(32)


class Cache:
    """Texts that were redacted under one policy, the most lately used of them. Owned by that policy's rules.

    Two generations: what is used is in the young one, and when that has filled half of `capacity` (bytes) it becomes
    the old one, whose place it takes. So a text is forgotten only when it was not used while half a memory of others
    was, and nothing has to be kept in order.

    A digest is the tag of AES-GCM (NIST SP 800-38D) over the text, always with the same nonce: GHASH under a secret key,
    which is a universal hash of 128 bits and runs at 10 GB/s and more. Two texts of n bytes share one with a probability
    of n/2¹³² for who does not know the key, and nothing tells them about it, since no digest ever leaves the process.
    """

    __slots__ = ("_half", "_old", "_size", "_tag", "_young")

    def __init__(self, capacity: int = CAPACITY, make_key: Callable[[], bytes] = _fresh_key) -> None:
        """Make an empty memory; `make_key` gives the digests' key, of 32 bytes."""
        self._half = capacity // 2
        self._tag = AESGCM(make_key()).encrypt
        self._young: dict[bytes, Known] = {}
        self._old: dict[bytes, Known] = {}
        self._size = 0  # of the young ones

    def digest(self, text: str, circumstances: str = "") -> bytes:
        """Name a text and all else that its redaction depends on: its key, its place, the depth it was found at."""
        return self.digest_of(text.encode("utf-8", "surrogatepass"), circumstances.encode("utf-8", "surrogatepass"))

    def digest_of(self, raw: bytes, circumstances: bytes) -> bytes:
        """Name a text in UTF-8."""
        return self._tag(_NONCE, b"", b"%d:%b%b" % (len(circumstances), circumstances, raw))

    def get(self, digest: bytes) -> Known | None:
        """Say what became of a text, or None when that is not known."""
        known = self._young.get(digest)
        if known is None:
            known = self._old.get(digest)
            if known is not None:
                self._keep(digest, known)
        return known

    def put(self, digest: bytes, known: Known) -> None:
        """Remember what became of a text. Too large a one is not kept."""
        self._keep(digest, known)

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def _keep(self, digest: bytes, known: Known) -> None:
        new, found, ends = known
        size = _ENTRY + len(digest) + 64 * len(found) + _END * len(ends) + (0 if new is None else sys.getsizeof(new))
        if size > self._half:
            return
        if self._size + size > self._half:
            self._old, self._young, self._size = self._young, {}, 0
        self._young[digest] = known
        self._size += size
